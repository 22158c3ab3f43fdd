// Releases: the programs and static files of a generation, built from control's contents into folders of the agent's
// own.
//
// Each digest is built once and shared by all instances that have it; every byte is checked against its digest, so that
// control cannot slip in anything that it did not name. What no instance and no route names any more is removed.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "contents/contents.h"
#include "os/disk.h"

namespace freehold::agent {

class Releases {
 public:
  // `releases`: private to each service; `files`: for the gateway. Both folders exist.
  Releases(os::Disk& disk, const contents::Contents& contents, std::string releases, std::string files)
      : disk_(disk), contents_(contents), releases_(std::move(releases)), files_(std::move(files)) {}

  // The folder of a service's release, readable by its group alone (no group: rootless, by us).
  Result<std::string> service_folder(const std::string& service, const std::string& digest, std::optional<gid_t> group);
  // files_root/<digest>, readable by everyone.
  Result<void> static_folder(const std::string& digest);
  // Removes service releases and static folders whose digest is not in use.
  void collect(const std::set<std::string>& digests_in_use);

 private:
  Result<void> build(const std::string& digest, const std::string& folder, std::optional<gid_t> group);

  os::Disk& disk_;
  const contents::Contents& contents_;
  std::string releases_;
  std::string files_;
  std::set<std::string> built_;  // folders known to be right since we started
};

}  // namespace freehold::agent
