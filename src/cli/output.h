// How verbs speak: data goes to standard output, talk to standard error.
#pragma once

#include <string_view>

#include "base/error.h"
#include "cli/invocation.h"

namespace freehold::cli {

// Output that nobody can take ends the process: a closed pipe as SIGPIPE does, silently; anything else, such as a full
// disk, with kFailed and the reason.
void print(std::string_view text);
void talk(std::string_view text);
// From now on lost output ends nothing: what was begun matters more than who reads about it.
void outlive_output();

// "freehold: MESSAGE" on standard error (JSON on standard output with -o json), and the exit code that fits.
int fail(const Invocation& invocation, const Error& error);
ExitCode exit_code_of(ErrorCode code);

}  // namespace freehold::cli
