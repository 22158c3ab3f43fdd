// What must be kept of the contents, for the generations that are.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "contents/contents.h"
#include "control/desired_state.h"
#include "control/generation.h"

namespace freehold::control {

// The digests of everything that these generations, and what runs, are made of. Those of manifests that are lost or
// damaged are among them; what they named is not.
Result<std::set<std::string>> live_contents(const contents::Contents& contents, const std::vector<GenerationHead>& kept,
                                            const DesiredState& desired);

}  // namespace freehold::control
