#include "runtime/epoll_loop.h"

#include <sys/socket.h>

#include <cerrno>
#include <ctime>

namespace freehold::runtime {
namespace {

// Connections taken per turn: more than one because a turn of a busy loop is long, few because other loops that share
// the socket may be idle.
constexpr int kAcceptsPerTurn = 8;

class EpollAcceptor final : public AcceptorState, private Pollable {
 public:
  EpollAcceptor(EpollLoop& loop, int socket, Completion accepted) : AcceptorState(loop, socket, accepted), loop_(loop) {
    start_accepting();
  }

 private:
  void start_accepting() override {
    // Exclusive: of several loops that wait on the socket, the kernel wakes one or few.
    const int error = loop_.add(socket_, EPOLLIN | EPOLLEXCLUSIVE, *this);
    registered_ = error == 0;
    if (error != 0) notify(error);
  }

  void stop_accepting() override {
    if (registered_) loop_.remove(socket_);
    registered_ = false;
    if (due_.queued()) ReadyList::remove(due_);
    due_.done = {};
  }

  bool referenced() const override { return busy_; }

  void on_events(uint32_t) override { notify(0); }

  void notify(int result) {
    due_.done = complete<&EpollAcceptor::on_due>(this);
    loop_.finish(due_, result);
  }

  void on_due(int result) {
    busy_ = true;
    if (result < 0) {
      handle(result);
    } else {
      for (int i = 0; i < kAcceptsPerTurn; ++i) {
        const int accepted = accept4(socket_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        const int number = errno;
        if (accepted < 0 && number == EAGAIN) break;
        if (handle(accepted < 0 ? -number : accepted) == Next::kStop) break;
      }
    }
    busy_ = false;
    delete_if_abandoned();
  }

  EpollLoop& loop_;
  Operation due_;
  bool registered_ = false;
  bool busy_ = false;  // within a call of the handler
};

uint32_t events_of(Interest interest) {
  uint32_t events = 0;
  if (interest != Interest::kWrite) events |= EPOLLIN;
  if (interest != Interest::kRead) events |= EPOLLOUT;
  return events;
}

class EpollWatcher final : public WatcherState, private Pollable {
 public:
  EpollWatcher(EpollLoop& loop, int fd, Completion ready, Interest interest) : loop_(loop), fd_(fd), ready_(ready) {
    const int error = loop_.add(fd_, events_of(interest), *this);
    registered_ = error == 0;
    if (error != 0) notify(error);
  }

  void set_interest(Interest interest) override {
    if (registered_) loop_.modify(fd_, events_of(interest), *this);
  }

  void abandon() override {
    if (registered_) loop_.remove(fd_);
    if (due_.queued()) ReadyList::remove(due_);
    delete this;
  }

 private:
  void on_events(uint32_t) override { notify(0); }

  void notify(int result) {
    due_.done = ready_;
    loop_.finish(due_, result);
  }

  EpollLoop& loop_;
  int fd_;
  Completion ready_;
  Operation due_;
  bool registered_ = false;
};

}  // namespace

Result<std::unique_ptr<Loop>> create_epoll(os::Clock& clock) {
  FH_ASSIGN(os::Fd wake, create_wake_fd());
  os::Fd epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return errno_error("cannot create an epoll instance", errno);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;
  if (epoll_ctl(epoll.get(), EPOLL_CTL_ADD, wake.get(), &event) != 0) {
    return errno_error("cannot watch the loop's event descriptor", errno);
  }
  return std::unique_ptr<Loop>(new EpollLoop(clock, std::move(wake), std::move(epoll)));
}

EpollLoop::EpollLoop(os::Clock& clock, os::Fd wake, os::Fd epoll)
    : Engine(clock, std::move(wake)), epoll_(std::move(epoll)) {}

StreamState* EpollLoop::new_stream(os::Fd socket) { return new EpollStream(*this, std::move(socket)); }

AcceptorState* EpollLoop::new_acceptor(int listening_socket, Completion accepted) {
  return new EpollAcceptor(*this, listening_socket, accepted);
}

WatcherState* EpollLoop::new_watcher(int fd, Completion ready, Interest interest) {
  return new EpollWatcher(*this, fd, ready, interest);
}

int EpollLoop::add(int fd, uint32_t events, Pollable& target) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &target;
  return epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
}

int EpollLoop::modify(int fd, uint32_t events, Pollable& target) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &target;
  return epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) == 0 ? 0 : -errno;
}

// Said explicitly although closing the last descriptor does it too: a process that is just being forked may hold
// another one, and a report for an object that is gone would be fatal.
void EpollLoop::remove(int fd) { epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

void EpollLoop::wait(std::optional<Duration> most) {
  timespec limit{};
  if (most) {
    limit.tv_sec = *most / std::chrono::seconds(1);
    limit.tv_nsec = (*most % std::chrono::seconds(1)).count();
  }
  const int count =
      epoll_pwait2(epoll_.get(), events_.data(), static_cast<int>(events_.size()), most ? &limit : nullptr, nullptr);
  // A negative count is EINTR: a signal is no event of ours.
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events_[static_cast<size_t>(i)];
    if (event.data.ptr == nullptr) {
      woken();
    } else {
      static_cast<Pollable*>(event.data.ptr)->on_events(event.events);
    }
  }
}

}  // namespace freehold::runtime
