#include "cli/render.h"

#include <fmt/core.h>

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
  if (!status.services.empty()) {
    Table table({"SERVICE", "STATE", "HEALTHY", "INSTANCE", "IS", "SINCE", "PID", "PORT", "RESTARTS", ""});
    for (const api::ServiceStatus& service : status.services) {
      bool first = true;
      auto lead = [&]() -> std::vector<Table::Cell> {
        if (!first) return {"", "", ""};
        first = false;
        return {service.name,
                {service.state, tone_of_service(service.state)},
                fmt::format("{}/{}", service.healthy, service.replicas)};
      };
      for (const model::ObservedInstance& instance : service.instances) {
        std::vector<Table::Cell> row = lead();
        row.push_back(instance.id);
        row.push_back({std::string(name_of(instance.state)), tone_of(instance.state)});
        row.push_back(ago(instance.since, now));
        row.push_back(instance.pid == 0 ? "" : std::to_string(instance.pid));
        row.push_back(instance.port == 0 ? "" : std::to_string(instance.port));
        row.push_back(instance.restarts == 0 ? "" : std::to_string(instance.restarts));
        row.push_back({instance.state == InstanceState::kHealthy ? "" : instance.reason, Tone::kDim});
        table.add(std::move(row));
      }
      if (first) table.add(lead());
    }
    out += "\n" + table.text(color);
  }
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
  for (const std::string& departure : status.departures)
    out += paint("departs from the file: " + departure, Tone::kWarn, color) + "\n";
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

std::string render_log_line(const codec::Json& line, bool color) {
  bool error = line["stream"].as_string() == "stderr";
  return fmt::format("{} {} {}\n", paint(short_time(line["time"].as_string()), Tone::kDim, color),
                     paint(fmt::format("{:<10}", line["instance"].as_string()), Tone::kDim, color),
                     paint(line["line"].as_string(), error ? Tone::kWarn : Tone::kPlain, color));
}

}  // namespace freehold::cli
