// GET /v1/logs: what services print, merged over services and instances, with or without an end.
#include <fmt/core.h>

#include <algorithm>

#include "api/follower.h"
#include "base/text.h"
#include "control/overrides.h"
#include "logs/log_reader.h"
#include "model/layout.h"
#include "os/disk.h"

namespace freehold::api {
namespace {

constexpr size_t kBatch = 1000;
constexpr uint64_t kMostLines = 100'000;
constexpr Duration kRhythm = std::chrono::milliseconds(250);  // keepers write files: nobody tells us

codec::Json entry_json(const logs::LogEntry& entry) {
  if (entry.stream == "access") {
    auto record = codec::Json::parse(entry.line);
    return record ? *std::move(record) : codec::Json::object();
  }
  codec::Json json = codec::Json::object();
  json.append("time", format_time(entry.time));
  json.append("service", entry.service);
  json.append("instance", entry.instance);
  json.append("stream", entry.stream);
  json.append("line", entry.line);
  if (entry.continued) json.append("continued", true);
  if (entry.dropped != 0) json.append("dropped", entry.dropped);
  return json;
}

struct Source {
  logs::LogReader reader;
  logs::Cursor cursor;
};

// What all sources have now, in the order of time.
Result<std::vector<logs::LogEntry>> read_all(std::vector<Source>& sources) {
  std::vector<logs::LogEntry> out;
  for (Source& source : sources) {
    FH_ASSIGN(std::vector<logs::LogEntry> batch, source.reader.next(source.cursor, kBatch));
    std::ranges::move(batch, std::back_inserter(out));
  }
  std::ranges::stable_sort(out, {}, &logs::LogEntry::time);
  return out;
}

class LogFollower : public Follower {
 public:
  LogFollower(ApiService& service, std::shared_ptr<http::Exchange> exchange, std::vector<Source> sources)
      : Follower(service, std::move(exchange), kRhythm), sources_(std::move(sources)) {}

 protected:
  bool write_more() override {
    for (bool room = true; room;) {
      auto batch = read_all(sources_);
      if (!batch) return false;
      if (batch->empty()) return true;
      std::string text;
      for (const logs::LogEntry& entry : *batch) text += entry_json(entry).dump() + "\n";
      room = write(text);
    }
    return true;
  }

 private:
  std::vector<Source> sources_;
};

// One that was removed has logs still; one that is declared may have none yet.
Result<void> check_known(const std::string& service, const std::vector<std::string>& names) {
  if (std::ranges::find(names, service) != names.end()) return {};
  std::vector<std::string_view> views(names.begin(), names.end());
  std::string_view near = near_name(service, views);
  return Error(ErrorCode::kNotFound, fmt::format("there is no service '{}'{}", service,
                                                 near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
}

Result<std::vector<Source>> open_sources(const std::string& folder, const std::string& subject,
                                         const logs::LogStart& wanted) {
  os::Disk& disk = os::system_disk();
  logs::LogStart start = wanted;
  std::vector<std::string> services;
  std::string_view service = control::service_of(subject);
  if (!service.empty()) {
    services = {std::string(service)};
    start.instances = {subject};
  } else if (!subject.empty()) {
    services = {subject};
  } else if (auto entries = disk.list(folder)) {
    for (const os::FileInfo& entry : *entries) {
      if (entry.kind == os::FileKind::kDirectory && entry.name != model::Layout::kPlatformLog &&
          entry.name != model::Layout::kAccessLog)
        services.push_back(entry.name);
    }
  }
  std::vector<Source> out;
  for (const std::string& name : services) {
    if (name.find('/') != std::string::npos || name.starts_with('.'))
      return Error(ErrorCode::kInvalid, "that is no service");
    logs::LogReader reader(disk, os::join_path(folder, name));
    FH_ASSIGN(logs::Cursor cursor, reader.start(start));
    out.push_back({std::move(reader), std::move(cursor)});
  }
  return out;
}

// All of what the gateway answered, or what went to a service or instance.
Result<std::vector<Source>> open_access_log(const std::string& folder, const std::string& subject,
                                            const logs::LogStart& wanted) {
  logs::LogStart start = wanted;
  start.subject = subject;
  logs::LogReader reader(os::system_disk(), os::join_path(folder, model::Layout::kAccessLog), logs::LogFormat::kAccess);
  FH_ASSIGN(logs::Cursor cursor, reader.start(start));
  std::vector<Source> out;
  out.push_back({std::move(reader), std::move(cursor)});
  return out;
}

}  // namespace

std::vector<std::string> ApiService::services_with_logs() const {
  std::vector<std::string> names;
  if (const control::Composed* composed = controller_.composed()) {
    for (const auto& [name, service] : composed->services) names.push_back(name);
  }
  if (auto entries = os::system_disk().list(options_.logs_folder)) {
    for (const os::FileInfo& entry : *entries) {
      if (entry.kind == os::FileKind::kDirectory) names.push_back(entry.name);
    }
  }
  return names;
}

void ApiService::follow_logs(Call& call) {
  logs::LogStart start;
  if (call.has("since")) {
    auto since = parse_time(call.text("since"));
    if (!since) return call.respond(since.error());
    start.since = *since;
  }
  if (call.has("last")) {
    auto last = call.number("last");
    if (!last) return call.respond(last.error());
    start.last = std::min(*last, kMostLines);
  }
  std::string subject = call.text("service");
  if (!subject.empty()) {
    std::string_view service = control::service_of(subject);
    auto known = check_known(service.empty() ? subject : std::string(service), services_with_logs());
    if (!known) return call.respond(known.error());
  }
  auto* open = call.text("access") == "1" ? &open_access_log : &open_sources;
  auto sources = open(options_.logs_folder, subject, start);
  if (!sources) return call.respond(sources.error());
  if (call.text("follow") == "1")
    return follow(std::make_unique<LogFollower>(*this, call.exchange, *std::move(sources)));
  std::string body;
  for (uint64_t lines = 0; lines < kMostLines;) {
    auto batch = read_all(*sources);
    if (!batch) return call.respond(batch.error());
    if (batch->empty()) break;
    lines += batch->size();
    for (const logs::LogEntry& entry : *batch) body += entry_json(entry).dump() + "\n";
  }
  call.respond(http::response_of(200, "application/x-ndjson", std::move(body)));
}

}  // namespace freehold::api
