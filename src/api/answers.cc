#include "api/answers.h"

#include "control/plan_text.h"

namespace freehold::api {

PlanAnswer plan_answer(const control::Plan& plan) {
  return {plan.current, plan.empty(), control::render(plan, control::Colour::kOff), plan};
}

std::vector<GenerationSummary> summaries_of(const std::vector<control::GenerationHead>& history) {
  std::vector<GenerationSummary> out;
  for (const control::GenerationHead& generation : history) {
    out.push_back({generation.number,
                   std::string(enum_names(generation.status)[static_cast<size_t>(generation.status)]),
                   generation.created, generation.who, generation.message, generation.outcome, generation.services});
  }
  return out;
}

}  // namespace freehold::api
