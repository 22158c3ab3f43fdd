// Asking the machine: the only part of doctor that touches it.
#include <fmt/core.h>
#include <grp.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>

#include "agent/policy.h"
#include "base/text.h"
#include "cli/doctor.h"
#include "model/layout.h"
#include "os/cgroup.h"
#include "os/clock.h"
#include "os/disk.h"
#include "os/memory_folder.h"
#include "runtime/loop.h"

namespace freehold::cli {
namespace {

constexpr Bytes kSmallFile{4096};
constexpr Bytes kLargestPolicy{1 << 20};

uint64_t number_at(std::string_view text, size_t index, uint64_t fallback) {
  size_t seen = 0;
  for (std::string_view word : split(trim(text), '\t')) {
    if (seen++ != index) continue;
    uint64_t number = 0;
    auto [stop, failure] = std::from_chars(word.data(), word.data() + word.size(), number);
    return failure == std::errc() ? number : fallback;
  }
  return fallback;
}

void ask_cgroups(Facts& facts) {
  os::CgroupTree tree = os::CgroupTree::find("freehold-doctor");
  std::vector<std::string> found;
  for (const char* controller : {"cpu", "memory", "pids"}) {
    if (tree.has(controller)) found.push_back(controller);
  }
  facts.cgroups_usable = !found.empty();
  facts.cgroups = found.empty() ? "no controller can be used" : "limits on " + join(found, ", ") + " are enforced";
  facts.cgroup_problems = tree.problems();
}

// The nearest folder above that exists: the state itself may still be to be made.
std::string existing_part(os::Disk& disk, std::string path) {
  while (path.size() > 1 && !disk.exists(path)) path = os::parent_path(path);
  return path;
}

}  // namespace

Facts gather_facts(const std::string& state, std::vector<uint16_t> listen_ports) {
  os::Disk& disk = os::system_disk();
  Facts facts;
  facts.root = geteuid() == 0;
  utsname name{};
  if (uname(&name) == 0) facts.kernel = name.release;
  ask_cgroups(facts);
  auto loop = runtime::Loop::create(runtime::Backend::kUring);
  if (!loop) facts.uring_problem = loop.error().message();
  // As the agent will read it; what is wrong with it is the agent's to say.
  agent::Policy policy;
  if (auto text = disk.read(model::Layout{state}.policy(), kLargestPolicy))
    policy = agent::parse_policy(*text).value_or(agent::Policy());
  facts.ports_first = policy.ports.first;
  facts.ports_last = policy.ports.last;
  if (auto range = disk.read("/proc/sys/net/ipv4/ip_local_port_range", kSmallFile)) {
    facts.ephemeral_first = static_cast<uint16_t>(number_at(*range, 0, 0));
    facts.ephemeral_last = static_cast<uint16_t>(number_at(*range, 1, 0));
  }
  if (auto first = disk.read("/proc/sys/net/ipv4/ip_unprivileged_port_start", kSmallFile)) {
    facts.privileged_below = static_cast<uint16_t>(number_at(*first, 0, 1024));
  }
  facts.listen_ports = std::move(listen_ports);
  facts.state = state;
  if (auto space = disk.free_space(existing_part(disk, state))) facts.state_free = *space;
  facts.memory_folder = os::find_memory_folder();
  facts.now = os::system_clock().wall();
  timex adjustment{};
  facts.clock_synchronised = adjtimex(&adjustment) != TIME_ERROR && (adjustment.status & STA_UNSYNC) == 0;
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) facts.most_files = files.rlim_max;
  facts.group_exists = getgrnam("freehold") != nullptr;
  return facts;
}

}  // namespace freehold::cli
