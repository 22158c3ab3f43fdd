#include "http/blocking_client.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "http/chunked.h"
#include "net/connect.h"
#include "os/clock.h"

namespace freehold::http {
namespace {

constexpr size_t kPieceBytes = size_t{256} << 10;

// One request on one connected socket.
class Call {
 public:
  Call(const os::Fd& socket, const std::string& name, Duration silence, const Interlude& interlude)
      : socket_(socket), name_(name), silence_(silence), interlude_(interlude) {}

  // False: the server has answered, or gone, before all was sent; there is no point in sending more.
  Result<bool> send(std::string_view bytes) {
    while (!bytes.empty()) {
      FH_ASSIGN(short ready, wait(POLLIN | POLLOUT));
      if ((ready & (POLLIN | POLLHUP | POLLERR)) != 0) return false;
      ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) return false;
      if (sent < 0 && errno != EAGAIN && errno != EINTR) return errno_error("cannot send to " + name_, errno);
      if (sent > 0) bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  Result<bool> send_body(const ClientRequest& request, const BodySource& source) {
    if (source.producer) return send_chunks(source);
    if (source.file >= 0) return send_file(source);
    return send(request.body);
  }

  Result<ClientResponse> receive(ResponseReader& reader) {
    for (;;) {
      FH_ASSIGN([[maybe_unused]] short ready, wait(POLLIN));
      std::span<char> room = reader.room();
      ssize_t got = recv(socket_.get(), room.data(), room.size(), 0);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return errno_error("lost the connection to " + name_, errno);
      FH_ASSIGN(bool whole, reader.received(static_cast<size_t>(got)));
      if (whole) return reader.take();
    }
  }

 private:
  Result<short> wait(short events) {
    const MonotonicTime until = os::system_clock().monotonic() + silence_;
    for (;;) {
      if (interlude_.call) FH_TRY(interlude_.call());
      pollfd waiting[] = {{socket_.get(), events, 0}, {interlude_.descriptor, POLLIN, 0}};
      if (poll(waiting, std::size(waiting), time_left(until)) < 0 && errno != EINTR)
        return errno_error("cannot wait for " + name_, errno);
      if (waiting[0].revents != 0) return waiting[0].revents;
      if (silence_ != Duration::zero() && os::system_clock().monotonic() >= until) {
        return Error(ErrorCode::kTimeout, fmt::format("{} has been silent for {}", name_, format(silence_)));
      }
    }
  }

  // For poll: until the silence is too long or the interlude is due.
  int time_left(MonotonicTime until) const {
    Duration left = Duration::max();
    if (silence_ != Duration::zero()) left = std::max(until - os::system_clock().monotonic(), Duration::zero());
    if (interlude_.rhythm != Duration::zero()) left = std::min(left, interlude_.rhythm);
    if (left == Duration::max()) return -1;
    return static_cast<int>(std::min<int64_t>(std::chrono::ceil<std::chrono::milliseconds>(left).count(), 1 << 30));
  }

  Result<bool> send_chunks(const BodySource& source) {
    for (;;) {
      FH_ASSIGN(std::string piece, source.producer());
      if (piece.empty()) return send(kLastChunk);
      FH_ASSIGN(bool go_on, send(std::string(ChunkHeader(piece.size()).text()) + piece + std::string(kChunkEnd)));
      if (!go_on) return false;
    }
  }

  Result<bool> send_file(const BodySource& source) {
    std::string piece;
    for (uint64_t left = source.length; left > 0;) {
      piece.resize(static_cast<size_t>(std::min<uint64_t>(left, kPieceBytes)));
      ssize_t got = read(source.file, piece.data(), piece.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return errno_error("cannot read what is to be sent", errno);
      if (got == 0) return Error(ErrorCode::kConflict, "what is to be sent became shorter while it was read");
      left -= static_cast<uint64_t>(got);
      FH_ASSIGN(bool go_on, send(std::string_view(piece).substr(0, static_cast<size_t>(got))));
      if (!go_on) return false;
    }
    return true;
  }

  const os::Fd& socket_;
  const std::string& name_;
  Duration silence_;
  const Interlude& interlude_;
};

RequestBody framing_of(const ClientRequest& request, const BodySource& source) {
  if (source.producer) return {RequestBody::Kind::kChunked, 0};
  if (source.file >= 0) return {RequestBody::Kind::kLength, source.length};
  // Servers may insist on a length where a body is usual.
  const Method method = method_id(request.method);
  const bool usual = method == Method::kPost || method == Method::kPut || method == Method::kPatch;
  if (request.body.empty() && !usual) return {};
  return {RequestBody::Kind::kLength, request.body.size()};
}

}  // namespace

Result<ClientResponse> BlockingClient::call(const ClientRequest& request, const BodySource& source,
                                            ResponseReader::OnData on_data) {
  const std::string name = server_.is_unix() ? server_.path() : server_.to_string();
  FH_ASSIGN(std::string head, request_head(request, framing_of(request, source)));
  auto socket = net::connect_blocking(server_, limits_.connect_time);
  if (!socket) {
    const ErrorCode code = socket.error().code();
    if (code != ErrorCode::kNotFound && code != ErrorCode::kUnavailable) return socket.error();
    return Error(ErrorCode::kUnavailable, fmt::format("nothing answers at {}: {}", name, socket.error().message()));
  }
  ResponseReader reader(method_id(request.method), limits_.most_body, ResponseReader::Excess::kFails);
  if (on_data) reader.stream_to(std::move(on_data));
  Call call(*socket, name, limits_.silence, interlude_);
  FH_ASSIGN(bool go_on, call.send(head));
  if (go_on) {
    FH_ASSIGN(go_on, call.send_body(request, source));
  }
  auto answer = call.receive(reader);
  if (!answer) return answer.error().with_context(fmt::format("{} {} at {}", request.method, request.target, name));
  return answer;
}

}  // namespace freehold::http
