// LaunchSpec: all that starting one instance takes, with every name filled in.
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/units.h"
#include "model/organisation.h"

namespace freehold::agent {

struct UserIds {
  uid_t user = 0;
  gid_t group = 0;
  bool operator==(const UserIds&) const = default;
};

// What a keeper does if the file says nothing of logs.
inline constexpr model::LogFiles kUsualLogFiles{model::kKeeperFile, model::kLogFiles, {}};

enum class TemporaryFolders {
  kPrivate,  // /tmp and /var/tmp of its own, empty at the start; without root only TMPDIR
  kShared,
};

struct LaunchSpec {
  std::string instance;              // "web.3"; letters, digits, '-', '_', '.'
  std::string service;               // likewise
  std::vector<std::string> command;  // a first word without '/' is looked for in PATH
  std::map<std::string, std::string> env;
  std::string directory;        // absolute; the release: where it starts, not writable for it
  std::optional<UserIds> user;  // absent: the agent's own
  std::string user_name;        // that user's name inside; empty: the machine has one
  model::Limits limits;
  std::string log_folder;  // absolute; files are <instance>.log, <instance>.log.1 ...
  model::LogFiles log = kUsualLogFiles;
  TemporaryFolders temporary = TemporaryFolders::kPrivate;
  std::string secrets;               // folder, or empty; only kept visible here, its owner and mode are the caller's
  std::vector<std::string> volumes;  // folders, likewise
  std::vector<int> listen;           // sockets passed as LISTEN_FDS, borrowed
  std::string folder;                // absolute; the instance's own
  Duration linger = std::chrono::seconds(2);  // what the program leaves behind: SIGTERM, then SIGKILL after this
};

}  // namespace freehold::agent
