#include "cli/output.h"

#include <fmt/core.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "api/messages.h"
#include "base/text.h"
#include "cli/signals.h"

namespace freehold::cli {
namespace {

bool outlives = false;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables): there is one standard output

}  // namespace

void outlive_output() { outlives = true; }

void print(std::string_view text) {
  errno = 0;
  bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (written || outlives) return;
  int reason = errno;
  if (reason == EPIPE) end_by(SIGPIPE);
  talk(fmt::format("freehold: the output cannot be written: {}\n", std::generic_category().message(reason)));
  _exit(kFailed);  // with what is still in the buffer, exit() would try again
}

void talk(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); }

ExitCode exit_code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
      return kBadFile;
    case ErrorCode::kDenied:
    case ErrorCode::kConflict:
      return kRefused;
    case ErrorCode::kUnavailable:
      return kNobodyAnswers;
    default:
      return kFailed;
  }
}

int fail(const Invocation& invocation, const Error& error) {
  if (invocation.output == OutputForm::kHuman) {
    std::string_view message = trim(error.message());
    // What the file's checker writes is laid out already.
    talk(message.find('\n') != std::string_view::npos ? fmt::format("{}\n", message)
                                                      : fmt::format("freehold: {}\n", message));
  } else {
    codec::Json json;
    json.set("error", codec::to_json(api::Problem{std::string(to_string(error.code())), error.message(), {}}));
    print(json.dump() + "\n");
  }
  return exit_code_of(error.code());
}

}  // namespace freehold::cli
