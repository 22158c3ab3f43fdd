#include "gateway/channel.h"

#include <sys/socket.h>

namespace freehold::gateway {

void Channel::connect(const sockaddr* address, size_t length, runtime::Completion done) {
  on_output_ = done;
  stream_.connect(address, length, runtime::complete<&Channel::on_output>(this));
}

void Channel::wait_readable(runtime::Completion done) {
  on_input_ = done;
  if (waiting_) return;
  waiting_ = true;
  stream_.wait_readable(runtime::complete<&Channel::on_readable>(this));
}

void Channel::receive(BufferRef buffer, std::span<char> space, runtime::Completion done) {
  on_input_ = done;
  input_ = std::move(buffer);
  receiving_ = true;
  stream_.receive(space, runtime::complete<&Channel::on_received>(this));
}

void Channel::send(BufferRef buffer, std::string_view bytes, runtime::Completion done) {
  on_output_ = done;
  output_ = std::move(buffer);
  stream_.send(bytes, runtime::complete<&Channel::on_output>(this));
}

void Channel::send_file(int file, uint64_t offset, size_t count, runtime::Completion done) {
  on_output_ = done;
  stream_.send_file(file, offset, count, runtime::complete<&Channel::on_output>(this));
}

void Channel::on_readable(int result) {
  waiting_ = false;
  if (released_) return free_if_idle();
  if (on_input_.function != nullptr) std::exchange(on_input_, {})(result);
}

void Channel::on_received(int result) {
  receiving_ = false;
  input_.reset();
  if (released_) return free_if_idle();
  if (on_input_.function != nullptr) std::exchange(on_input_, {})(result);
}

void Channel::on_output(int result) {
  output_.reset();
  if (released_) return free_if_idle();
  if (on_output_.function != nullptr) std::exchange(on_output_, {})(result);
}

void Channel::release(os::Fd file) {
  file_ = std::move(file);
  released_ = true;
  stream_.close();
  free_if_idle();
}

void Channel::abort(os::Fd file) {
  // Without lingering, close() discards what was not yet sent and resets.
  const linger none{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(stream_.fd(), SOL_SOCKET, SO_LINGER, &none, sizeof(none));
  release(std::move(file));
}

void Channel::free_if_idle() {
  if (stream_.idle()) delete this;
}

}  // namespace freehold::gateway
