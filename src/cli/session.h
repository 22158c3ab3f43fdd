// Session: talking to the API of one state directory, and turning its answers into exit codes and words.
#pragma once

#include <functional>
#include <string>

#include "api/messages.h"
#include "cli/invocation.h"
#include "http/blocking_client.h"
#include "model/layout.h"

namespace freehold::cli {

// The exit code that fits an error.
ExitCode exit_code_of(ErrorCode code);

class Session {
 public:
  Session(const Invocation& invocation, model::Layout layout) : invocation_(invocation), layout_(std::move(layout)) {}

  // A Problem comes back as the Error that it was at the other side.
  Result<codec::Json> get(const std::string& target);
  Result<codec::Json> post(const std::string& target, const codec::Json& body);
  // PUT of pieces, until an empty one.
  Result<void> upload(const std::string& target, const std::function<Result<std::string>()>& producer);
  // Each line of an ndjson answer; `on_line` says whether to go on. Without a limit in time.
  Result<void> follow(const std::string& target, const std::function<bool(const codec::Json& line)>& on_line);
  // Control answers, and with `ready` an agent is connected to it.
  enum class Need { kAlive, kReady };
  bool answers(Need need);

  const model::Layout& layout() const { return layout_; }
  const Invocation& invocation() const { return invocation_; }

 private:
  Result<http::BlockingClient> client(Duration silence) const;
  static Result<codec::Json> unpack(Result<http::ClientResponse> response);

  const Invocation& invocation_;
  model::Layout layout_;
};

// ---- how verbs speak
// Data goes to standard output, talk to standard error.
void print(std::string_view text);
void talk(std::string_view text);
// "freehold: MESSAGE" on standard error (JSON with -o json), and the exit code that fits.
int fail(const Invocation& invocation, const Error& error);

}  // namespace freehold::cli
