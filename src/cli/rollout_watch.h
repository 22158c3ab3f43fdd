// Watching a change that the API has accepted until it is over.
#pragma once

#include <string_view>

#include "cli/session.h"

namespace freehold::cli {

// Shows it as it happens: on a terminal as a block that is drawn in its place, elsewhere a line for each step, with
// -o ndjson its events, with -o json only how it ended. Control may be killed and come back meanwhile. Gives the exit
// code of its outcome; kCancelled if a signal came that the session heeds.
Result<int> watch_rollout(Session& session, const api::ChangeAnswer& change);

// The same for verbs that do nothing afterwards: a signal ends the watching, not the change. It is said how to go on
// watching, and `way_back` if there is one, and the process ends by the signal.
int follow_rollout(Session& session, const api::ChangeAnswer& change, std::string_view way_back = "");

// How a change ended, for programs: {"outcome", "rollout", "generation", "message"}. Nothing is shown to people.
void show_outcome(const Invocation& invocation, const std::string& outcome, const api::ChangeAnswer& change,
                  const std::string& message);

// " -c FILE --state DIR" as this call was given them, for commands that it proposes.
std::string options_of(const Session& session);

}  // namespace freehold::cli
