// `freehold run`: the CLI dials the agent, since only the agent may start something.
//
//   cli   -> hello (role cli)
//   cli   -> run-job (RunJob)
//   agent -> run-started (RunStarted), or refused (exec_link.h)
//   agent -> run-ended (RunEnded)
// The run goes on when the CLI goes away: it is the platform's.
#pragma once

#include "link/message.h"
#include "model/job_run.h"

namespace freehold::link {

inline constexpr std::string_view kRunJob = "run-job";
inline constexpr std::string_view kRunStarted = "run-started";
inline constexpr std::string_view kRunEnded = "run-ended";

struct RunJob {
  std::string job;
};
template <class Visitor>
void fields(Visitor& v, codec::Of<Visitor, RunJob>& run) {
  v("job", run.job);
}

struct RunStarted {
  std::string run;
};
template <class Visitor>
void fields(Visitor& v, codec::Of<Visitor, RunStarted>& started) {
  v("run", started.run);
}

struct RunEnded {
  model::JobResult result;
};
template <class Visitor>
void fields(Visitor& v, codec::Of<Visitor, RunEnded>& ended) {
  v("result", ended.result);
}

}  // namespace freehold::link
