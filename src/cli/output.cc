#include "cli/output.h"

#include <fmt/core.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "base/text.h"
#include "cli/project.h"
#include "cli/signals.h"

namespace freehold::cli {
namespace {

bool outlives = false;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables): there is one standard output

// One line on standard error.
void talk_problem(std::string_view code, const std::string& message, codec::Json details) {
  codec::Json error = codec::Json::object();
  error.set("code", std::string(code)).set("message", message);
  for (const codec::Json& detail : details.items()) {
    if (detail["line"].as_integer() == 0) continue;
    codec::Json position;
    position.set("file", detail["file"]).set("line", detail["line"]).set("column", detail["column"]);
    error.set("position", std::move(position));
    break;
  }
  error.set("details", std::move(details));
  talk(codec::Json().set("error", std::move(error)).dump() + "\n");
}

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

int print_list(const Invocation& invocation, const codec::Json& list) {
  if (invocation.output == OutputForm::kNdjson) {
    for (const codec::Json& item : list.items()) print(item.dump() + "\n");
  } else {
    print(list.dump() + "\n");
  }
  return kDone;
}

int fail(const Invocation& invocation, const Error& error) {
  if (invocation.output == OutputForm::kHuman) {
    std::string_view message = trim(error.message());
    // What the file's checker writes is laid out already.
    talk(message.find('\n') != std::string_view::npos ? fmt::format("{}\n", message)
                                                      : fmt::format("freehold: {}\n", message));
  } else {
    talk_problem(to_string(error.code()), error.message(), codec::Json::array());
  }
  return exit_code_of(error.code());
}

int fail_usage(const Invocation& invocation, const std::string& message, const std::string& hint) {
  if (invocation.output == OutputForm::kHuman) {
    talk(fmt::format("freehold: {}\n{}{}", message, hint, hint.empty() ? "" : "\n"));
    return kUsage;
  }
  codec::Json details = codec::Json::array();
  for (std::string_view line : split(hint, '\n')) {
    if (!line.empty()) details.push(codec::Json().set("message", std::string(line)));
  }
  talk_problem("usage", message, std::move(details));
  return kUsage;
}

int fail(const Invocation& invocation, const LoadedProject& loaded) {
  show_findings(invocation, loaded);
  if (invocation.output == OutputForm::kHuman) return kBadFile;
  codec::Json details = codec::Json::array();
  std::string first;
  const codec::Json findings = loaded.diagnostics.to_json();
  for (const codec::Json& finding : findings.items()) {
    if (finding["severity"].as_string() != "error") continue;
    details.push(finding);
    if (first.empty()) first = finding["message"].as_string();
  }
  for (const Error& problem : loaded.problems) {
    details.push(codec::Json().set("message", problem.message()));
    if (first.empty()) first = problem.message();
  }
  size_t more = details.items().size() - 1;
  talk_problem(to_string(ErrorCode::kInvalid), more == 0 ? first : fmt::format("{}, and {} more", first, more),
               std::move(details));
  return kBadFile;
}

void show_findings(const Invocation& invocation, const LoadedProject& loaded) {
  if (invocation.output == OutputForm::kHuman) {
    bool color = invocation.color && isatty(STDERR_FILENO) == 1;
    if (!loaded.diagnostics.empty())
      talk(loaded.diagnostics.format(color ? model::Colour::kAlways : model::Colour::kNever));
    for (const Error& problem : loaded.problems) talk(fmt::format("freehold: {}\n", problem.message()));
    return;
  }
  const codec::Json findings = loaded.diagnostics.to_json();
  for (const codec::Json& finding : findings.items()) {
    if (finding["severity"].as_string() == "warning") talk(codec::Json().set("warning", finding).dump() + "\n");
  }
}

}  // namespace freehold::cli
