#include "gateway/access_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <iterator>

#include "base/log.h"

namespace freehold::gateway {
namespace {

constexpr size_t kTimeLength = 24;  // 2026-11-20T17:26:57.000Z
constexpr off_t kTimeOffset = 9;    // behind {"time":"

// A JSON string. Bytes beyond ASCII are written as U+00XX: what clients send is no promise of UTF-8.
void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", byte);
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
  out += name;
  append_quoted(out, text);
}

}  // namespace

AccessLog::AccessLog(runtime::Loop& loop, Counters& counters, Options options)
    : counters_(counters), options_(std::move(options)), age_(loop, runtime::complete<&AccessLog::on_age>(this)) {
  batch_.reserve(options_.batch_bytes + 4096);
}

void AccessLog::write(const RequestRecord& record, std::string_view client, WallTime wall, MonotonicTime now) {
  if (batch_.empty()) age_.start(options_.batch_age);
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(now - record.began).count();
  newest_ = wall;
  append_member(batch_, "{\"time\":", format_time(wall));
  append_member(batch_, ",\"client\":", client);
  append_member(batch_, ",\"method\":", record.method_text);
  append_member(batch_, ",\"host\":", record.host);
  append_member(batch_, ",\"path\":", record.path);
  fmt::format_to(std::back_inserter(batch_), ",\"status\":{},\"bytes\":{},\"received\":{},\"ms\":{}.{:03}",
                 record.status, record.bytes_sent, record.bytes_received, microseconds / 1000, microseconds % 1000);
  if (!record.service.empty()) append_member(batch_, ",\"service\":", record.service);
  if (!record.instance.empty()) append_member(batch_, ",\"instance\":", record.instance);
  if (record.retries > 0) fmt::format_to(std::back_inserter(batch_), ",\"retries\":{}", record.retries);
  append_member(batch_, ",\"request\":", record.id_text());
  batch_ += "}\n";
  ++lines_;
  if (batch_.size() >= options_.batch_bytes) flush();
}

void AccessLog::on_age(int /*result*/) { flush(); }

bool AccessLog::open() {
  if (file_) return true;
  file_.reset(::open(options_.path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!file_) return false;
  struct stat status{};
  file_size_ = ::fstat(file_.get(), &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
  // What a gateway before us wrote begins with the time of its first line.
  char time[kTimeLength];
  began_ = newest_;
  if (file_size_ > 0 && ::pread(file_.get(), time, sizeof time, kTimeOffset) == sizeof time) {
    began_ = parse_time({time, sizeof time}).value_or(newest_);
  }
  return true;
}

bool AccessLog::is_full() const {
  const bool old = options_.files.age > Duration::zero() && file_size_ > 0 && newest_ - began_ > options_.files.age;
  return old || file_size_ + batch_.size() > options_.files.file.count;
}

void AccessLog::rotate() {
  file_.reset();
  for (uint32_t number = options_.files.most - 1; number > 0; --number) {
    const std::string older = fmt::format("{}.{}", options_.path, number);
    const std::string newer = number == 1 ? options_.path : fmt::format("{}.{}", options_.path, number - 1);
    ::rename(newer.c_str(), older.c_str());
  }
}

void AccessLog::flush() {
  age_.cancel();
  if (batch_.empty()) return;
  bool good = open();
  if (good && file_size_ > 0 && is_full()) {
    rotate();
    good = open();
  }
  std::string_view rest = batch_;
  while (good && !rest.empty()) {
    const ssize_t written = ::write(file_.get(), rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    good = written > 0;
    if (good) rest.remove_prefix(static_cast<size_t>(written));
  }
  if (good) {
    file_size_ += batch_.size();
  } else {
    if (counters_.log_dropped.get() == 0) log_warning("gateway", "access log {} cannot be written", options_.path);
    counters_.log_dropped.add(lines_);
    file_.reset();
  }
  batch_.clear();
  lines_ = 0;
}

}  // namespace freehold::gateway
