// FileLock: one process at a time, held until it is destroyed or its holder dies (flock(2)).
#pragma once

#include <string>

#include "base/result.h"
#include "base/units.h"
#include "os/fd.h"

namespace freehold::os {

class FileLock {
 public:
  // Creates the file if it is missing. kUnavailable if another holds it for longer than `most`.
  static Result<FileLock> acquire(const std::string& path, Duration most);

 private:
  explicit FileLock(Fd file) : file_(std::move(file)) {}
  Fd file_;
};

}  // namespace freehold::os
