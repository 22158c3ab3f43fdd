// The verbs, one function each: they return the exit code.
#pragma once

#include "cli/session.h"

namespace freehold::cli {

int run_validate(const Invocation& invocation);
int run_plan(const Invocation& invocation);
int run_up(const Invocation& invocation);
int run_down(const Invocation& invocation);
int run_restart(const Invocation& invocation);
int run_scale(const Invocation& invocation);
int run_drain(const Invocation& invocation);
int run_lock(const Invocation& invocation);
int run_rollback(const Invocation& invocation);
int run_status(const Invocation& invocation);
int run_history(const Invocation& invocation);
int run_diff(const Invocation& invocation);
int run_events(const Invocation& invocation);
int run_logs(const Invocation& invocation);
int run_exec(const Invocation& invocation);
int run_jobs(const Invocation& invocation);
int run_run(const Invocation& invocation);
int run_doctor(const Invocation& invocation);
int run_backup(const Invocation& invocation);
int run_verify(const Invocation& invocation);
int run_restore(const Invocation& invocation);
int run_keygen(const Invocation& invocation);
int run_init(const Invocation& invocation);
int run_fmt(const Invocation& invocation);
int run_explain(const Invocation& invocation);
int run_schema(const Invocation& invocation);
int run_help(const Invocation& invocation);
int run_completion(const Invocation& invocation);
int run_man(const Invocation& invocation);
int run_version(const Invocation& invocation);
int run_export(const Invocation& invocation);

// All of a command line: parse, find the verb, run it.
int run(int count, char** words);

// ---- shared by verbs
// Nothing, and it is said, if the text is none.
std::optional<uint64_t> number_of_generation(const Invocation& invocation, const std::string& text);
Result<model::Layout> layout_of(const Invocation& invocation);
// `down`: until nothing is left. kCancelled if a signal came that the session heeds.
Result<int> stop_platform(Session& session);
// The exit code of that; ends the process by the signal if one came.
int end_of_stopping(Session& session, const Result<int>& code);

}  // namespace freehold::cli
