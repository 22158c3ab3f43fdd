// The seams between the supervisor, which decides, and what touches processes: the real ones are in
// process_workloads.h and prober.h; tests and the simulator have their own.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "model/instance.h"
#include "os/fd.h"

namespace freehold::agent {

struct StartRequest {
  const model::DesiredInstance& instance;
  const model::Runtime& runtime;
  const std::map<std::string, std::string>& sealed_secrets;  // keyed hash -> sealed value
  const std::map<std::string, uint16_t>& addresses;          // service -> port of its stable address
  const model::Keep& logs;                                   // what is kept of them
  uint16_t port = 0;
};

struct RunningProcess {
  int64_t pid = 0;  // of the workload, for people
  os::Fd ended;     // polls readable when the keeper is done: the exit record is there
};

// What became of an instance that an agent before this one had started.
struct Survivor {
  std::string id;
  std::optional<RunningProcess> running;
  std::optional<model::Exit>
      exit;  // it ended while nobody looked; unset with !running: it never ran, or in another boot
};

class Workloads {
 public:
  virtual ~Workloads() = default;
  virtual Result<RunningProcess> start(const StartRequest& request) = 0;
  virtual void signal(const std::string& id, int signal) = 0;
  virtual void kill(const std::string& id) = 0;  // everything that belongs to it
  // After `ended`: how. Also sweeps what it may have left behind.
  virtual model::Exit collect(const std::string& id) = 0;
  virtual void forget(const std::string& id) = 0;  // its folder, cgroup, secrets
  // Whether it is this instance that listens on its port, and not a program that was there first. True too where the
  // kernel does not tell.
  virtual bool holds_port(const std::string& id, const model::Runtime& runtime, uint16_t port) = 0;
  // Everything of this boot and before that has left a trace; orphans that belong to no instance are swept.
  virtual std::vector<Survivor> survivors() = 0;
};

struct ProbeRequest {
  std::string id;
  model::Health health;
  uint16_t port = 0;
};

class Prober {
 public:
  using Answer = std::function<void(bool well, std::string reason)>;
  virtual ~Prober() = default;
  // Calls `answer` once, later, from the loop, at the latest after health.timeout. Forgets it if cancelled.
  virtual void probe(const ProbeRequest& request, Answer answer) = 0;
  virtual void cancel(const std::string& id) = 0;
};

}  // namespace freehold::agent
