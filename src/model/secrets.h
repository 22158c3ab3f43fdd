// Reading the secrets' store into an open report. Internal to model.
#pragma once

#include <map>
#include <string>

#include "model/report.h"

namespace freehold::model {

// Marks the source confidential, parses its text, and returns what is well-formed. Messages say where, and nothing of
// what stands there.
std::map<std::string, std::string> read_secrets(Report& report, Source& source);

}  // namespace freehold::model
