// Jobs as the node is told of them: those of the current generation.
//
// They take no part in rollouts: a run is never replaced, and the next one is of whatever generation is current by
// then. So an apply that fails changes no job, and a rollback brings the jobs of that generation back. Pure.
#pragma once

#include "control/compose.h"

namespace freehold::control {

// Adds the jobs, and what they are started with, to what is wanted of the node.
void add_jobs(const Composed& composed, model::NodeDesired& desired);
// The keyed hashes of the secret values that they use.
std::vector<std::string> secrets_of_jobs(const Composed& composed);

}  // namespace freehold::control
