#include "agent/log_keeping.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace freehold::agent {
namespace {

constexpr size_t kPiece = 256 << 10;
constexpr std::string_view kEnd = ".log";
constexpr int kMostTries = 3;

struct Name {
  std::string writer;
  uint64_t number = 0;
};

// "web.3.log" is {web.3, 0}, "web.3.log.2" is {web.3, 2}; nothing else is ours.
std::optional<Name> parse_name(std::string_view name) {
  Name parsed;
  size_t dot = name.rfind('.');
  if (!name.ends_with(kEnd) && dot != std::string_view::npos) {
    std::string_view digits = name.substr(dot + 1);
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), parsed.number);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    name = name.substr(0, dot);
  }
  if (!name.ends_with(kEnd)) return std::nullopt;
  parsed.writer = name.substr(0, name.size() - kEnd.size());
  return parsed;
}

}  // namespace

Result<std::vector<LogKeeping::File>> LogKeeping::list(const std::set<std::string>& instances) {
  std::vector<File> files;
  FH_ASSIGN(std::vector<os::FileInfo> folders, disk_.list(layout_.logs()));
  for (const os::FileInfo& folder : folders) {
    if (folder.kind != os::FileKind::kDirectory) continue;
    bool platform = folder.name == model::Layout::kAccessLog || folder.name == model::Layout::kPlatformLog;
    std::string path = os::join_path(layout_.logs(), folder.name);
    FH_ASSIGN(std::vector<os::FileInfo> inside, disk_.list(path));
    for (const os::FileInfo& file : inside) {
      auto name = parse_name(file.name);
      if (!name || file.kind != os::FileKind::kFile) continue;
      bool written = name->number == 0 && (platform || instances.contains(name->writer));
      files.push_back({os::join_path(path, file.name), file.inode, file.size, file.modified, name->number, written});
    }
  }
  std::ranges::sort(files, [](const File& one, const File& other) {
    return one.modified != other.modified ? one.modified < other.modified : one.number > other.number;
  });
  return files;
}

uint64_t LogKeeping::count_lines(const std::vector<File>& files) {
  std::map<uint64_t, Counted> counted;
  uint64_t lines = 0;
  uint64_t budget = kMostCounted;
  for (const File& file : files) {
    Counted& at = counted[file.inode] = counted_[file.inode];
    if (at.bytes > file.size) at = {};  // another file has the number now
    auto opened = at.bytes < file.size && budget > 0 ? disk_.open(file.path)
                                                     : Error(ErrorCode::kNotFound, "there is nothing to count");
    while (opened && at.bytes < file.size && budget > 0) {
      auto piece = (*opened)->read(at.bytes, std::min<uint64_t>({kPiece, file.size - at.bytes, budget}));
      if (!piece || piece->empty()) break;
      at.lines += static_cast<uint64_t>(std::ranges::count(*piece, '\n'));
      at.bytes += piece->size();
      budget -= piece->size();
    }
    lines += at.lines;
  }
  counted_ = std::move(counted);
  return lines;
}

// False: another file has its name now.
Result<bool> LogKeeping::remove(const File& file, Swept& swept) {
  auto now = disk_.info(file.path);
  if (!now || now->inode != file.inode) return false;
  FH_TRY(disk_.remove(file.path));
  ++swept.files;
  swept.bytes.count += file.size;
  swept.left.count -= file.size;
  return true;
}

Result<bool> LogKeeping::remove_oldest(const model::Keep& keep, const std::set<std::string>& instances, Swept& swept) {
  FH_ASSIGN(std::vector<File> files, list(instances));
  swept.left = {};
  for (const File& file : files) swept.left.count += file.size;
  uint64_t lines = keep.count ? count_lines(files) : 0;
  const uint64_t most = keep.size.value_or(model::kLogSize).count;
  const Duration now = clock_.wall().time_since_epoch();
  std::optional<Error> failed;
  for (const File& file : files) {
    if (file.written) continue;
    bool old = keep.age && file.modified < now - *keep.age;
    bool many = keep.count && lines > *keep.count;
    if (swept.left.count <= most && !old && !many) break;
    auto removed = remove(file, swept);
    if (removed && !*removed) return false;
    if (!removed && !failed) failed = removed.error();
    if (keep.count) lines -= counted_[file.inode].lines;
  }
  if (failed) return *failed;
  return true;
}

Result<LogKeeping::Swept> LogKeeping::sweep(const model::Keep& keep, const std::set<std::string>& instances) {
  Swept swept;
  for (int tries = 0; tries < kMostTries; ++tries) {
    FH_ASSIGN(bool done, remove_oldest(keep, instances, swept));
    if (done) break;  // else once more, and then it is for the next sweep: more than has to go must not
  }
  return swept;
}

}  // namespace freehold::agent
