#include "cli/signals.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace freehold::cli {

Signals::Signals(std::initializer_list<int> numbers) {
  sigset_t set;
  sigemptyset(&set);
  for (int number : numbers) sigaddset(&set, number);
  sigprocmask(SIG_BLOCK, &set, &before_);
  descriptor_ = os::Fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

Signals::~Signals() { sigprocmask(SIG_SETMASK, &before_, nullptr); }

std::optional<int> Signals::take() {
  signalfd_siginfo info{};
  if (read(descriptor_.get(), &info, sizeof info) != sizeof info) return std::nullopt;
  return static_cast<int>(info.ssi_signo);
}

void Signals::wait() const {
  pollfd waiting{descriptor_.get(), POLLIN, 0};
  poll(&waiting, 1, -1);
}

void end_by(int signal) {
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, signal);
  ::signal(signal, SIG_DFL);
  raise(signal);
  sigprocmask(SIG_UNBLOCK, &one, nullptr);
  _exit(128 + signal);  // where it does not end a process: never, of those that we take
}

}  // namespace freehold::cli
