#include "agent/keeper_protocol.h"

#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "os/disk.h"

namespace freehold::os {

template <class Visitor>
void fields(Visitor& v, codec::Of<Visitor, ProcessId>& process) {
  v("pid", process.pid);
  v("start", process.start);
}
template <class Visitor>
void fields(Visitor& v, codec::Of<Visitor, Cgroup>& group) {
  v("name", group.name);
  v("unified", group.unified);
  v("controllers", group.controllers);
}

}  // namespace freehold::os

namespace freehold::agent {

template <class Visitor>
void fields(Visitor& v, codec::Of<Visitor, KeeperPid>& pid) {
  v("boot", pid.boot);
  v("keeper", pid.keeper);
  v("child", pid.child);
}
template <class Visitor>
void fields(Visitor& v, codec::Of<Visitor, KeeperExit>& exit) {
  v("code", exit.code);
  v("signal", exit.signal);
  v("step", exit.step);
  v("error", exit.error);
  v("oom_kills", exit.oom_kills);
  v("at", exit.at);
}
template <class Visitor>
void fields(Visitor& v, codec::Of<Visitor, LaunchRecord>& record) {
  v("instance", record.instance);
  v("program", record.program);
  v("directory", record.directory);
  v("mark", record.mark);
  v("group", record.group);
}

namespace {

constexpr size_t kMostConfiguration = 1 << 20;  // keeper/configuration.h
constexpr Bytes kMostRecord = Bytes{64 << 10};

template <class T>
Result<T> read_json(const std::string& folder, std::string_view name) {
  std::string path = os::join_path(folder, name);
  FH_ASSIGN(std::string text, os::system_disk().read(path, kMostRecord));
  auto json = codec::Json::parse(text);
  if (!json) return json.error().with_context(path);
  auto record = codec::from_json<T>(*json);
  if (!record) return record.error().with_context(path);
  return record;
}

}  // namespace

void KeeperConfiguration::add(std::string_view key, std::string_view value) {
  if (value.find('\0') != std::string_view::npos) bad_key_ = key;
  text_.append(key).append("=").append(value).push_back('\0');
}

void KeeperConfiguration::add(std::string_view key, uint64_t value) { add(key, fmt::format("{}", value)); }

Result<std::string> KeeperConfiguration::finish() && {
  if (!bad_key_.empty())
    return Error(ErrorCode::kInvalid,
                 fmt::format("a value of '{}' holds a NUL character, which no program can be given", bad_key_));
  text_.append("end").push_back('\0');
  if (text_.size() > kMostConfiguration)
    return Error(ErrorCode::kExhausted,
                 fmt::format("command and environment together take {}; at most {} are possible",
                             format_short(Bytes{text_.size()}), format_short(Bytes{kMostConfiguration})));
  return std::move(text_);
}

void describe_workload(KeeperConfiguration& configuration, const LaunchSpec& spec,
                       const std::vector<std::string>& command, const std::map<std::string, std::string>& env) {
  configuration.add("instance", spec.instance);
  configuration.add("service", spec.service);
  configuration.add("cwd", spec.directory);
  for (const std::string& word : command) configuration.add("argv", word);
  for (const auto& [name, value] : env) configuration.add("env", fmt::format("{}={}", name, value));
  if (!spec.user) return;
  configuration.add("user", spec.user->user);
  configuration.add("group", spec.user->group);
}

std::map<std::string, std::string> environment_of(const LaunchSpec& spec, const std::string& mark) {
  std::map<std::string, std::string> env = spec.env;
  env.emplace("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  env.insert_or_assign("FREEHOLD_INSTANCE", spec.instance);
  env.insert_or_assign("FREEHOLD_MARK", mark);
  if (geteuid() != 0 && spec.temporary == TemporaryFolders::kPrivate)
    env.insert_or_assign("TMPDIR", os::join_path(spec.folder, "tmp"));
  return env;
}

std::optional<uint64_t> file_limit(const LaunchSpec& spec, std::vector<std::string>& problems) {
  if (!spec.limits.files) return std::nullopt;
  rlimit now{};
  getrlimit(RLIMIT_NOFILE, &now);
  if (*spec.limits.files <= now.rlim_max) return spec.limits.files;
  rlimit raised = {now.rlim_cur, *spec.limits.files};
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) return spec.limits.files;
  problems.push_back(fmt::format("{} open files were asked for {}, but this machine allows us {}", *spec.limits.files,
                                 spec.instance, now.rlim_max));
  return now.rlim_max;
}

Result<KeeperPid> read_keeper_pid(const std::string& folder) { return read_json<KeeperPid>(folder, "pid"); }
Result<KeeperExit> read_keeper_exit(const std::string& folder) { return read_json<KeeperExit>(folder, "exit"); }
Result<LaunchRecord> read_launch(const std::string& folder) { return read_json<LaunchRecord>(folder, "launch"); }

Result<void> write_launch(const std::string& folder, const LaunchRecord& record) {
  // Not synced: after a reboot it means nothing, and until then the kernel has it.
  FH_ASSIGN(auto file, os::system_disk().create(os::join_path(folder, "launch"), 0600));
  return file->append(codec::to_json(record).dump());
}

std::string explain_failure(std::string_view step, int error, const std::string& program,
                            const std::string& directory) {
  std::string object;
  std::string hint;
  if (step == "run its program") {
    object = " " + program;
    bool is_path = program.find('/') != std::string::npos;
    std::string path = program.starts_with('/') ? program : os::join_path(directory, program);
    if (error == ENOENT && !is_path) hint = " (it is in no folder of PATH)";
    if (error == ENOENT && is_path && os::system_disk().exists(path))
      hint = " (the file is there, but the interpreter or loader that it names is not)";
    if (error == EACCES) hint = " (it must be executable and reachable for the service's user)";
    if (error == ENOEXEC) hint = " (no program of this machine; a script needs a first line like #!/bin/sh)";
  } else if (step == "enter its folder") {
    object = " " + directory;
  }
  return fmt::format("cannot {}{}: {}{}", step, object, std::generic_category().message(error), hint);
}

}  // namespace freehold::agent
