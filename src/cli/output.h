// How verbs speak: data goes to standard output, talk to standard error.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "cli/invocation.h"
#include "codec/json.h"

namespace freehold::cli {

// Output that nobody can take ends the process: a closed pipe as SIGPIPE does, silently; anything else, such as a full
// disk, with kFailed and the reason.
void print(std::string_view text);
void talk(std::string_view text);
// From now on lost output ends nothing: what was begun matters more than who reads about it.
void outlive_output();

// A list as data: with -o json one array, with -o ndjson a line for each.
int print_list(const Invocation& invocation, const codec::Json& list);

// What went wrong, on standard error, and the exit code that fits. For people "freehold: MESSAGE"; with -o json or
// ndjson one line, {"error": {"code", "message", "details": [{"message", ...}], "position": {"file", "line",
// "column"}}}: `details` are all that is wrong, each with its place if it has one, `position` that of the first.
int fail(const Invocation& invocation, const Error& error);
// `code` is "usage", and `hint` lines that say what would be right.
int fail_usage(const Invocation& invocation, const std::string& message, const std::string& hint = "");
ExitCode exit_code_of(ErrorCode code);

}  // namespace freehold::cli
