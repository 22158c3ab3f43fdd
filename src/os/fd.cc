#include "os/fd.h"

#include <unistd.h>

namespace freehold::os {

void Fd::reset(int number) {
  // Linux frees the descriptor even when close reports an error, so there is nothing to retry.
  if (number_ >= 0) close(number_);
  number_ = number;
}

}  // namespace freehold::os
