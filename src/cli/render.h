// How answers of the API look to people. Pure: answer in, text out.
#pragma once

#include <string>
#include <vector>

#include "api/messages.h"
#include "cli/doctor.h"

namespace freehold::cli {

// Totals first, then the services with something wrong, then the rest; of a long list, what is healthy on one line
// each.
std::string render_status(const api::Status& status, WallTime now, bool color);
std::string render_history(const std::vector<api::GenerationSummary>& history, WallTime now, bool color);
std::string render_doctor(const std::vector<Finding>& findings, bool color);
// One event of the log on one line.
std::string render_event(const codec::Json& event, bool color);
// One line of a service's output.
std::string render_log_line(const codec::Json& line, bool color);
// One answer of the gateway.
std::string render_access_line(const codec::Json& line, bool color);

}  // namespace freehold::cli
