// Who may write where: volumes with one writer, by keys that are equal exactly when they are the same folder.
#pragma once

#include <string>
#include <vector>

#include "model/instance.h"

namespace freehold::control {

// Of the volumes with one writer. A folder that the platform keeps is its service's own; one with a path of its own may
// be named by several services, one after the other.
std::vector<std::string> writer_keys(const model::Runtime& runtime);

}  // namespace freehold::control
