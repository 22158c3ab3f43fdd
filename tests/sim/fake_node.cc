#include "fake_node.h"

#include <fmt/core.h>

#include <algorithm>

namespace freehold::sim {
namespace {

using namespace std::chrono_literals;

constexpr MonotonicTime kNever = MonotonicTime::max();
constexpr uint32_t kCrashLoop = 5;

std::string setting(const model::Runtime& runtime, const std::string& name) {
  auto found = runtime.env.find(name);
  return found == runtime.env.end() ? "" : found->second;
}

}  // namespace

FakeNode::FakeNode(const os::Clock& clock, os::Random& random, bool waits_for_needs)
    : clock_(clock), random_(random), waits_for_needs_(waits_for_needs) {}

Duration FakeNode::between(Duration least, Duration most) {
  return least + Duration(static_cast<int64_t>(random_.below(static_cast<uint64_t>((most - least).count()) + 1)));
}

const model::Supervision& FakeNode::supervision(const Process& process) const {
  static const model::Supervision none;
  const model::Supervision* found = model::supervision_of(stored_, process.asked);
  return found == nullptr ? none : *found;
}

std::vector<std::string> FakeNode::obey(const model::NodeDesired& desired) {
  std::vector<std::string> orphans;
  if (!present() || desired.revision <= stored_.revision) return orphans;
  stored_ = desired;
  std::set<std::string_view> asked;
  for (const model::DesiredInstance& instance : desired.instances) {
    asked.insert(instance.id);
    auto found = processes_.find(instance.id);
    if (found != processes_.end()) {
      want(found->second, instance.wanted);
      continue;
    }
    if (instance.wanted == model::Wanted::kStopped) continue;
    Process& process = processes_[instance.id];
    process.asked = instance;
    process.runtime = desired.runtimes.at(instance.fingerprint);
    process.due = clock_.monotonic() + between(10ms, 300ms);
  }
  for (auto at = processes_.begin(); at != processes_.end();) {
    if (asked.contains(at->first)) {
      ++at;
      continue;
    }
    if (at->second.alive()) orphans.push_back(at->first);
    at = processes_.erase(at);
  }
  return orphans;
}

void FakeNode::want(Process& process, model::Wanted wanted) {
  if (process.asked.wanted == wanted) return;
  process.asked.wanted = wanted;
  if (wanted != model::Wanted::kStopped) return;
  if (!process.alive()) {
    process.phase = Phase::kEnded;
    process.due = kNever;
  } else if (process.phase != Phase::kStopping) {
    process.phase = Phase::kDraining;
    process.due = clock_.monotonic() + between(0s, supervision(process).drain);
  }
}

bool FakeNode::needs_ready(const Process& process) const {
  if (!waits_for_needs_) return true;
  const std::vector<std::string>& needs = supervision(process).needs;
  return std::all_of(needs.begin(), needs.end(), [&](const std::string& need) {
    return std::any_of(processes_.begin(), processes_.end(), [&](const auto& entry) {
      return entry.second.asked.service == need && entry.second.phase == Phase::kHealthy;
    });
  });
}

void FakeNode::end(Process& process, model::Exit exit) {
  process.last_exit = std::move(exit);
  process.acknowledged = false;
  if (process.asked.wanted == model::Wanted::kStopped || process.asked.wanted == model::Wanted::kOnce) {
    process.phase = Phase::kEnded;
    process.due = kNever;
    return;
  }
  ++process.ends;
  process.crash_looping = process.ends >= kCrashLoop;
  process.phase = Phase::kWaiting;
  process.due = clock_.monotonic() + std::min<Duration>(1s * (int64_t{1} << std::min(process.ends, 6u)), 30s);
}

void FakeNode::come_up(Process& process) {
  std::string behaviour = setting(process.runtime, "BEHAVIOUR");
  if (process.asked.wanted == model::Wanted::kOnce) {
    bool fails = setting(process.runtime, "PREPARE") == "fail";
    end(process, model::Exit{.code = fails ? 1 : 0, .failure = {}});
    if (!fails) proven_.insert(process.asked.id);
  } else if (behaviour == "crash") {
    end(process, model::Exit{.code = 1, .failure = {}});
  } else if (behaviour == "hang") {
    process.due = kNever;
  } else if (behaviour == "sick") {
    process.phase = Phase::kUnhealthy;
    process.due = kNever;
  } else {
    process.phase = Phase::kHealthy;
    if (process.asked.wanted == model::Wanted::kIdle) proven_.insert(process.asked.id);  // it shall not serve
    process.acknowledge_due = clock_.monotonic() + between(1ms, gateway_delay_);
    process.due = behaviour == "flap" ? clock_.monotonic() + between(1s, 5s) : kNever;
  }
}

void FakeNode::go_on(Process& process) {
  switch (process.phase) {
    case Phase::kWaiting:
      if (!needs_ready(process)) {
        process.due = clock_.monotonic() + 500ms;
        return;
      }
      process.phase = Phase::kStarting;
      process.due = clock_.monotonic() + between(50ms, 2s);
      return;
    case Phase::kStarting:
      return come_up(process);
    case Phase::kHealthy:
      return end(process, model::Exit{.code = 2, .failure = {}});
    case Phase::kDraining:
      process.phase = Phase::kStopping;
      process.due = clock_.monotonic() + between(1ms, supervision(process).stop.grace);
      return;
    case Phase::kStopping:
      return end(process, model::Exit{.signal = 15, .failure = {}});
    case Phase::kUnhealthy:
    case Phase::kEnded:
      process.due = kNever;
  }
}

bool FakeNode::advance() {
  if (!present()) return false;
  bool changed = false;
  MonotonicTime now = clock_.monotonic();
  for (auto at = processes_.begin(); at != processes_.end();) {
    Process& process = at->second;
    if (process.due <= now) {
      Phase before = process.phase;
      go_on(process);
      changed = changed || process.phase != before;
    }
    if (process.phase == Phase::kHealthy && !process.acknowledged && process.acknowledge_due <= now) {
      process.acknowledged = true;
      proven_.insert(at->first);
      changed = true;
    }
    // Ended and not wanted: forgotten.
    bool forget = process.phase == Phase::kEnded && process.asked.wanted == model::Wanted::kStopped;
    changed = changed || forget;
    at = forget ? processes_.erase(at) : std::next(at);
  }
  return changed;
}

MonotonicTime FakeNode::next() const {
  MonotonicTime out = kNever;
  for (const auto& [id, process] : processes_) {
    out = std::min(out, process.due);
    if (process.phase == Phase::kHealthy && !process.acknowledged) out = std::min(out, process.acknowledge_due);
    if (process.phase == Phase::kEnded && process.asked.wanted == model::Wanted::kStopped) out = clock_.monotonic();
  }
  return out == kNever ? out : std::max(out, away_until_);
}

model::NodeObserved FakeNode::observe() const {
  using model::InstanceState;
  model::NodeObserved out;
  out.revision = stored_.revision;
  out.boot_id = fmt::format("boot-{}", boots_);
  for (const auto& [id, process] : processes_) {
    model::ObservedInstance& seen = out.instances.emplace_back();
    seen.id = id;
    seen.service = process.asked.service;
    seen.fingerprint = process.asked.fingerprint;
    seen.restarts = process.ends;
    seen.last_exit = process.last_exit;
    seen.serving = process.serves() && process.asked.wanted == model::Wanted::kRunning;
    switch (process.phase) {
      case Phase::kWaiting:
        seen.state = process.crash_looping ? InstanceState::kCrashLooping : InstanceState::kWaiting;
        break;
      case Phase::kStarting:
        seen.state = process.crash_looping ? InstanceState::kCrashLooping : InstanceState::kStarting;
        break;
      case Phase::kHealthy:
        seen.state = InstanceState::kHealthy;
        break;
      case Phase::kUnhealthy:
        seen.state = InstanceState::kUnhealthy;
        break;
      case Phase::kDraining:
        seen.state = InstanceState::kDraining;
        break;
      case Phase::kStopping:
        seen.state = InstanceState::kStopping;
        break;
      case Phase::kEnded:
        seen.state = InstanceState::kStopped;
        break;
    }
  }
  return out;
}

void FakeNode::kill(const std::string& id) {
  auto found = processes_.find(id);
  if (found != processes_.end() && found->second.alive()) end(found->second, model::Exit{.signal = 9, .failure = {}});
}

void FakeNode::leave(Duration how_long) { away_until_ = std::max(away_until_, clock_.monotonic() + how_long); }

void FakeNode::reboot(Duration how_long) {
  ++boots_;
  for (auto& [id, process] : processes_) {
    if (!process.alive()) continue;
    end(process, model::Exit{.failure = "the node restarted"});
    process.ends = 0;  // no fault of the program
    process.crash_looping = false;
    if (process.phase == Phase::kWaiting) process.due = clock_.monotonic() + how_long;
  }
  leave(how_long);
}

}  // namespace freehold::sim
