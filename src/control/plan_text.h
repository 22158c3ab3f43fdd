// A plan as people read it: what changes in which order, why, and what is noticed of it.
#pragma once

#include "control/plan.h"

namespace freehold::control {

enum class Colour { kOff, kOn };

// Ends with a line feed. Values longer than a line are shortened; nothing in it is a secret.
std::string render(const Plan& plan, Colour colour);

}  // namespace freehold::control
