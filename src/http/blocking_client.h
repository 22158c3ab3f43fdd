// BlockingClient: HTTP/1.1 over a unix socket or TCP for the command line, which has nothing else to do meanwhile.
//
//   BlockingClient client(*net::SocketAddress::unix_path(state + "/api.sock"), {});
//   FH_ASSIGN(ClientResponse answer, client.call({.method = "POST", .target = "/v1/plan", .body = text}));
//
// A connection per request. An answer that comes before the whole body was sent ends the sending and counts.
// Errors: kUnavailable "nothing answers at ..." if nobody is there, kTimeout, kCorrupt for what is no HTTP, kExhausted
// for an answer longer than `most_body`. Any status is an answer, not an error. Threads: any, one call at a time.
// Blocks; a signal that does not end the program does not disturb it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "base/units.h"
#include "http/client_message.h"
#include "http/response_reader.h"
#include "net/address.h"
#include "os/fd.h"

namespace freehold::http {

struct ClientLimits {
  Duration connect_time = std::chrono::seconds(5);
  // Without a byte in either direction; zero: for ever (following a stream).
  Duration silence = std::chrono::seconds(60);
  size_t most_body = size_t{64} << 20;  // of an answer that is collected
};

// What a caller looks after while a request is under way: `call` runs before every wait, as soon as `descriptor` can be
// read, and at least every `rhythm`. An error of it ends the request, and is its outcome.
struct Interlude {
  int descriptor = -1;
  Duration rhythm{};  // zero: only what arrives wakes it
  std::function<Result<void>()> call{};
};

// Where a body comes from, if not from ClientRequest::body: `length` bytes read from a descriptor, or pieces until an
// empty one (sent chunked).
struct BodySource {
  int file = -1;
  uint64_t length = 0;
  std::function<Result<std::string>()> producer{};
};

class BlockingClient {
 public:
  BlockingClient(net::SocketAddress server, const ClientLimits& limits) : server_(std::move(server)), limits_(limits) {}
  void attend(Interlude interlude) { interlude_ = std::move(interlude); }

  Result<ClientResponse> call(const ClientRequest& request) { return call(request, {}, {}); }
  Result<ClientResponse> upload(const ClientRequest& request, const BodySource& source) {
    return call(request, source, {});
  }
  // The body of a 2xx answer goes to `on_data` as it arrives, without limit; that of others is collected.
  Result<ClientResponse> stream(const ClientRequest& request, ResponseReader::OnData on_data) {
    return call(request, {}, std::move(on_data));
  }

 private:
  Result<ClientResponse> call(const ClientRequest& request, const BodySource& source, ResponseReader::OnData on_data);

  net::SocketAddress server_;
  ClientLimits limits_;
  Interlude interlude_;
};

}  // namespace freehold::http
