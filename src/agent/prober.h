// HealthProber: asks instances whether they work, over HTTP, by connecting, or by running a command as them.
#pragma once

#include <map>
#include <memory>

#include "agent/launcher.h"
#include "agent/workloads.h"
#include "http/fetch.h"
#include "runtime/stream.h"
#include "runtime/timer.h"

namespace freehold::agent {

class HealthProber : public Prober {
 public:
  // Starts the command of an `exec` check beside the instance.
  using StartCommand = std::function<Result<Command>(const std::string& id, const std::vector<std::string>& words)>;
  using KillCommand = std::function<void(Command)>;
  HealthProber(runtime::Loop& loop, StartCommand start_command, KillCommand kill_command);
  ~HealthProber() override;

  void probe(const ProbeRequest& request, Answer answer) override;
  void cancel(const std::string& id) override;

 private:
  class Probe;
  class HttpProbe;
  class TcpProbe;
  class ExecProbe;
  void answered(Probe& probe, bool well, std::string reason);

  runtime::Loop& loop_;
  StartCommand start_command_;
  KillCommand kill_command_;
  std::map<std::string, std::unique_ptr<Probe>> probes_;
  // Answered or cancelled, and waiting for the kernel to let go of what they started.
  std::vector<std::unique_ptr<Probe>> ending_;
};

}  // namespace freehold::agent
