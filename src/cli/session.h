// Session: talking to the API of one state directory. Blocks; may be told to heed signals meanwhile.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "api/messages.h"
#include "cli/invocation.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "http/blocking_client.h"
#include "model/layout.h"

namespace freehold::cli {

// What is done while a stream is followed: between its lines, and at least every `rhythm`.
struct Tick {
  Duration rhythm{};
  std::function<void()> call{};
};

class Session {
 public:
  Session(const Invocation& invocation, model::Layout layout) : invocation_(invocation), layout_(std::move(layout)) {}

  // A Problem comes back as the Error that it was at the other side.
  Result<codec::Json> get(const std::string& target);
  Result<codec::Json> post(const std::string& target, const codec::Json& body);
  // PUT of pieces, until an empty one.
  Result<void> upload(const std::string& target, const std::function<Result<std::string>()>& producer);
  // Each line of an ndjson answer; `on_line` says whether to go on. Without a limit in time.
  using OnLine = std::function<bool(const codec::Json& line)>;
  Result<void> follow(const std::string& target, const OnLine& on_line, const Tick& tick = {});
  // Control answers, and with `ready` an agent is connected to it.
  enum class Need { kAlive, kReady };
  bool answers(Need need);

  // From now on SIGINT, SIGTERM and SIGHUP do not end the process, but what this waits for, with kCancelled.
  void heed_signals();
  // Which one came first. It goes on ending every request until it is forgotten.
  std::optional<int> asked_to_end() const { return asked_to_end_; }
  void forget_signal() { asked_to_end_.reset(); }
  // kCancelled if a signal has come. For loops that wait for something else.
  Result<void> attend();
  // Blocks until a signal comes.
  void wait_for_signal();

  const model::Layout& layout() const { return layout_; }
  const Invocation& invocation() const { return invocation_; }

 private:
  Result<http::BlockingClient> client(Duration silence, const Tick& tick = {});
  static Result<codec::Json> unpack(Result<http::ClientResponse> response);

  const Invocation& invocation_;
  model::Layout layout_;
  std::optional<Signals> signals_;
  std::optional<int> asked_to_end_;
};

// An answer of the API as what it is.
template <class T>
Result<T> decode(const Result<codec::Json>& json) {
  return json ? codec::from_json<T>(*json) : Result<T>(json.error());
}

}  // namespace freehold::cli
