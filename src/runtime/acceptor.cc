#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "runtime/state.h"

namespace freehold::runtime {
namespace {

// Long enough that a full table of descriptors does not turn into a busy loop, short enough for nobody to notice.
constexpr Duration kPause = std::chrono::milliseconds(50);

// What concerns only the connection that was to be accepted (accept(2) passes pending network errors on).
bool only_that_connection(int number) {
  switch (number) {
    case ECONNABORTED:
    case EINTR:
    case EPROTO:
    case EPERM:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case ENETUNREACH:
      return true;
    default:
      return false;
  }
}

}  // namespace

AcceptorState::AcceptorState(Engine& engine, int socket, Completion accepted)
    : engine_(engine),
      socket_(socket),
      accepted_(accepted),
      pause_(engine, complete<&AcceptorState::on_pause_over>(this)) {
  // Several loops race for a connection, and those that lose must not block.
  fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK);
}

void AcceptorState::close() {
  if (closed_) return;
  closed_ = true;
  pause_.cancel();
  stop_accepting();
}

void AcceptorState::abandon() {
  close();
  abandoned_ = true;
  delete_if_abandoned();
}

void AcceptorState::delete_if_abandoned() {
  if (abandoned_ && !referenced()) delete this;
}

AcceptorState::Next AcceptorState::handle(int result) {
  if (closed_) {
    if (result >= 0) ::close(result);
    return Next::kStop;
  }
  if (result < 0 && only_that_connection(-result)) return Next::kGoOn;
  if (result < 0) {
    stop_accepting();
    pause_.start(kPause);
  }
  accepted_(result);
  return result < 0 || closed_ ? Next::kStop : Next::kGoOn;
}

void AcceptorState::on_pause_over(int) { start_accepting(); }

Acceptor::Acceptor(Loop& loop, int listening_socket, Completion accepted)
    : state_(Engine::of(loop).new_acceptor(listening_socket, accepted)) {}

Acceptor::~Acceptor() { state_->abandon(); }

void Acceptor::close() { state_->close(); }

Watcher::Watcher(Loop& loop, int fd, Completion ready, Interest interest)
    : state_(Engine::of(loop).new_watcher(fd, ready, interest)) {}

Watcher::~Watcher() { state_->abandon(); }

void Watcher::set_interest(Interest interest) { state_->set_interest(interest); }

}  // namespace freehold::runtime
