// Signals that a verb takes in when it can heed them, instead of being ended wherever it is.
#pragma once

#include <signal.h>

#include <initializer_list>
#include <optional>

#include "os/fd.h"

namespace freehold::cli {

// Blocks the signals for as long as it lives; children that os::spawn starts do not inherit that. One at a time.
class Signals {
 public:
  Signals(std::initializer_list<int> numbers);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // Can be read when one has come.
  int descriptor() const { return descriptor_.get(); }
  // The next that has come, if any. Never blocks.
  std::optional<int> take();
  void wait() const;

 private:
  sigset_t before_{};
  os::Fd descriptor_;
};

// Ends the process as the signal does where nobody takes it in: shells see 128 + its number, and end their script.
[[noreturn]] void end_by(int signal);

}  // namespace freehold::cli
