#include "gateway/buffer.h"

namespace freehold::gateway {

bool BufferPool::grow() {
  if (all_.size() >= most_) return false;
  // Left uninitialised: 32 KiB of zeros that nobody reads would touch pages that nobody needs.
  all_.push_back(std::make_unique_for_overwrite<Buffer>());
  all_.back()->pool = this;
  free_.reserve(all_.size());
  free_.push_back(all_.back().get());
  return true;
}

}  // namespace freehold::gateway
