#include "control/writers.h"

namespace freehold::control {

std::vector<std::string> writer_keys(const model::Runtime& runtime) {
  std::vector<std::string> out;
  for (const model::Volume& volume : runtime.volumes) {
    if (volume.writers == model::Writers::kOne)
      out.push_back(volume.path.empty() ? runtime.service + "/" + volume.name : volume.path);
  }
  return out;
}

}  // namespace freehold::control
