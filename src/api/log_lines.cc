// GET /v1/logs: what services print, merged over services and instances, with or without an end.
#include <fmt/core.h>

#include <algorithm>

#include "api/going_on.h"
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

// The gateway writes an access record as the line that it is here.
std::string line_of(const logs::LogEntry& entry) {
  if (entry.stream == "access") {
    auto record = codec::Json::parse(entry.line);
    return record ? record->dump() + "\n" : "";
  }
  LogLine line{.time = format_time(entry.time),
               .service = entry.service,
               .instance = entry.instance,
               .stream = entry.stream,
               .line = entry.line};
  if (entry.continued) line.continued = true;
  if (entry.dropped != 0) line.dropped = entry.dropped;
  return codec::to_json(line).dump() + "\n";
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
  LogFollower(runtime::Loop& loop, std::shared_ptr<http::Exchange> exchange, std::vector<Source> sources)
      : Follower(loop, std::move(exchange), kRhythm), sources_(std::move(sources)) {}

 protected:
  bool write_more() override {
    for (bool room = true; room;) {
      auto batch = read_all(sources_);
      if (!batch) return false;
      if (batch->empty()) return true;
      std::string text;
      for (const logs::LogEntry& entry : *batch) text += line_of(entry);
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

std::vector<std::string> services_with_logs(const Backend& backend) {
  std::vector<std::string> names;
  if (const control::Composed* composed = backend.controller.composed()) {
    for (const auto& [name, service] : composed->services) names.push_back(name);
  }
  if (auto entries = os::system_disk().list(backend.options.logs_folder)) {
    for (const os::FileInfo& entry : *entries) {
      if (entry.kind == os::FileKind::kDirectory) names.push_back(entry.name);
    }
  }
  return names;
}

Result<std::vector<Source>> sources_of(const Call& call) {
  logs::LogStart start;
  if (call.has("since")) {
    FH_ASSIGN(start.since, parse_time(call.text("since")));
  }
  if (auto last = call.number("last")) start.last = std::min(*last, kMostLines);
  std::string subject = call.text("service");
  if (!subject.empty()) {
    std::string_view service = control::service_of(subject);
    FH_TRY(check_known(service.empty() ? subject : std::string(service), services_with_logs(call.backend)));
  }
  auto* open = call.flag("access") ? &open_access_log : &open_sources;
  return open(call.backend.options.logs_folder, subject, start);
}

Answer whole(std::vector<Source> sources) {
  std::string body;
  for (uint64_t lines = 0; lines < kMostLines;) {
    FH_ASSIGN(std::vector<logs::LogEntry> batch, read_all(sources));
    if (batch.empty()) break;
    lines += batch.size();
    for (const logs::LogEntry& entry : batch) body += line_of(entry);
  }
  return http::response_of(200, kLinesType, std::move(body));
}

}  // namespace

void log_lines(const std::shared_ptr<Call>& call) {
  auto sources = sources_of(*call);
  if (!sources) return call->respond(sources.error());
  if (!call->flag("follow")) return call->respond(whole(*std::move(sources)));
  Backend& backend = call->backend;
  backend.followers.begin(std::make_unique<LogFollower>(backend.loop, call->exchange, *std::move(sources)));
}

}  // namespace freehold::api
