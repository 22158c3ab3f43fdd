// freehold.yaml, from text to a validated Organisation, or everything that is wrong with it at once.
//
//   FileInput input{.path = "freehold.yaml", .load = read_from_disk, .environment = getenv_of_caller};
//   ParsedFile file = parse_file(input);
//   if (!file.organisation) { print(file.diagnostics.format(Colour::kNever)); return 1; }
//
// The CLI parses with the disk behind `load`; control parses the same texts again from `sources` and `environment`, and
// gets the same Organisation. No I/O but through the callbacks, no clock, no globals; any thread.
//
// Limits: 4 MiB a file, 16 MiB and 256 files in all, includes 8 deep; more in codec/yaml.h. Errors carry places, never
// the value of a secret or of an environment variable.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/diagnostics.h"
#include "model/organisation.h"

namespace freehold::model {

struct SourceFile {
  std::string path;  // relative to the folder of the root file: "freehold.yaml", "services/web.yaml"
  std::string text;
};

struct FileInput {
  std::string path;  // of the root file, as its user names it
  // Reads the root file or an included one; is given the folder of `path` followed by the relative path.
  std::function<Result<std::string>(const std::string& path)> load;
  // For ${env.NAME}; empty: nothing is set.
  std::function<std::optional<std::string>(const std::string& name)> environment;
  // Whether a well-formed time zone exists; empty: all do.
  std::function<bool(const std::string& name)> timezone_exists;
  // Reads the secrets' store; empty: it is not read. Its path is relative like that of `load`, or absolute.
  std::function<Result<std::string>(const std::string& path)> load_secrets;
  // The names in a store that was read before; names used are checked against these if load_secrets is empty.
  std::optional<std::set<std::string>> secret_names;
};

struct ParsedFile {
  std::optional<Organisation> organisation;        // none if there is an error
  std::vector<SourceFile> sources;                 // the root first; never the secrets' store
  std::map<std::string, std::string> environment;  // each ${env.NAME} used, and its value then
  std::set<std::string> secrets_used;              // by any service, as a file or in its environment
  std::map<std::string, std::string> secrets;      // name -> value, if load_secrets was given. Never to be shown.
  Diagnostics diagnostics;                         // in the order of `sources`
};

ParsedFile parse_file(const FileInput& input);

struct ParsedSecrets {
  std::map<std::string, std::string> values;
  Diagnostics diagnostics;  // hold neither values nor lines
};

// A YAML mapping of names to values.
ParsedSecrets parse_secrets(const std::string& path, const std::string& text);

}  // namespace freehold::model
