#include <liburing.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "runtime/uring_loop.h"

namespace freehold::runtime {

struct UringStream::Parameters {
  sockaddr_storage address;
  msghdr message;
  std::array<iovec, Stream::kMostPieces> pieces;
};

UringStream::UringStream(UringLoop& loop, os::Fd socket)
    : StreamState(loop, std::move(socket)),
      inward_(*this, &UringStream::on_received),
      outward_(*this, &UringStream::on_sent) {}

UringStream::~UringStream() = default;

UringStream::Parameters& UringStream::parameters() {
  if (!parameters_) parameters_ = std::make_unique<Parameters>();
  return *parameters_;
}

void UringStream::answered(int result, void (UringStream::*handler)(int)) {
  (this->*handler)(closed_ ? -ECANCELED : result);
  if (closed_) close_if_answered();
}

void UringStream::submit_poll(Way& way, unsigned events) {
  loop().submit(way, [&](io_uring_sqe* entry) { io_uring_prep_poll_add(entry, fd(), events); });
}

void UringStream::connect(const sockaddr* address, size_t length) {
  connecting_ = true;
  sockaddr_storage& copy = parameters().address;
  if (length > sizeof copy) return loop().finish(sending_, -EINVAL);
  std::memcpy(&copy, address, length);
  loop().submit(outward_, [&](io_uring_sqe* entry) {
    io_uring_prep_connect(entry, fd(), reinterpret_cast<const sockaddr*>(&copy), static_cast<socklen_t>(length));
  });
}

void UringStream::receive(std::span<char> buffer) {
  buffer_ = buffer;
  submit_receive();
}

void UringStream::submit_receive() {
  loop().submit(inward_,
                [&](io_uring_sqe* entry) { io_uring_prep_recv(entry, fd(), buffer_.data(), buffer_.size(), 0); });
}

void UringStream::wait_readable() {
  buffer_ = {};
  submit_poll(inward_, POLLIN | POLLRDHUP);
}

void UringStream::on_received(int result) {
  const bool polled = std::exchange(polling_in_, false);
  if (buffer_.empty()) return loop().finish(receiving_, std::min(result, 0));
  if (polled && result >= 0) return submit_receive();
  if (result == -EAGAIN) {
    // Some kernels do not wait on a non-blocking socket by themselves.
    polling_in_ = true;
    return submit_poll(inward_, POLLIN | POLLRDHUP);
  }
  loop().finish(receiving_, result);
}

void UringStream::send() {
  if (outgoing_.pieces == nullptr) return send_file();
  submit_send();
}

void UringStream::submit_send() {
  // With MSG_WAITALL the kernel itself goes on after sending a part.
  constexpr int kFlags = MSG_NOSIGNAL | MSG_WAITALL;
  const auto last = outgoing_.last_piece();
  if (!last.empty()) {
    return loop().submit(
        outward_, [&](io_uring_sqe* entry) { io_uring_prep_send(entry, fd(), last.data(), last.size(), kFlags); });
  }
  Parameters& given = parameters();
  given.message = {};
  given.message.msg_iov = given.pieces.data();
  given.message.msg_iovlen = outgoing_.rest(given.pieces);
  loop().submit(outward_, [&](io_uring_sqe* entry) { io_uring_prep_sendmsg(entry, fd(), &given.message, kFlags); });
}

void UringStream::on_sent(int result) {
  if (std::exchange(connecting_, false)) return loop().finish(sending_, result);
  const bool polled = std::exchange(polling_out_, false);
  if (polled && result >= 0) return send();
  if (result == -EAGAIN) {
    polling_out_ = true;
    return submit_poll(outward_, POLLOUT);
  }
  if (result < 0) return loop().finish(sending_, result);
  outgoing_.advance(static_cast<size_t>(result));
  if (outgoing_.complete()) return loop().finish(sending_, outgoing_.total);
  submit_send();
}

// The file's pages go to the socket by sendfile(2), for which io_uring has no like: it is tried when there is room.
void UringStream::send_file() {
  switch (outgoing_.send_file_chunk(fd())) {
    case Outgoing::Sent::kSome:
      return loop().go_on(sending_, this, [](void* self) { static_cast<UringStream*>(self)->send_file(); });
    case Outgoing::Sent::kAll:
      return loop().finish(sending_, outgoing_.total);
    case Outgoing::Sent::kFull:
      polling_out_ = true;
      return submit_poll(outward_, POLLOUT);
    case Outgoing::Sent::kFailed:
      return loop().finish(sending_, -errno);
  }
}

void UringStream::close() {
  if (closed_) return;
  closed_ = true;
  if (inward_.in_flight_) {
    loop().cancel(inward_);
  } else if (receiving_.pending()) {
    loop().finish(receiving_, -ECANCELED);
  }
  if (outward_.in_flight_) {
    loop().cancel(outward_);
  } else if (sending_.pending()) {
    loop().finish(sending_, -ECANCELED);
  }
  close_if_answered();
}

// Not before: a submission that the kernel has not seen yet would act on whatever got the descriptor's number next.
void UringStream::close_if_answered() {
  if (!inward_.in_flight_ && !outward_.in_flight_) socket_.reset();
}

}  // namespace freehold::runtime
