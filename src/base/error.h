// An error that tells its receiver what to do, and its reader what happened.
//
// The code is a closed set named after what the caller should do next; the message is a whole sentence for a
// person: what failed, on which object, why, what to do. Secrets never go into a message.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace freehold {

enum class ErrorCode {
  kInvalid,      // the input is wrong: fix it, do not retry
  kNotFound,     // the named thing does not exist
  kConflict,     // somebody else changed it first: read again, decide again
  kDenied,       // not allowed to do that
  kUnavailable,  // the other side does not answer now: retry with back-off
  kTimeout,      // took longer than its limit: may have happened or not
  kExhausted,    // a limit (size, count, disk, ports) is reached
  kCorrupt,      // stored bytes are not what was written
  kUnsupported,  // this build, kernel or state version cannot do it
  kCancelled,    // the caller asked to stop
  kInternal,     // a defect in Freehold
};

// As they appear in JSON and logs.
inline std::span<const std::string_view> enum_names(ErrorCode) {
  static constexpr std::array<std::string_view, 11> kNames = {"invalid",     "not_found", "conflict",  "denied",
                                                              "unavailable", "timeout",   "exhausted", "corrupt",
                                                              "unsupported", "cancelled", "internal"};
  return kNames;
}
std::string_view to_string(ErrorCode code);

class [[nodiscard]] Error {
 public:
  Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}

  ErrorCode code() const { return code_; }
  const std::string& message() const { return message_; }

  // The same error seen from one level up: "context: message".
  Error with_context(std::string_view context) const;

 private:
  ErrorCode code_;
  std::string message_;
};

// The current errno (or `number`) as an Error: "what: No such file or directory". ENOENT is kNotFound, EACCES and EPERM
// kDenied, EAGAIN, ECONNREFUSED and the like kUnavailable, ENOSPC, EMFILE and the like kExhausted, the rest kInternal.
Error errno_error(std::string_view what, int number);

}  // namespace freehold
