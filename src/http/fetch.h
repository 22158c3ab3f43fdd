// Fetch: one request on a Loop, for health probes and the like: connect, ask, read, within one deadline.
//
//   fetch_ = std::make_unique<Fetch>(loop, FetchOptions{.address = ..., .request = {.target = "/health"}},
//                                    [this](Result<ClientResponse> answer) { ... });
//
// Errors: kUnavailable if nobody listens or the connection ends without an answer, kTimeout after the deadline,
// kCorrupt for what is no HTTP. Any status is an answer. A body beyond `most_body` is dropped: the answer then holds
// its beginning. `done` is called once, from the loop, never from inside the constructor; it may destroy the Fetch.
// Destroying it earlier cancels: `done` is not called. Threads: the loop's. Memory: 36 KiB while it runs.
#pragma once

#include <functional>
#include <memory>

#include "base/result.h"
#include "base/units.h"
#include "http/client_message.h"
#include "net/address.h"
#include "runtime/loop.h"

namespace freehold::http {

struct FetchOptions {
  net::SocketAddress address{};
  ClientRequest request{};
  Duration deadline = std::chrono::seconds(5);
  size_t most_body = size_t{64} << 10;
};

class Fetch {
 public:
  using Done = std::function<void(Result<ClientResponse>)>;
  Fetch(runtime::Loop& loop, FetchOptions options, Done done);
  Fetch(const Fetch&) = delete;
  Fetch& operator=(const Fetch&) = delete;
  ~Fetch();

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace freehold::http
