#include "logs/log_files.h"

#include <algorithm>
#include <charconv>

#include "codec/json.h"

namespace freehold::logs {
namespace {

constexpr size_t kChunk = 64 << 10;
constexpr size_t kMostLine = 1 << 20;  // a 16 KiB line of which every byte was escaped is a tenth of this
constexpr uint64_t kMostRotated = 1000;

struct Name {
  std::string instance;
  uint64_t number = 0;
};

// "web.3.log" is {web.3, 0}, "web.3.log.2" is {web.3, 2}.
std::optional<Name> parse_name(std::string_view name) {
  constexpr std::string_view kEnd = ".log";
  if (name.ends_with(kEnd)) return Name{std::string(name.substr(0, name.size() - kEnd.size())), 0};
  size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || !name.substr(0, dot).ends_with(kEnd)) return std::nullopt;
  std::string_view digits = name.substr(dot + 1);
  Name out{std::string(name.substr(0, dot - kEnd.size())), 0};
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out.number);
  if (error != std::errc() || end != digits.data() + digits.size() || out.number == 0 || out.number > kMostRotated)
    return std::nullopt;
  return out;
}

}  // namespace

Result<std::map<std::string, std::vector<LogFile>>> list_log_files(os::Disk& disk, const std::string& folder) {
  std::map<std::string, std::vector<LogFile>> out;
  auto entries = disk.list(folder);
  if (!entries && entries.error().code() == ErrorCode::kNotFound) return out;
  if (!entries) return entries.error();
  std::map<std::string, std::map<uint64_t, LogFile, std::greater<>>> found;
  for (const os::FileInfo& entry : *entries) {
    auto name = parse_name(entry.name);
    if (!name || entry.kind != os::FileKind::kFile) continue;
    found[name->instance][name->number] = {os::join_path(folder, entry.name), entry.inode, entry.size,
                                           WallTime(entry.modified)};
  }
  for (auto& [instance, files] : found) {
    for (auto& [number, file] : files) out[instance].push_back(std::move(file));
  }
  return out;
}

Result<LogEntry> parse_entry(std::string_view line, LogFormat format) {
  FH_ASSIGN(codec::Json json, codec::Json::parse(line, {kMostLine, 4}));
  FH_ASSIGN(WallTime time, parse_time(json["time"].as_string()));
  LogEntry entry;
  entry.time = time;
  entry.service = json["service"].as_string();
  entry.instance = json["instance"].as_string();
  if (format == LogFormat::kAccess) {
    entry.stream = "access";
    entry.line = line;
    return entry;
  }
  entry.stream = json["stream"].as_string();
  entry.line = json["line"].as_string();
  entry.continued = json["continued"].as_bool();
  entry.dropped = static_cast<uint64_t>(std::max<int64_t>(0, json["dropped"].as_integer()));
  return entry;
}

InstanceLines::InstanceLines(os::Disk& disk, std::vector<LogFile> files, LogFormat format, Cursor::Position from,
                             Cursor& cursor)
    : disk_(disk), files_(std::move(files)), format_(format), cursor_(cursor), consumed_(from) {
  if (from.inode == 0 || files_.empty()) return;
  auto at = std::ranges::find(files_, from.inode, &LogFile::inode);
  if (at == files_.end()) {
    // Rotated out of existence since: go on with the oldest that is left.
    ++cursor_.lost_files;
    return;
  }
  file_ = static_cast<size_t>(at - files_.begin());
  // A keeper takes back half a record that the disk refused, so a file may have become shorter.
  offset_ = std::min(from.offset, at->size);
}

const LogEntry* InstanceLines::peek() {
  while (parsed_.empty()) {
    if (!fill()) return nullptr;
  }
  return &parsed_.front().entry;
}

void InstanceLines::pop() {
  consumed_ = parsed_.front().behind;
  parsed_.pop_front();
}

// Reads whole lines until at least one is parsed or a file ends; false when nothing is left to read.
bool InstanceLines::fill() {
  if (file_ >= files_.size()) return false;
  const LogFile& file = files_[file_];
  bool is_last = file_ + 1 == files_.size();
  auto opened = disk_.open(file.path);
  // A rotation between listing and opening gives the name to another file: the next call sees it as it is then.
  auto now = disk_.info(file.path);
  if (!opened || !now || now->inode != file.inode) return false;
  std::string bytes;
  while (bytes.size() < kMostLine) {
    auto more = (*opened)->read(offset_ + bytes.size(), kChunk);
    if (!more) return false;
    bytes += *more;
    if (bytes.find('\n') != std::string::npos || more->empty()) break;
  }
  size_t end = bytes.rfind('\n');
  if (end != std::string::npos) {
    bytes.resize(end + 1);
    take_lines(bytes);
    return true;
  }
  if (bytes.size() >= kMostLine) {
    // No keeper writes such a line: what is here is not a log. It is passed over piece by piece.
    offset_ += bytes.size();
    pass_over();
    return true;
  }
  // The end, or half a record that is being written. Only the current file can still grow.
  if (is_last) return false;
  ++file_;
  offset_ = 0;
  return true;
}

void InstanceLines::take_lines(const std::string& bytes) {
  std::string_view rest = bytes;
  while (!rest.empty()) {
    size_t end = rest.find('\n');
    offset_ += end + 1;
    auto entry = parse_entry(rest.substr(0, end), format_);
    rest.remove_prefix(end + 1);
    if (entry) {
      parsed_.push_back({*std::move(entry), {files_[file_].inode, offset_}});
    } else {
      pass_over();
    }
  }
}

// Up to offset_ there is no entry: not to be read, nor counted, again.
void InstanceLines::pass_over() {
  ++cursor_.malformed_lines;
  if (parsed_.empty()) consumed_ = {files_[file_].inode, offset_};
}

}  // namespace freehold::logs
