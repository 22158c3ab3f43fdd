// What is done with a group that exists: usage, killing, removal.
#include <fmt/core.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>

#include "base/text.h"
#include "os/cgroup.h"
#include "os/cgroup_files.h"
#include "os/clock.h"
#include "os/disk.h"

namespace freehold::os {
namespace {

using namespace cgroup_files;
using namespace std::chrono_literals;

uint64_t number_in(const std::string& path) {
  auto text = read_file(path);
  if (!text) return 0;
  uint64_t number = 0;
  std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}

bool is_there(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

// All groups of one hierarchy from this one down, itself last.
void collect(const std::string& directory, int depth, std::vector<std::string>& out) {
  constexpr int kMostDepth = 16;
  if (depth > kMostDepth) return;
  auto entries = system_disk().list(directory);
  if (!entries) return;
  for (const FileInfo& entry : *entries) {
    if (entry.kind == FileKind::kDirectory) collect(join_path(directory, entry.name), depth + 1, out);
  }
  out.push_back(directory);
}

}  // namespace

std::vector<ProcessId> CgroupTree::members(const Cgroup& group) {
  std::vector<ProcessId> out;
  for (const std::string& directory : group.directories()) {
    std::vector<std::string> all;
    collect(directory, 0, all);
    for (const std::string& each : all) {
      for (pid_t pid : processes(each)) {
        if (auto id = identify(pid)) out.push_back(*id);
      }
    }
  }
  return out;
}

Result<GroupUsage> CgroupTree::usage(const Cgroup& group) {
  GroupUsage usage;
  if (!group.unified.empty()) {
    // Counted by the kernel even where v2 has no cpu controller.
    if (auto text = read_file(join_path(group.unified, "cpu.stat")))
      usage.cpu = std::chrono::microseconds(number_of(*text, "usage_usec"));
  } else if (auto found = group.controllers.find("cpuacct"); found != group.controllers.end()) {
    usage.cpu = std::chrono::nanoseconds(number_in(join_path(found->second, "cpuacct.usage")));
  }
  if (auto found = group.controllers.find("memory"); found != group.controllers.end()) {
    bool unified = found->second == group.unified;
    usage.memory = Bytes{number_in(join_path(found->second, unified ? "memory.current" : "memory.usage_in_bytes"))};
    if (auto text = read_file(group.oom_file())) usage.out_of_memory_kills = number_of(*text, "oom_kill");
  }
  if (auto found = group.controllers.find("pids"); found != group.controllers.end()) {
    usage.processes = number_in(join_path(found->second, "pids.current"));
  } else if (group.exists()) {
    usage.processes = processes(group.directories().front()).size();
  }
  return usage;
}

bool CgroupTree::is_empty(const Cgroup& group) {
  for (const std::string& directory : group.directories()) {
    std::string events = join_path(directory, "cgroup.events");
    if (is_there(events)) {
      auto text = read_file(events);
      if (text && number_of(*text, "populated") != 0) return false;
      continue;
    }
    std::vector<std::string> all;
    collect(directory, 0, all);
    for (const std::string& each : all) {
      if (!processes(each).empty()) return false;
    }
  }
  return true;
}

Result<void> CgroupTree::kill(const Cgroup& group) {
  std::string file = group.kill_file();
  if (!file.empty() && write_file(file, "1") == 0 && is_empty(group)) return {};
  // Without cgroup.kill, forking is stopped first: killing one by one must not be a race with a fork bomb.
  if (auto pids = group.controllers.find("pids"); pids != group.controllers.end())
    (void)write_file(join_path(pids->second, "pids.max"), "0");
  for (const ProcessId& process : members(group)) {
    auto pidfd = open_process(process);
    if (pidfd) (void)signal_process(*pidfd, SIGKILL).ok();
  }
  return {};
}

Result<void> CgroupTree::kill_until_empty(const Cgroup& group, Duration most) {
  MonotonicTime deadline = system_clock().monotonic() + most;
  while (!is_empty(group)) {
    FH_TRY(kill(group));
    for (const ProcessId& process : members(group)) {
      auto pidfd = open_process(process);
      if (!pidfd) continue;
      auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - system_clock().monotonic());
      pollfd polled = {pidfd->get(), POLLIN, 0};
      if (left > 0ms) poll(&polled, 1, static_cast<int>(left.count()));
    }
    if (system_clock().monotonic() >= deadline && !is_empty(group))
      return Error(ErrorCode::kTimeout, fmt::format("processes in the control group {} do not end after SIGKILL: they "
                                                    "wait in the kernel, perhaps for a disk",
                                                    group.name));
    // A process that is dying is listed by no file but still counted for an instant: give it the processor.
    poll(nullptr, 0, 1);
  }
  return {};
}

Result<void> CgroupTree::remove(const Cgroup& group) {
  for (const std::string& directory : group.directories()) {
    std::vector<std::string> all;
    collect(directory, 0, all);
    for (const std::string& each : all) {
      // The kernel lets go of a group a moment after its last process: EBUSY, shortly.
      for (int attempt = 0; rmdir(each.c_str()) != 0 && errno != ENOENT; ++attempt) {
        if (errno != EBUSY || attempt == 50)
          return errno_error(fmt::format("cannot remove the control group {}", each), errno);
        if (!is_empty(group))
          return Error(ErrorCode::kUnavailable, fmt::format("the control group {} is not empty", group.name));
        poll(nullptr, 0, 2);
      }
    }
  }
  return {};
}

}  // namespace freehold::os
