// How a rollout that is under way looks on a terminal. Pure: answer of the API and size in, lines out.
#pragma once

#include <string>
#include <vector>

#include "api/messages.h"
#include "cli/screen.h"

namespace freehold::cli {

// What it is and how long it takes, then a line for each service that changes: what serves of what shall, its state,
// since when, what is awaited, and what is known against that. No line is longer than the size, nor are there more than
// fit above the cursor: services that are done give way first, then those whose turn has not come.
std::vector<std::string> progress_lines(const api::RolloutStatus& rollout, Size size, bool color);

}  // namespace freehold::cli
