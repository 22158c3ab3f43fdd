#include "runtime/stream.h"

#include <sys/sendfile.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "runtime/state.h"

namespace freehold::runtime {
namespace {

// What sendfile may read from the disk before other streams have their turn.
constexpr size_t kFileChunk = size_t{512} << 10;

}  // namespace

bool StreamState::begin(Operation& operation, Completion done) {
  if (operation.pending()) defect("a second receive or send was started on a Stream");
  operation.done = done;
  if (!closed_) return true;
  engine_.finish(operation, -ECANCELED);
  return false;
}

Stream::Stream(Loop& loop, os::Fd socket) : state_(Engine::of(loop).new_stream(std::move(socket))) {}

Stream::~Stream() {
  if (!state_->idle()) defect("a Stream was destroyed with an operation under way");
  state_->close();
  delete state_;
}

void Stream::connect(const sockaddr* address, size_t length, Completion done) {
  if (state_->begin(state_->sending_, done)) state_->connect(address, length);
}

void Stream::receive(std::span<char> buffer, Completion done) {
  if (!state_->begin(state_->receiving_, done)) return;
  // Receiving nothing would look like the end of the stream.
  if (buffer.empty()) return state_->engine().finish(state_->receiving_, -EINVAL);
  state_->receive(buffer.first(std::min<size_t>(buffer.size(), INT_MAX)));
}

void Stream::wait_readable(Completion done) {
  if (state_->begin(state_->receiving_, done)) state_->wait_readable();
}

void Stream::send(std::string_view bytes, Completion done) {
  if (!state_->begin(state_->sending_, done)) return;
  state_->outgoing_.set(bytes);
  state_->start_sending();
}

void Stream::send(std::span<const iovec> pieces, Completion done) {
  if (!state_->begin(state_->sending_, done)) return;
  if (pieces.size() > kMostPieces) return state_->engine().finish(state_->sending_, -EINVAL);
  state_->outgoing_.set(pieces);
  state_->start_sending();
}

void Stream::send_file(int file, uint64_t offset, size_t count, Completion done) {
  if (!state_->begin(state_->sending_, done)) return;
  state_->outgoing_.set_file(file, offset, count);
  state_->start_sending();
}

void StreamState::start_sending() {
  if (outgoing_.left > INT_MAX) return engine_.finish(sending_, -EINVAL);
  if (outgoing_.complete()) return engine_.finish(sending_, 0);
  send();
}

void Stream::shutdown_send() {
  if (!state_->closed()) ::shutdown(state_->fd(), SHUT_WR);
}

void Stream::close() { state_->close(); }
bool Stream::closed() const { return state_->closed(); }
bool Stream::idle() const { return state_->idle(); }
int Stream::fd() const { return state_->fd(); }
Loop& Stream::loop() const { return state_->engine(); }

void Outgoing::set(std::string_view bytes) {
  single = {const_cast<char*>(bytes.data()), bytes.size()};
  set(std::span<const iovec>(&single, 1));
}

void Outgoing::set(std::span<const iovec> several) {
  pieces = several.data();
  count = static_cast<uint32_t>(several.size());
  index = 0;
  offset = 0;
  left = 0;
  total = 0;
  for (const iovec& piece : several) left += piece.iov_len;
}

void Outgoing::set_file(int from, uint64_t at, size_t bytes) {
  pieces = nullptr;
  file = from;
  offset = at;
  left = bytes;
  total = 0;
}

void Outgoing::advance(size_t sent) {
  total += static_cast<int>(sent);
  left -= sent;
  if (pieces == nullptr) {
    offset += sent;
    return;
  }
  while (index < count && sent >= pieces[index].iov_len - offset) {
    sent -= pieces[index].iov_len - offset;
    offset = 0;
    ++index;
  }
  if (index < count) offset += sent;
}

std::span<const char> Outgoing::last_piece() const {
  if (index + 1 != count) return {};
  return {static_cast<const char*>(pieces[index].iov_base) + offset, pieces[index].iov_len - offset};
}

Outgoing::Sent Outgoing::send_file_chunk(int socket) {
  auto at = static_cast<off_t>(offset);
  const ssize_t sent = sendfile(socket, file, &at, std::min(left, kFileChunk));
  if (sent < 0) return errno == EAGAIN ? Sent::kFull : Sent::kFailed;
  if (sent == 0) return Sent::kAll;  // the file ended
  advance(static_cast<size_t>(sent));
  // A short count may be the end of the file as well as a full socket: the next call tells.
  return complete() ? Sent::kAll : Sent::kSome;
}

size_t Outgoing::rest(std::span<iovec, Stream::kMostPieces> target) const {
  size_t filled = 0;
  size_t skip = offset;
  for (uint32_t i = index; i < count; ++i, skip = 0) {
    target[filled++] = {static_cast<char*>(pieces[i].iov_base) + skip, pieces[i].iov_len - skip};
  }
  return filled;
}

}  // namespace freehold::runtime
