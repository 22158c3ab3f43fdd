#include "cli/doctor.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace freehold::cli {
namespace {

Finding good(std::string subject, std::string found) {
  return {std::move(subject), Verdict::kGood, std::move(found), "", ""};
}

Finding judge_user(const Facts& facts) {
  if (facts.root) return good("user", "root: every service gets a user of its own");
  return {"user", Verdict::kLess, "not root",
          "all services run as you: they are not protected from each other, /tmp is shared, and ports below " +
              std::to_string(facts.privileged_below) + " cannot be listened on",
          "run as root, or give each organisation a user of its own"};
}

Finding judge_kernel(const Facts& facts) {
  auto parts = split(facts.kernel, '.');
  int major = 0, minor = 0;
  if (parts.size() >= 2) {
    std::from_chars(parts[0].data(), parts[0].data() + parts[0].size(), major);
    std::from_chars(parts[1].data(), parts[1].data() + parts[1].size(), minor);
  }
  // pidfd_open and P_PIDFD are of 5.3 and 5.4, openat2 of 5.6.
  if (major > 5 || (major == 5 && minor >= 10)) return good("kernel", facts.kernel);
  return {"kernel", Verdict::kBad, facts.kernel, "processes cannot be held by descriptor: Freehold does not start",
          "use a kernel from 5.10 on; Debian 12 has 6.1"};
}

Finding judge_cgroups(const Facts& facts) {
  if (facts.cgroups_usable && facts.cgroup_problems.empty()) return good("cgroups", facts.cgroups);
  std::string cost = facts.cgroups_usable
                         ? join(facts.cgroup_problems, "; ")
                         : "limits on cpu, memory and pids are not enforced, and a service that escapes its session "
                           "may leave processes behind";
  return {"cgroups", Verdict::kLess, facts.cgroups, cost,
          facts.root ? "mount cgroup2 on /sys/fs/cgroup with the cpu, memory and pids controllers"
                     : "run as root, or in a systemd unit with Delegate=yes"};
}

Finding judge_uring(const Facts& facts) {
  if (!facts.uring_problem) return good("io_uring", "available (epoll is the default; FREEHOLD_IO=uring asks for it)");
  return {"io_uring", Verdict::kGood, "not available: " + *facts.uring_problem, "", ""};
}

Finding judge_ports(const Facts& facts) {
  std::string range = std::to_string(facts.ports_first) + "-" + std::to_string(facts.ports_last);
  bool overlap = facts.ephemeral_first != 0 && facts.ports_first <= facts.ephemeral_last &&
                 facts.ephemeral_first <= facts.ports_last;
  if (!overlap) return good("ports", "services get their ports from " + range);
  return {"ports", Verdict::kLess,
          "services get their ports from " + range + ", and the kernel takes ports for outgoing connections from " +
              std::to_string(facts.ephemeral_first) + "-" + std::to_string(facts.ephemeral_last),
          "an outgoing connection may hold the port that a service is about to get; it is then started on another",
          "set `ports` in the agent's policy.yaml outside of that range, or sysctl net.ipv4.ip_local_port_range"};
}

Finding judge_listen(const Facts& facts) {
  std::vector<std::string> refused;
  for (uint16_t port : facts.listen_ports) {
    if (!facts.root && port < facts.privileged_below) refused.push_back(std::to_string(port));
  }
  if (refused.empty()) return good("gateway", "may listen on the ports of the file");
  return {"gateway", Verdict::kBad, "may not listen on " + join(refused, ", "), "the gateway cannot be reached there",
          "use ports from " + std::to_string(facts.privileged_below) +
              " on, run as root, or sysctl net.ipv4.ip_unprivileged_port_start"};
}

Finding judge_disk(const Facts& facts) {
  constexpr Bytes kLittle{1ull << 30}, kTooLittle{100ull << 20};
  std::string found = format_short(facts.state_free) + " free for " + facts.state;
  if (facts.state_free < kTooLittle) {
    return {"disk", Verdict::kBad, found, "an apply may not fit, and logs are dropped when it is full",
            "free some space, or move --state"};
  }
  if (facts.state_free < kLittle) {
    return {"disk", Verdict::kLess, found, "a few large programs fill it", "free some space, or move --state"};
  }
  return good("disk", found);
}

Finding judge_state(const Facts& facts) {
  bool under_tmp = facts.state == "/tmp" || facts.state.starts_with("/tmp/");
  if (!under_tmp || !facts.root) return good("state", facts.state);
  return {"state", Verdict::kBad, facts.state, "services get a /tmp of their own and would not see their programs",
          "use a state directory that is not below /tmp, such as /var/lib/freehold/NAME"};
}

Finding judge_secrets(const Facts& facts) {
  if (!facts.memory_folder.empty())
    return good("secrets", "handed over as files in memory, below " + facts.memory_folder);
  return {"secrets", Verdict::kLess, "no file system in memory (/run, /dev/shm) can be written",
          "secrets that are files touch the disk", "mount a tmpfs on /run or /dev/shm"};
}

Finding judge_clock(const Facts& facts) {
  const WallTime kBuilt = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);
  if (facts.now < kBuilt) {
    return {"clock", Verdict::kBad, format_time(facts.now), "times in logs and events are wrong",
            "set the clock; install an NTP client"};
  }
  if (!facts.clock_synchronised) {
    return {"clock", Verdict::kLess, "not synchronised by NTP, as far as the kernel knows",
            "times in logs and events drift apart from those of other machines", "install systemd-timesyncd or chrony"};
  }
  return good("clock", "synchronised");
}

Finding judge_files(const Facts& facts) {
  constexpr uint64_t kEnough = 65536;
  std::string found = "at most " + std::to_string(facts.most_files) + " open files per process";
  if (facts.most_files >= kEnough) return good("open files", found);
  return {"open files", Verdict::kLess, found,
          "the gateway holds at most about " + std::to_string(facts.most_files / 2) + " connections at once",
          "raise the hard limit (ulimit -Hn, LimitNOFILE=)"};
}

Finding judge_group(const Facts& facts) {
  if (facts.group_exists || !facts.root)
    return good("group", facts.root ? "members of `freehold` may use the API" : "only you may use the API");
  return {"group", Verdict::kGood, "there is no group `freehold`: only root may use the API", "",
          "addgroup --system freehold, for operators who are not root"};
}

}  // namespace

std::vector<Finding> judge(const Facts& facts) {
  return {judge_user(facts),    judge_kernel(facts), judge_cgroups(facts), judge_uring(facts),
          judge_ports(facts),   judge_listen(facts), judge_disk(facts),    judge_state(facts),
          judge_secrets(facts), judge_clock(facts),  judge_files(facts),   judge_group(facts)};
}

}  // namespace freehold::cli
