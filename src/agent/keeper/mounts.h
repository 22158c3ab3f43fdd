// The workload's own view of the file system: a private /tmp and /var/tmp, a release that cannot be written.
#pragma once

#include "agent/keeper/configuration.h"

namespace freehold::keeper {

// Makes or joins the mount namespace that the configuration asks for. nullptr, or the name of the step that failed
// (errno says why). What `binds` names stays visible where it is, even below /tmp.
const char* arrange_mounts(const Configuration& configuration);

}  // namespace freehold::keeper
