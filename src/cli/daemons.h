// Starting and ending the daemons of one organisation from the command line, where no systemd does it.
#pragma once

#include "cli/session.h"

namespace freehold::cli {

// Starts the watcher, which starts the agent, which starts the rest, and waits until they answer. Does nothing if they
// do, and nothing but waiting where systemd starts them (machine.h): kUnavailable if they do not answer then.
// kCancelled if a signal came that the session heeds; otherwise the error carries the last lines of the agent's log.
Result<void> ensure_daemons(Session& session);

// Asks the agent itself, where control does not answer. kUnavailable if there is no agent either.
enum class Instances { kStop, kLeave };
Result<void> finish_by_agent(Session& session, Instances instances);

// Whether no daemon of this state is left.
bool is_gone(Session& session);
// Whether it stays so: an agent that was killed is started again by its watcher, and control by the agent.
bool has_stopped(Session& session);
// Waits until none is left.
Result<void> wait_until_gone(Session& session, Duration most);

}  // namespace freehold::cli
