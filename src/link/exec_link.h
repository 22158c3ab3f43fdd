// `freehold exec`: the CLI dials the agent, since only the agent may start something as a service.
//
//   cli   -> hello (role cli)
//   cli   -> exec (Exec), with three descriptors: its standard input, output and error
//   agent -> exec-started (ExecStarted)
//   cli   -> exec-signal (ExecSignal), as often as a signal reaches it
//   agent -> exec-ended (ExecEnded), and closes
//   agent -> refused (Refused), instead of any of these
// When the CLI goes away the command is killed.
//
// Where control does not answer, the CLI may also send `finish` (Finish) after its hello: stop what runs here, then the
// daemons; the agent closes when it ends.
#pragma once

#include <vector>

#include "link/message.h"
#include "model/instance.h"

namespace freehold::link {

inline constexpr std::string_view kExec = "exec";
inline constexpr std::string_view kExecStarted = "exec-started";
inline constexpr std::string_view kExecSignal = "exec-signal";
inline constexpr std::string_view kExecEnded = "exec-ended";
inline constexpr std::string_view kRefused = "refused";

struct Exec {
  static constexpr size_t kMostWords = 4096;
  std::string target;  // a service or an instance
  std::vector<std::string> words;
  std::string terminal;  // TERM of the caller
};
template <class Visitor>
void fields(Visitor& v, codec::Of<Visitor, Exec>& exec) {
  v("target", exec.target);
  v("words", exec.words);
  v("terminal", exec.terminal);
}

struct ExecStarted {
  std::string instance;
  int64_t pid = 0;
};
template <class Visitor>
void fields(Visitor& v, codec::Of<Visitor, ExecStarted>& started) {
  v("instance", started.instance);
  v("pid", started.pid);
}

struct ExecSignal {
  int signal = 0;
};
template <class Visitor>
void fields(Visitor& v, codec::Of<Visitor, ExecSignal>& signal) {
  v("signal", signal.signal);
}

struct ExecEnded {
  model::Exit exit;
};
template <class Visitor>
void fields(Visitor& v, codec::Of<Visitor, ExecEnded>& ended) {
  v("exit", ended.exit);
}

struct Finish {
  bool leave_instances = false;  // only the daemons end; what runs goes on
};
template <class Visitor>
void fields(Visitor& v, codec::Of<Visitor, Finish>& finish) {
  v("leave_instances", finish.leave_instances);
}

struct Refused {
  std::string message;
};
template <class Visitor>
void fields(Visitor& v, codec::Of<Visitor, Refused>& refused) {
  v("message", refused.message);
}

}  // namespace freehold::link
