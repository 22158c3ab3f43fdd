// What `plan` says before anything ever ran: the whole file against nothing, without a daemon.
#pragma once

#include "api/messages.h"
#include "cli/project.h"

namespace freehold::cli {

Result<api::PlanAnswer> plan_locally(const Project& project, WallTime now);

}  // namespace freehold::cli
