#include "runtime/uring_watch.h"

#include <liburing.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace freehold::runtime {

UringAcceptor::UringAcceptor(UringLoop& loop, int socket, Completion accepted)
    : AcceptorState(loop, socket, accepted), loop_(loop) {
  start_accepting();
}

UringAcceptor::~UringAcceptor() {
  for (const int result : results_) {
    if (result >= 0) ::close(result);
  }
  loop_.remove_orphan(*this);
}

void UringAcceptor::start_accepting() {
  wanted_ = true;
  if (!in_flight_) submit();
}

void UringAcceptor::stop_accepting() {
  wanted_ = false;
  if (in_flight_) loop_.cancel(*this);
}

void UringAcceptor::abandon() {
  loop_.add_orphan(*this);
  AcceptorState::abandon();
}

void UringAcceptor::submit() {
  loop_.submit(*this, [&](io_uring_sqe* entry) {
    constexpr int kFlags = SOCK_NONBLOCK | SOCK_CLOEXEC;
    if (polling_) {
      io_uring_prep_poll_add(entry, socket_, POLLIN);
    } else if (repeating_) {
      io_uring_prep_multishot_accept(entry, socket_, nullptr, nullptr, kFlags);
    } else {
      io_uring_prep_accept(entry, socket_, nullptr, nullptr, kFlags);
    }
  });
}

void UringAcceptor::answered(int result) {
  const bool polled = std::exchange(polling_, false);
  if (result == -ECANCELED || polled || (result == -EINVAL && std::exchange(repeating_, false)) || result == -EAGAIN) {
    // Nothing to pass on. A kernel that cannot repeat says EINVAL; one that does not wait by itself says EAGAIN.
    polling_ = result == -EAGAIN && !polled;
    if (wanted_ && !in_flight_) return submit();
    return delete_if_abandoned();
  }
  results_.push_back(result);
  due_.done = complete<&UringAcceptor::on_due>(this);
  loop_.finish(due_, 0);
}

void UringAcceptor::on_due(int) {
  busy_ = true;
  for (const int result : std::exchange(results_, {})) handle(result);
  busy_ = false;
  if (wanted_ && !in_flight_) submit();
  delete_if_abandoned();
}

UringWatcher::UringWatcher(UringLoop& loop, int fd, Completion ready, Interest interest)
    : loop_(loop), fd_(fd), ready_(ready), interest_(interest) {
  // A file or folder is always ready, and watching it would never let the loop sleep; epoll refuses them.
  struct stat status{};
  const bool file = fstat(fd, &status) == 0 && (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode));
  if (file) {
    due_.done = complete<&UringWatcher::on_due>(this);
    loop_.finish(due_, -EPERM);
  } else {
    submit();
  }
}

UringWatcher::~UringWatcher() { loop_.remove_orphan(*this); }

void UringWatcher::submit() {
  unsigned events = 0;
  if (interest_ != Interest::kWrite) events |= POLLIN;
  if (interest_ != Interest::kRead) events |= POLLOUT;
  loop_.submit(*this, [&](io_uring_sqe* entry) { io_uring_prep_poll_add(entry, fd_, events); });
}

void UringWatcher::set_interest(Interest interest) {
  if (interest == interest_) return;
  interest_ = interest;
  if (in_flight_) loop_.cancel(*this);  // and again with the new interest when that is answered
}

void UringWatcher::answered(int result) {
  if (abandoned_) return delete_if_answered();
  if (result == -ECANCELED) return submit();
  due_.done = complete<&UringWatcher::on_due>(this);
  loop_.finish(due_, std::min(result, 0));
}

void UringWatcher::on_due(int result) {
  busy_ = true;
  ready_(result);
  busy_ = false;
  if (abandoned_) return delete_if_answered();
  if (result == 0) submit();
}

void UringWatcher::abandon() {
  abandoned_ = true;
  if (due_.queued()) ReadyList::remove(due_);
  if (in_flight_) loop_.cancel(*this);
  loop_.add_orphan(*this);
  delete_if_answered();
}

void UringWatcher::delete_if_answered() {
  if (!in_flight_ && !busy_) delete this;
}

}  // namespace freehold::runtime
