#include "runtime/engine.h"
namespace freehold::runtime {
Result<std::unique_ptr<Loop>> create_uring(os::Clock&) {
  return Error(ErrorCode::kUnsupported, "io_uring: not built into this version");
}
}  // namespace freehold::runtime
