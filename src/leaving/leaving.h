// Leaving: an organisation as it runs without Freehold, on a machine with systemd and nginx.
//
//   FH_ASSIGN(Departure departure, depart({generation, composed, {}, state + "/volumes", {}}));
//   for (const TextFile& file : departure.files) write(file);
//   for (const Tree& tree : departure.trees) materialise(tree.digest, tree.path);
//
// Paths begin with "root/", a picture of the machine's own folders, but for the guide README.md. What the file says and
// this cannot is a Loss; the guide lists them too. Values of secrets are in it only if they are handed in.
//
// Pure; any thread. kExhausted: more instances than there are ports for them.
#pragma once

#include <sys/types.h>

#include "control/compose.h"

namespace freehold::leaving {

struct Given {
  const control::Generation& generation;
  const control::Composed& composed;  // of that generation, without overrides
  control::Overrides overrides;       // in force beside it, and left out
  std::string kept_volumes;           // where Freehold keeps volumes without a path; for the guide
  // By name; none: files of secrets are described and not written.
  std::optional<std::map<std::string, std::string>> secrets;
};

struct TextFile {
  std::string path;
  std::string text;
  mode_t mode = 0644;
};

// A folder that is to hold the files of a manifest.
struct Tree {
  std::string path;
  std::string digest;
};

// What the file says and what was exported does not.
struct Loss {
  std::string key;                    // as fates.h has it: "services.NAME.deploy"
  std::vector<std::string> subjects;  // the services that it is about; empty: the whole
  std::string text;                   // what happens instead
  bool operator==(const Loss&) const = default;
};
template <class Visitor>
void fields(Visitor& v, codec::Of<Visitor, Loss>& loss) {
  v("key", loss.key);
  v("subjects", loss.subjects);
  v("text", loss.text);
}
// "services.NAME.deploy (web, api): ...", one line.
std::string describe(const Loss& loss);

struct Departure {
  std::vector<TextFile> files;
  std::vector<Tree> trees;
  std::vector<Loss> losses;
};
Result<Departure> depart(const Given& given);

}  // namespace freehold::leaving
