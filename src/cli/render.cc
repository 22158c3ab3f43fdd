#include "cli/render.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/display.h"
#include "base/text.h"
#include "cli/columns.h"
#include "cli/table.h"

namespace freehold::cli {
namespace {

using model::InstanceState;

Tone tone_of(InstanceState state) {
  switch (state) {
    case InstanceState::kHealthy:
      return Tone::kGood;
    case InstanceState::kUnhealthy:
    case InstanceState::kCrashLooping:
      return Tone::kBad;
    case InstanceState::kWaiting:
    case InstanceState::kStarting:
      return Tone::kWarn;
    default:
      return Tone::kDim;
  }
}

Tone tone_of_service(std::string_view state) {
  if (state == "healthy") return Tone::kGood;
  if (state == "down" || state == "crash-looping") return Tone::kBad;
  return Tone::kWarn;
}

std::string ago(WallTime then, WallTime now) {
  if (then.time_since_epoch().count() == 0) return "";
  return then >= now ? "now" : format_short(now - then);
}

// "14:03:07" of today in UTC would hide the day; events carry date and time to the second.
std::string short_time(std::string_view rfc3339) {
  std::string out(rfc3339.substr(0, 19));
  if (out.size() == 19) out[10] = ' ';
  return out;
}

std::string_view name_of(InstanceState state) { return enum_names(state)[static_cast<size_t>(state)]; }

constexpr size_t kManyInstances = 60;

int rank_of(const api::ServiceStatus& service) {
  if (service.state == "down" || service.state == "crash-looping") return 0;
  if (service.state == "degraded") return 1;
  return service.state == "healthy" ? 3 : 2;
}

// "40 services: 1 down, 2 degraded, 37 healthy; 76 of 80 instances healthy"
std::string totals_of(const std::vector<const api::ServiceStatus*>& services) {
  std::vector<std::pair<std::string, size_t>> states;
  uint64_t healthy = 0, wanted = 0;
  for (const api::ServiceStatus* service : services) {
    healthy += service->healthy;
    wanted += service->replicas;
    if (states.empty() || states.back().first != service->state) states.emplace_back(service->state, 0);
    ++states.back().second;
  }
  std::vector<std::string> parts;
  parts.reserve(states.size());
  for (const auto& [state, count] : states) parts.push_back(fmt::format("{} {}", count, state));
  return fmt::format("{} services: {}; {} of {} instances healthy\n", services.size(), join(parts, ", "), healthy,
                     wanted);
}

std::string services_text(const api::Status& status, WallTime now, bool color) {
  if (status.services.empty()) return "";
  std::vector<const api::ServiceStatus*> services;
  size_t instances = 0;
  for (const api::ServiceStatus& service : status.services) {
    services.push_back(&service);
    instances += service.instances.size();
  }
  std::ranges::stable_sort(services, {}, [](const api::ServiceStatus* service) {
    return std::make_pair(rank_of(*service), service->state);
  });
  Table table({"SERVICE", "STATE", "HEALTHY", "INSTANCE", "IS", "SINCE", "PID", "PORT", "RESTARTS", ""});
  for (const api::ServiceStatus* service : services) {
    bool first = true;
    auto lead = [&]() -> std::vector<Table::Cell> {
      if (!first) return {"", "", ""};
      first = false;
      return {service->name,
              {service->state, tone_of_service(service->state)},
              fmt::format("{}/{}", service->healthy, service->replicas)};
    };
    if (instances > kManyInstances && services.size() > 1 && service->state == "healthy") {
      table.add(lead());
      continue;
    }
    for (const model::ObservedInstance& instance : service->instances) {
      std::vector<Table::Cell> row = lead();
      row.emplace_back(instance.id);
      row.emplace_back(std::string(name_of(instance.state)), tone_of(instance.state));
      row.emplace_back(ago(instance.since, now));
      row.emplace_back(instance.pid == 0 ? "" : std::to_string(instance.pid));
      row.emplace_back(instance.port == 0 ? "" : std::to_string(instance.port));
      row.emplace_back(instance.restarts == 0 ? "" : std::to_string(instance.restarts));
      row.emplace_back(instance.state == InstanceState::kHealthy ? "" : printable(instance.reason), Tone::kDim);
      table.add(std::move(row));
    }
    if (first) table.add(lead());
  }
  std::string out = (services.size() > 1 ? totals_of(services) : "") + "\n" + table.text(color);
  // Of a single one there is room for where others reach it, which for what speaks no HTTP is the only way.
  if (services.size() == 1 && !services[0]->address.empty())
    out += fmt::format("\nreached at {}, from this machine\n", services[0]->address);
  return out;
}

}  // namespace

std::string render_status(const api::Status& status, WallTime now, bool color) {
  std::string out = fmt::format(
      "{}  generation {}{}{}\n", status.organisation.empty() ? "(nothing applied yet)" : status.organisation,
      status.generation, status.down ? ", down" : "", status.node_connected ? "" : ", no agent connected");
  if (status.rollout) {
    out += paint(fmt::format("{} towards generation {} under way, by {}, for {}\n", status.rollout->kind,
                             status.rollout->generation, status.rollout->who, ago(status.rollout->started, now)),
                 Tone::kWarn, color);
  }
  out += services_text(status, now, color);
  if (!status.urls.empty()) {
    out += "\n";
    for (const std::string& url : status.urls) out += url + "\n";
  }
  if (!status.daemons.empty()) {
    Table table({"PLATFORM", "PID", "SINCE", "RESTARTS"});
    for (const model::DaemonStatus& daemon : status.daemons) {
      table.add({daemon.name,
                 daemon.pid == 0 ? Table::Cell("gone", Tone::kBad) : Table::Cell(std::to_string(daemon.pid)),
                 ago(daemon.since, now), daemon.restarts == 0 ? "" : std::to_string(daemon.restarts)});
    }
    out += "\n" + table.text(color);
  }
  for (const std::string& departure : status.departures) {
    // What the machine cannot do is said once.
    if (std::ranges::find(status.problems, departure) != status.problems.end()) continue;
    out += paint("departs from the file: " + departure, Tone::kWarn, color) + "\n";
  }
  for (const std::string& problem : status.problems) out += paint("problem: " + problem, Tone::kBad, color) + "\n";
  return out;
}

std::string render_history(const std::vector<api::GenerationSummary>& history, WallTime now, bool color) {
  Table table({"GENERATION", "STATUS", "AGO", "BY", "SERVICES", "WHY", ""});
  for (const api::GenerationSummary& generation : history) {
    Tone tone = generation.status == "current"  ? Tone::kGood
                : generation.status == "failed" ? Tone::kBad
                                                : Tone::kPlain;
    table.add({std::to_string(generation.number),
               {generation.status, tone},
               ago(generation.created, now),
               generation.who,
               std::to_string(generation.services),
               generation.message,
               {generation.outcome, Tone::kDim}});
  }
  return table.text(color);
}

std::string render_doctor(const std::vector<Finding>& findings, bool color) {
  std::string out;
  for (const Finding& finding : findings) {
    Tone tone = finding.verdict == Verdict::kGood   ? Tone::kGood
                : finding.verdict == Verdict::kLess ? Tone::kWarn
                                                    : Tone::kBad;
    const char* word = finding.verdict == Verdict::kGood ? "good" : finding.verdict == Verdict::kLess ? "less" : "bad ";
    out += fmt::format("{}  {:<11} {}\n", paint(word, tone, color), finding.subject, finding.found);
    if (!finding.cost.empty()) out += fmt::format("                  costs: {}\n", finding.cost);
    if (!finding.remedy.empty()) out += fmt::format("                  do:    {}\n", finding.remedy);
  }
  return out;
}

std::string render_event(const codec::Json& event, bool color) {
  const std::string& kind = event["kind"].as_string();
  Tone tone = Tone::kPlain;
  if (kind.ends_with("failed") || kind.ends_with("looping") || kind.ends_with("unhealthy") || kind.ends_with("killed"))
    tone = Tone::kBad;
  if (kind.ends_with("healthy") && tone == Tone::kPlain) tone = Tone::kGood;
  if (kind.ends_with("done")) tone = Tone::kGood;
  std::string by = event["actor"].as_string();
  return fmt::format("{} {:>5}  {} {:<14} {}{}\n", paint(short_time(event["time"].as_string()), Tone::kDim, color),
                     event["id"].as_integer(), paint(fmt::format("{:<22}", kind), tone, color),
                     event["subject"].as_string(), event["message"].as_string(),
                     by.empty() ? "" : paint(fmt::format("  (by {})", by), Tone::kDim, color));
}

std::string render_access_line(const codec::Json& line, bool color) {
  int64_t status = line["status"].as_integer();
  Tone tone = status >= 500 ? Tone::kBad : status >= 400 ? Tone::kWarn : Tone::kPlain;
  const std::string& instance = line["instance"].as_string();
  return fmt::format(
      "{} {} {} {} {}{}  {} ms, {} bytes, from {}\n", paint(short_time(line["time"].as_string()), Tone::kDim, color),
      paint(fmt::format("{:<10}", instance.empty() ? line["service"].as_string() : instance), Tone::kDim, color),
      paint(std::to_string(status), tone, color), line["method"].as_string(), line["host"].as_string(),
      printable(line["path"].as_string()), line["ms"].as_number(), line["bytes"].as_integer(),
      line["client"].as_string());
}

std::string render_log_line(const codec::Json& line, bool color) {
  bool error = line["stream"].as_string() == "stderr";
  return fmt::format("{} {} {}\n", paint(short_time(line["time"].as_string()), Tone::kDim, color),
                     paint(fmt::format("{:<10}", line["instance"].as_string()), Tone::kDim, color),
                     paint(line["line"].as_string(), error ? Tone::kWarn : Tone::kPlain, color));
}

}  // namespace freehold::cli
