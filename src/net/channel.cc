#include "net/channel.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace freehold::net {
namespace {

constexpr size_t kReceiveSize = size_t{64} << 10;
constexpr size_t kMostDescriptors = MessageChannel::kMostDescriptors;

// The buffer of recvmsg and sendmsg for descriptors, aligned as the kernel wants it.
struct Control {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kMostDescriptors)> bytes;
};

void write_control(const std::vector<os::Fd>& fds, msghdr& message, Control& control) {
  if (fds.empty()) return;
  control = {};
  message.msg_control = control.bytes.data();
  message.msg_controllen = CMSG_SPACE(sizeof(int) * fds.size());
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int) * fds.size());
  std::array<int, kMostDescriptors> numbers{};
  for (size_t i = 0; i < fds.size(); ++i) numbers[i] = fds[i].get();
  std::memcpy(CMSG_DATA(header), numbers.data(), sizeof(int) * fds.size());
}

void read_control(msghdr& message, std::vector<os::Fd>& fds) {
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(header) + i * sizeof(int), sizeof number);
      fds.emplace_back(number);
    }
  }
}

Error broken(const char* why) { return Error(ErrorCode::kCorrupt, why); }

}  // namespace

MessageChannel::MessageChannel(runtime::Loop& loop, os::Fd socket, Handlers handlers, Limits limits)
    : loop_(loop),
      socket_(std::move(socket)),
      handlers_(std::make_shared<Handlers>(std::move(handlers))),
      limits_(limits),
      decoder_(limits.frame),
      failed_(loop, runtime::complete<&MessageChannel::on_failed>(this)) {
  limits_.frame.descriptors = std::min<uint16_t>(limits_.frame.descriptors, kMostDescriptors);
  fcntl(socket_.get(), F_SETFL, fcntl(socket_.get(), F_GETFL) | O_NONBLOCK);
  watcher_ =
      std::make_unique<runtime::Watcher>(loop_, socket_.get(), runtime::complete<&MessageChannel::on_ready>(this));
}

MessageChannel::~MessageChannel() {
  if (destroyed_ != nullptr) *destroyed_ = true;
}

void MessageChannel::close() {
  watcher_.reset();
  failed_.cancel();
  socket_.reset();
  queue_.clear();
  received_fds_.clear();
  unsent_ = 0;
}

// Takes a copy: close() and the handler may destroy what the error lies in.
void MessageChannel::fail(Error error) {  // NOLINT(performance-unnecessary-value-param)
  const auto handlers = handlers_;
  close();
  if (handlers->closed) handlers->closed(error);
}

void MessageChannel::on_failed(int) { fail(failure_); }

Result<void> MessageChannel::send(std::string bytes, std::vector<os::Fd> fds) {
  if (closed()) return Error(ErrorCode::kUnavailable, "the connection is closed");
  if (bytes.size() > limits_.frame.message.count || fds.size() > limits_.frame.descriptors) {
    return Error(ErrorCode::kInvalid,
                 fmt::format("a message of {} bytes and {} descriptors is too large, {} and {} are allowed",
                             bytes.size(), fds.size(), limits_.frame.message.count, limits_.frame.descriptors));
  }
  const uint64_t size = kFrameHeaderSize + bytes.size();
  if (unsent_ + size > limits_.unsent.count) {
    return Error(ErrorCode::kExhausted,
                 fmt::format("the other side does not read: {} bytes wait to be sent to it", unsent_));
  }
  const bool first = queue_.empty();
  const FrameHeader header =
      encode_frame_header(static_cast<uint32_t>(bytes.size()), static_cast<uint16_t>(fds.size()));
  queue_.push_back({header, std::move(bytes), std::move(fds)});
  unsent_ += size;
  if (!first) return {};  // the watcher is waiting for room already
  const int number = flush();
  if (number != 0) {
    // The owner hears of it from the loop, like of every other end, and never from inside its own call.
    failure_ = errno_error("cannot send to the other side", number);
    if (number == EPIPE || number == ECONNRESET) failure_ = Error(ErrorCode::kUnavailable, "the other side is gone");
    failed_.start(Duration::zero());
    return failure_;
  }
  if (!queue_.empty()) watcher_->set_interest(runtime::Interest::kBoth);
  return {};
}

int MessageChannel::flush() {
  while (!queue_.empty()) {
    Outgoing& next = queue_.front();
    std::array<iovec, 2> pieces{};
    size_t count = 0;
    if (next.sent < kFrameHeaderSize) {
      pieces[count++] = {next.header.data() + next.sent, kFrameHeaderSize - next.sent};
    }
    const size_t body = next.sent < kFrameHeaderSize ? 0 : next.sent - kFrameHeaderSize;
    pieces[count++] = {next.bytes.data() + body, next.bytes.size() - body};
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = count;
    Control control;
    write_control(next.fds, message, control);
    const ssize_t sent = sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EINTR ? 0 : errno;
    // The descriptors went with the first byte.
    next.fds.clear();
    next.sent += static_cast<size_t>(sent);
    unsent_ -= static_cast<size_t>(sent);
    if (next.sent < kFrameHeaderSize + next.bytes.size()) continue;
    queue_.pop_front();
  }
  return 0;
}

void MessageChannel::on_ready(int result) {
  if (result < 0) return fail(errno_error("cannot watch the connection", -result));
  if (!receive() || queue_.empty()) return;
  if (const int number = flush(); number != 0) return fail(errno_error("cannot send to the other side", number));
  if (queue_.empty()) watcher_->set_interest(runtime::Interest::kRead);
}

bool MessageChannel::receive() {
  // One call per turn: the watcher tells again if there is more, and others have their turn in between.
  std::array<char, kReceiveSize> buffer;
  iovec piece{buffer.data(), buffer.size()};
  Control control;
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes.data();
  message.msg_controllen = control.bytes.size();
  const ssize_t got = recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC);
  if (got < 0) {
    if (errno == EAGAIN || errno == EINTR) return true;
    fail(Error(ErrorCode::kUnavailable, errno_error("the connection broke", errno).message()));
    return false;
  }
  read_control(message, received_fds_);
  if ((message.msg_flags & MSG_CTRUNC) != 0) {
    fail(Error(ErrorCode::kExhausted, "descriptors that the other side passed could not be taken: too many are open"));
    return false;
  }
  if (got == 0) {
    const bool clean = decoder_.at_boundary();
    fail(clean ? Error(ErrorCode::kUnavailable, "the other side ended the connection")
               : Error(ErrorCode::kUnavailable, "the other side ended the connection within a message"));
    return false;
  }
  return take({buffer.data(), static_cast<size_t>(got)});
}

bool MessageChannel::take(std::string_view input) {
  const auto handlers = handlers_;
  bool destroyed = false;
  destroyed_ = &destroyed;
  for (;;) {
    auto frame = decoder_.decode(input);
    if (!frame) {
      destroyed_ = nullptr;
      fail(frame.error());
      return false;
    }
    if (!*frame) break;
    if ((*frame)->descriptors > received_fds_.size()) {
      destroyed_ = nullptr;
      fail(broken("a message came without the descriptors that it announced"));
      return false;
    }
    Message message{std::move((*frame)->bytes), {}};
    const auto last = received_fds_.begin() + (*frame)->descriptors;
    message.fds.assign(std::make_move_iterator(received_fds_.begin()), std::make_move_iterator(last));
    received_fds_.erase(received_fds_.begin(), last);
    if (handlers->received) handlers->received(std::move(message));
    if (destroyed) return false;
    if (closed()) break;
  }
  destroyed_ = nullptr;
  if (closed()) return false;
  if (received_fds_.size() > (decoder_.at_boundary() ? 0 : limits_.frame.descriptors)) {
    fail(broken("more descriptors came than were announced"));
    return false;
  }
  return true;
}

}  // namespace freehold::net
