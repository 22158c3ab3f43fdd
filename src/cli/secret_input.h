// Passphrases and keys from a person or a file. They are written nowhere.
#pragma once

#include <string>

#include "cli/invocation.h"
#include "cli/signals.h"
#include "keep/key.h"

namespace freehold::cli {

enum class Asked { kOnce, kTwice };  // twice: what is typed now is needed again one day

// Of --key-file or --passphrase-file, else asked for on the terminal, without echo. kDenied: others can read the file;
// kInvalid: there is no terminal, or the two entries differ; kCancelled: a signal came, which `signals` has.
Result<keep::Key> read_key(const Invocation& invocation, Asked asked, Signals& signals, std::optional<int>& ended_by);

}  // namespace freehold::cli
