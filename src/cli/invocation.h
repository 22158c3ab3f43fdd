// One call of the command line, parsed: which verb, with what. The verbs themselves are in verbs.h.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace freehold::cli {

enum class OutputForm { kHuman, kJson, kNdjson };

// Documented in docs/user/exit-codes.md; a script may rely on them.
enum ExitCode : int {
  kDone = 0,
  kFailed = 1,
  kChanges = 2,        // plan --detailed-exitcode, fmt --diff: there is something to do
  kBadFile = 3,        // the file, or what it points at, is wrong
  kRefused = 4,        // not permitted, or somebody else changed it first
  kNobodyAnswers = 5,  // no daemon at that state directory
  kRolledBack = 6,     // the deploy failed and was undone
  kUsage = 64,
};

struct Invocation {
  std::string verb;
  std::string config;  // empty: ./freehold.yaml
  std::string state;   // empty: found from the file's name, see state_directory.h
  OutputForm output = OutputForm::kHuman;
  bool output_asked = false;  // by the command line itself, not by FREEHOLD_OUTPUT
  bool color = false;

  // Of single verbs; each is set only by those that have it.
  std::string file;                    // validate, plan, up, init, fmt: the file as an argument
  std::vector<std::string> arguments;  // what remains
  bool detailed_exit_code = false;     // plan
  bool foreground = false;             // up
  bool follow = false;                 // logs, events
  bool access = false;                 // logs: of the gateway
  bool watch = false;                  // status
  bool off = false;                    // drain
  bool diff = false;                   // fmt
  bool api = false;                    // schema
  bool force = false;                  // lock release, backup
  bool start = false;                  // restore
  std::string passphrase_file;         // backup, verify, restore
  std::string key_file;                // the same
  std::string message;                 // up: why, for the history
  std::string since;                   // logs
  std::optional<uint64_t> after;       // events: resume after this id
  std::optional<int> lines;            // logs, events: the last so many
  std::optional<uint64_t> generation;  // export
  bool secrets = false;                // export: their values too
};

// Reads the words of the command line and the environment (FREEHOLD_CONFIG, FREEHOLD_STATE, FREEHOLD_OUTPUT, NO_COLOR).
// Returns an exit code instead when there is nothing more to do: --help and --version print to stdout, wrong usage to
// stderr with what would be right.
struct Parsed {
  std::optional<int> exit_code;
  Invocation invocation;
};
Parsed parse_command_line(int count, char** words);

}  // namespace freehold::cli
