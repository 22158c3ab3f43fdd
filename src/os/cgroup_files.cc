#include "os/cgroup_files.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>

#include "base/text.h"
#include "os/disk.h"
#include "os/fd.h"

namespace freehold::os::cgroup_files {
namespace {

template <class Number>
Number parse(std::string_view text) {
  Number number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

constexpr uint64_t kPeriodMicroseconds = 100000;

}  // namespace

std::vector<LimitFile> limit_files(const GroupLimits& limits, const Cgroup& group) {
  auto unified = [&](std::string_view controller) {
    auto found = group.controllers.find(std::string(controller));
    return found != group.controllers.end() && found->second == group.unified;
  };
  std::vector<LimitFile> out;
  if (limits.memory) {
    std::string bytes = fmt::format("{}", limits.memory->count);
    if (unified("memory")) {
      out.push_back({"memory", "memory.max", bytes});
      // A limit that swap makes soft would never be met. Absent where the machine has no swap accounting.
      out.push_back({"memory", "memory.swap.max", "0", false});
      // All of it or nothing: an instance that lost one of its processes would go on as a half. v1 has no such thing.
      out.push_back({"memory", "memory.oom.group", "1", false});
    } else {
      out.push_back({"memory", "memory.limit_in_bytes", bytes});
      out.push_back({"memory", "memory.memsw.limit_in_bytes", bytes, false});
    }
  }
  if (limits.cpu) {
    auto quota = std::max<uint64_t>(1000, static_cast<uint64_t>(std::llround(*limits.cpu * kPeriodMicroseconds)));
    if (unified("cpu")) {
      out.push_back({"cpu", "cpu.max", fmt::format("{} {}", quota, kPeriodMicroseconds)});
    } else {
      out.push_back({"cpu", "cpu.cfs_period_us", fmt::format("{}", kPeriodMicroseconds)});
      out.push_back({"cpu", "cpu.cfs_quota_us", fmt::format("{}", quota)});
    }
  }
  if (limits.pids) out.push_back({"pids", "pids.max", fmt::format("{}", *limits.pids)});
  return out;
}

Result<std::string> read_file(const std::string& path) { return system_disk().read(path, Bytes{4 << 20}); }

int write_file(const std::string& path, std::string_view value) {
  Fd file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file) return errno;
  return write(file.get(), value.data(), value.size()) < 0 ? errno : 0;
}

std::vector<pid_t> processes(const std::string& directory) {
  std::vector<pid_t> out;
  auto text = read_file(join_path(directory, "cgroup.procs"));
  if (!text) return out;
  for (std::string_view line : split(trim(*text), '\n')) {
    // 0 is a process of another pid namespace: nothing that we could name.
    if (auto pid = parse<pid_t>(line); pid > 0) out.push_back(pid);
  }
  return out;
}

bool move_to_leaf(const std::string& directory, std::string_view leaf) {
  std::string target = join_path(directory, leaf);
  if (mkdir(target.c_str(), 0755) != 0 && errno != EEXIST) return false;
  // A process may fork while it is moved: a few rounds, then the caller sees EBUSY again.
  for (int round = 0; round < 10; ++round) {
    std::vector<pid_t> found = processes(directory);
    if (found.empty()) return true;
    for (pid_t pid : found) (void)write_file(join_path(target, "cgroup.procs"), fmt::format("{}", pid));
  }
  return false;
}

uint64_t number_of(std::string_view text, std::string_view key) {
  for (std::string_view line : split(text, '\n')) {
    if (line.starts_with(key) && line.size() > key.size() && line[key.size()] == ' ')
      return parse<uint64_t>(line.substr(key.size() + 1));
  }
  return 0;
}

}  // namespace freehold::os::cgroup_files
