#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "runtime/epoll_loop.h"

namespace freehold::runtime {
namespace {

constexpr uint32_t kEnded = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

}  // namespace

void EpollStream::await(Operation& operation) {
  if (registered_) return;
  const int error = loop().add(fd(), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, *this);
  if (error != 0) return loop().finish(operation, error);
  registered_ = true;
}

void EpollStream::on_events(uint32_t events) {
  if ((events & kEnded) != 0) ended_ = true;
  if ((events & (EPOLLIN | kEnded)) != 0) readable_ = true;
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) writable_ = true;
  if (readable_ && receiving_.pending() && !receiving_.queued()) try_receive();
  if (writable_ && sending_.pending() && !sending_.queued()) {
    if (connecting_) return finish_connect();
    send();
  }
}

void EpollStream::connect(const sockaddr* address, size_t length) {
  // A signal does not undo the attempt: it goes on as if it had been in progress from the start.
  if (::connect(fd(), address, static_cast<socklen_t>(length)) == 0) return loop().finish(sending_, 0);
  if (errno != EINPROGRESS && errno != EINTR) return loop().finish(sending_, -errno);
  connecting_ = true;
  writable_ = false;
  await(sending_);
}

void EpollStream::finish_connect() {
  connecting_ = false;
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(fd(), SOL_SOCKET, SO_ERROR, &error, &length) != 0) error = errno;
  loop().finish(sending_, -error);
}

void EpollStream::receive(std::span<char> buffer) {
  buffer_ = buffer;
  if (readable_) return try_receive();
  await(receiving_);
}

void EpollStream::wait_readable() {
  buffer_ = {};
  if (readable_ && !ended_) {
    // The flag may be left over from a receive that took everything, and an idle connection must not seem to have
    // ended.
    char byte = 0;
    const ssize_t got = recv(fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) readable_ = false;
    if (got < 0 && errno != EAGAIN) return loop().finish(receiving_, -errno);
  }
  if (readable_) return loop().finish(receiving_, 0);
  await(receiving_);
}

void EpollStream::try_receive() {
  if (buffer_.empty()) return loop().finish(receiving_, 0);
  const ssize_t got = recv(fd(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) {
    readable_ = false;
    return await(receiving_);
  }
  if (got < 0) return loop().finish(receiving_, -errno);
  // Less than there was room for: nothing is left, and the kernel will report what comes. Not so at the end of the
  // stream, which was reported already.
  if (got > 0 && static_cast<size_t>(got) < buffer_.size() && !ended_) readable_ = false;
  loop().finish(receiving_, static_cast<int>(got));
}

void EpollStream::send() {
  if (outgoing_.pieces == nullptr) return send_file();
  if (writable_ && !send_some()) return;
  if (outgoing_.complete()) return loop().finish(sending_, outgoing_.total);
  await(sending_);
}

bool EpollStream::send_some() {
  const auto last = outgoing_.last_piece();
  ssize_t sent = 0;
  if (!last.empty()) {
    sent = ::send(fd(), last.data(), last.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  } else {
    std::array<iovec, Stream::kMostPieces> pieces;
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = outgoing_.rest(pieces);
    sent = sendmsg(fd(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  if (sent < 0 && errno != EAGAIN) {
    loop().finish(sending_, -errno);
    return false;
  }
  if (sent > 0) outgoing_.advance(static_cast<size_t>(sent));
  writable_ = outgoing_.complete();
  return true;
}

void EpollStream::send_file() {
  if (!writable_) return await(sending_);
  switch (outgoing_.send_file_chunk(fd())) {
    case Outgoing::Sent::kSome:
      return loop().go_on(sending_, this, [](void* self) { static_cast<EpollStream*>(self)->send_file(); });
    case Outgoing::Sent::kAll:
      return loop().finish(sending_, outgoing_.total);
    case Outgoing::Sent::kFull:
      writable_ = false;
      return await(sending_);
    case Outgoing::Sent::kFailed:
      return loop().finish(sending_, -errno);
  }
}

void EpollStream::close() {
  if (closed_) return;
  closed_ = true;
  if (registered_) loop().remove(fd());
  socket_.reset();
  if (receiving_.pending()) loop().finish(receiving_, -ECANCELED);
  if (sending_.pending()) loop().finish(sending_, -ECANCELED);
}

}  // namespace freehold::runtime
