// For tests: workloads that exist in memory only.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <map>

#include "agent/workloads.h"

namespace freehold::agent {

// Processes that exist in memory only: each is an eventfd that becomes readable when it ends.
class FakeWorkloads : public Workloads {
 public:
  struct Process {
    int ended = -1;
    model::Exit exit;
    bool alive = true;
  };

  Result<RunningProcess> start(const StartRequest& request) override {
    if (refuse) return Error(ErrorCode::kNotFound, "exec ./bin/web: No such file or directory");
    log.push_back("start " + request.instance.id);
    return open(request.instance.id);
  }
  void signal(const std::string& id, int) override {
    log.push_back("signal " + id);
    if (!deaf) end(id, {.signal = 15, .failure = {}});
  }
  void kill(const std::string& id) override {
    log.push_back("kill " + id);
    end(id, {.signal = 9, .failure = {}});
  }
  model::Exit collect(const std::string& id) override { return processes[id].exit; }
  void forget(const std::string& id) override {
    log.push_back("forget " + id);
    processes.erase(id);
  }
  std::vector<Survivor> survivors() override {
    std::vector<Survivor> out;
    for (auto& [id, process] : processes) {
      Survivor survivor{id, {}, {}};
      if (process.alive) {
        survivor.running = RunningProcess{42, os::Fd(dup(process.ended))};
      } else if (process.exit.code != 0) {
        survivor.exit = process.exit;
      }
      out.push_back(std::move(survivor));
    }
    return out;
  }
  bool holds_port(const std::string&, const model::Runtime&, uint16_t port) override { return port != foreign_port; }
  void end(const std::string& id, model::Exit exit) {
    Process& process = processes[id];
    process.alive = false;
    process.exit = std::move(exit);
    eventfd_write(process.ended, 1);
  }

  std::map<std::string, Process> processes;
  std::vector<std::string> log;
  uint16_t foreign_port = 0;
  bool refuse = false;
  bool deaf = false;

 private:
  RunningProcess open(const std::string& id) {
    Process process;
    process.ended = eventfd(0, EFD_CLOEXEC);
    processes[id] = process;
    return {42, os::Fd(dup(process.ended))};
  }
};

}  // namespace freehold::agent
