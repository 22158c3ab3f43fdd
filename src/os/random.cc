#include "os/random.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace freehold::os {
namespace {

class SystemRandom : public Random {
 public:
  uint64_t next() override {
    uint64_t value = 0;
    // At most 256 bytes never come short once the pool is initialised; only a signal before that can interrupt.
    while (getrandom(&value, sizeof value, 0) != sizeof value) {
      if (errno != EINTR) std::abort();
    }
    return value;
  }
};

}  // namespace

uint64_t Random::below(uint64_t bound) {
  // Rejection keeps the result uniform: values in the incomplete last multiple of bound are drawn again.
  uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
  for (;;) {
    uint64_t value = next();
    if (value < limit) return value % bound;
  }
}

std::string Random::bytes(size_t count) {
  std::string out(count, '\0');
  for (size_t at = 0; at < count; at += sizeof(uint64_t)) {
    uint64_t value = next();
    std::memcpy(out.data() + at, &value, std::min(sizeof value, count - at));
  }
  return out;
}

Random& system_random() {
  static SystemRandom random;
  return random;
}

}  // namespace freehold::os
