#include "agent/descendants.h"

#include <dirent.h>
#include <fmt/core.h>
#include <unistd.h>

#include <charconv>
#include <csignal>

#include "agent/keeper_spawn.h"
#include "os/disk.h"

namespace freehold::agent {
namespace {

constexpr Bytes kMostEnvironment = Bytes{4 << 20};

std::string entry_of(std::string_view name, const std::string& mark) {
  std::string entry = fmt::format("{}={}", name, mark);
  entry.push_back('\0');
  return entry;
}

bool has_mark(pid_t pid, const std::string& entry) {
  auto text = os::system_disk().read(fmt::format("/proc/{}/environ", pid), kMostEnvironment);
  if (!text) return false;
  // Between NULs, or at the very start.
  size_t at = text->find(entry);
  return at != std::string::npos && (at == 0 || (*text)[at - 1] == '\0');
}

std::vector<pid_t> all_processes() {
  std::vector<pid_t> out;
  DIR* directory = opendir("/proc");
  if (directory == nullptr) return out;
  while (dirent* entry = readdir(directory)) {
    std::string_view name(entry->d_name);
    pid_t pid = 0;
    auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error == std::errc() && end == name.data() + name.size()) out.push_back(pid);
  }
  closedir(directory);
  return out;
}

}  // namespace

std::vector<os::ProcessId> find_marked(const std::string& mark, const os::ProcessId& leader) {
  std::string entry = entry_of("FREEHOLD_MARK", mark);
  // The kernel gives a number to nobody else while a session has it. If another process has it, the session is over.
  auto holder = os::identify(leader.pid);
  pid_t session = leader.pid > 0 && (!holder || *holder == leader) ? leader.pid : 0;
  std::vector<os::ProcessId> found;
  for (pid_t pid : all_processes()) {
    if (pid == getpid()) continue;
    auto id = os::identify(pid);
    if (!id) continue;
    bool ours = (!mark.empty() && has_mark(pid, entry)) || (session > 0 && getsid(pid) == session);
    if (ours) found.push_back(*id);
  }
  return found;
}

std::vector<os::ProcessId> find_starting_keepers(const std::string& mark) {
  std::string entry = entry_of(kKeeperMark, mark);
  std::vector<os::ProcessId> found;
  for (pid_t pid : all_processes()) {
    if (!has_mark(pid, entry)) continue;
    if (auto id = os::identify(pid)) found.push_back(*id);
  }
  return found;
}

void kill_marked(const std::string& mark, const os::ProcessId& leader) {
  for (const os::ProcessId& process : find_marked(mark, leader)) {
    auto pidfd = os::open_process(process);
    if (pidfd) (void)os::signal_process(*pidfd, SIGKILL).ok();
  }
}

}  // namespace freehold::agent
