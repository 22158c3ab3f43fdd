// /metrics in the Prometheus text format, version 0.0.4. Internal to api.
#pragma once

#include "api/call.h"

namespace freehold::api {

http::Response metrics_page(const Backend& backend);

}  // namespace freehold::api
