// Answers of the API made from what control knows: for the server, and for the command line where nobody answers.
#pragma once

#include <vector>

#include "api/messages.h"
#include "control/generation.h"
#include "control/plan.h"

namespace freehold::api {

PlanAnswer plan_answer(const control::Plan& plan);
std::vector<GenerationSummary> summaries_of(const std::vector<control::GenerationHead>& history);

}  // namespace freehold::api
