// Jobs for people, and the exit code that a run gives to a script. Pure.
#pragma once

#include <string>

#include "api/messages.h"

namespace freehold::cli {

// One line each: when it is due next, and how it went last.
std::string render_jobs(const api::JobsAnswer& answer, WallTime now, bool color);
// One job with its last runs.
std::string render_job(const api::JobStatus& job, const std::string& timezone, WallTime now, bool color);

// As a shell has it: the exit code, or 128 and the signal; 1 for one that never ran.
int exit_code_of_run(const model::JobResult& result);

}  // namespace freehold::cli
