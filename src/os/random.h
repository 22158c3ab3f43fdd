// The one seam for randomness: keys and tokens, jitter, load balancing. Tests and the simulator pass SeededRandom.
#pragma once

#include <cstdint>
#include <random>
#include <string>

namespace freehold::os {

class Random {
 public:
  virtual ~Random() = default;
  virtual uint64_t next() = 0;
  // Uniform in [0, bound); bound must not be 0.
  uint64_t below(uint64_t bound);
  // `count` bytes, each uniform. From the system source they are fit for keys.
  std::string bytes(size_t count);
};

// getrandom(2). Lives for the whole program; thread safe.
Random& system_random();

// Repeatable: the same seed gives the same sequence. Not for keys. Not thread safe.
class SeededRandom : public Random {
 public:
  explicit SeededRandom(uint64_t seed) : engine_(seed) {}
  uint64_t next() override { return engine_(); }

 private:
  std::mt19937_64 engine_;
};

}  // namespace freehold::os
