// Daemons: keeps control and the gateway running, as the agent keeps instances running: each under a keeper, with its
// log rotated and its end recorded, adopted by the next agent. They have no limits, no health checks and no end of
// restarts: without them nothing is served.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/journal.h"
#include "agent/launcher.h"
#include "model/instance.h"
#include "runtime/stream.h"
#include "runtime/timer.h"

namespace freehold::agent {

struct DaemonSpec {
  std::string name;  // "control"
  std::vector<std::string> command;
  std::map<std::string, std::string> env;
  std::optional<UserIds> user;
};

class Daemons {
 public:
  // `folder` keeps the keepers' records; `log_folder` gets <name>.log.
  Daemons(runtime::Loop& loop, Launcher& launcher, Journal& journal, std::string folder, std::string log_folder,
          std::function<void()> changed);
  ~Daemons();

  // Starts it, or takes over the one that runs.
  void keep(DaemonSpec spec);
  // Ends them, in the order given, and then calls `stopped`.
  void stop(std::vector<std::string> names, std::function<void()> stopped);

  bool adopted(const std::string& name) const;  // was running when we came
  std::vector<model::DaemonStatus> status() const;
  // The names of their control groups, which belong to no instance.
  static std::string group_of(const std::string& name) { return "freehold." + name; }

 private:
  struct Daemon;
  void start(Daemon& daemon);
  void attach(Daemon& daemon, Running running);
  void on_ended(Daemon& daemon);
  void stop_next();
  std::string folder_of(const std::string& name) const { return folder_ + "/" + group_of(name); }

  runtime::Loop& loop_;
  Launcher& launcher_;
  Journal& journal_;
  std::string folder_;
  std::string log_folder_;
  std::function<void()> changed_;
  std::map<std::string, std::unique_ptr<Daemon>> daemons_;
  bool stopping_ = false;
  std::vector<std::string> to_stop_;
  std::function<void()> stopped_;
};

}  // namespace freehold::agent
