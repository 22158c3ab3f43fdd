// Events and logs: lines that may go on. Internal to api.
#pragma once

#include "api/call.h"

namespace freehold::api {

void event_lines(const std::shared_ptr<Call>& call);
void log_lines(const std::shared_ptr<Call>& call);

}  // namespace freehold::api
