#include "keep/tar.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "keep/tar_block.h"

namespace freehold::keep {
namespace {

using os::TreeEntry;
using os::TreeKind;

constexpr std::string_view kExtendedName = "././@PaxHeader";
constexpr std::string_view kSparseName = "./GNUSparseFile.0/";
constexpr size_t kNanoDigits = 9;
constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kMostSeconds = INT64_MAX / kSecond;

constexpr char kFileType = '0';
constexpr char kHardLinkType = '1';
constexpr char kSymlinkType = '2';
constexpr char kFolderType = '5';
constexpr char kExtendedType = 'x';

char type_of(TreeKind kind) {
  switch (kind) {
    case TreeKind::kFolder:
      return kFolderType;
    case TreeKind::kSymlink:
      return kSymlinkType;
    case TreeKind::kHardLink:
      return kHardLinkType;
    case TreeKind::kFile:
      break;
  }
  return kFileType;
}

Error damaged(std::string_view what) {
  return Error(ErrorCode::kCorrupt, fmt::format("the archive in it is damaged: {}", what));
}

bool is_sparse(const TreeEntry& entry) { return entry.kind == TreeKind::kFile && entry.data_size() != entry.size; }

bool is_path(std::string_view path) {
  if (path.empty() || path.size() > kMostPath || path.find('\0') != std::string_view::npos) return false;
  return std::ranges::none_of(split(path, '/'),
                              [](std::string_view part) { return part.empty() || part == "." || part == ".."; });
}

bool is_text(std::string_view text, size_t most) {
  return text.size() <= most && text.find('\0') == std::string_view::npos;
}

bool within_limits(const Member& member) {
  const TreeEntry& entry = member.entry;
  bool target = entry.kind == TreeKind::kHardLink  ? is_path(entry.target)
                : entry.kind == TreeKind::kSymlink ? !entry.target.empty() && is_text(entry.target, kMostPath)
                                                   : entry.target.empty();
  return target && is_path(entry.path) && is_text(member.user, kMostOwnerName) &&
         is_text(member.group, kMostOwnerName) && entry.extents.size() <= TreeEntry::kMostExtents &&
         entry.modified.count() >= 0 && entry.size <= INT64_MAX;
}

std::string to_decimal(Duration time) {
  auto count = static_cast<uint64_t>(time.count());
  return fmt::format("{}.{:0{}}", count / kSecond, count % kSecond, kNanoDigits);
}

std::optional<Duration> parse_decimal(std::string_view text) {
  size_t point = text.find('.');
  if (point == std::string_view::npos || text.size() - point - 1 != kNanoDigits) return std::nullopt;
  std::optional<uint64_t> seconds = parse_number(text.substr(0, point));
  std::string_view digits = text.substr(point + 1);
  if (!seconds || *seconds >= kMostSeconds || !std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; }))
    return std::nullopt;
  uint64_t nanos = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), nanos);
  return Duration(static_cast<int64_t>(*seconds * kSecond + nanos));
}

std::string name_in_block(const TreeEntry& entry) {
  if (!is_sparse(entry)) return entry.path.substr(0, kNameField);
  return (std::string(kSparseName) + entry.path.substr(entry.path.rfind('/') + 1)).substr(0, kNameField);
}

TarBlock block_of(const Member& member, uint64_t stored) {
  const TreeEntry& entry = member.entry;
  TarBlock block;
  block.name = name_in_block(entry);
  block.mode = entry.mode;
  block.owner = entry.owner;
  block.group = entry.group;
  block.size = stored;
  block.seconds = static_cast<uint64_t>(entry.modified.count()) / kSecond;
  block.type = type_of(entry.kind);
  block.target = entry.target.substr(0, kNameField);
  block.user = member.user.substr(0, kOwnerField);
  block.group_name = member.group.substr(0, kOwnerField);
  return block;
}

TarBlock extended_block(uint64_t size) {
  TarBlock block;
  block.name = kExtendedName;
  block.mode = 0600;
  block.size = size;
  block.type = kExtendedType;
  return block;
}

// What the block itself cannot say, and the time.
Records records_of(const Member& member, uint64_t stored) {
  const TreeEntry& entry = member.entry;
  Records records;
  records["mtime"] = to_decimal(entry.modified);
  if (is_sparse(entry)) {
    records["GNU.sparse.major"] = "1";
    records["GNU.sparse.minor"] = "0";
    records["GNU.sparse.name"] = entry.path;
    records["GNU.sparse.realsize"] = std::to_string(entry.size);
  } else if (entry.path.size() > kNameField) {
    records["path"] = entry.path;
  }
  if (entry.target.size() > kNameField) records["linkpath"] = entry.target;
  if (!fits_octal(entry.owner, kIdDigits)) records["uid"] = std::to_string(entry.owner);
  if (!fits_octal(entry.group, kIdDigits)) records["gid"] = std::to_string(entry.group);
  if (member.user.size() > kOwnerField) records["uname"] = member.user;
  if (member.group.size() > kOwnerField) records["gname"] = member.group;
  if (!fits_octal(stored, kSizeDigits)) records["size"] = std::to_string(stored);
  return records;
}

// The way back.
bool is_sparse(const Records& records) { return records.contains("GNU.sparse.realsize"); }

std::string text_of(const Records& records, std::string_view key, const std::string& fallback) {
  auto found = records.find(key);
  return found == records.end() ? fallback : found->second;
}

std::optional<uint64_t> number_of(const Records& records, std::string_view key, uint64_t fallback) {
  return parse_number(text_of(records, key, std::to_string(fallback)));
}

std::optional<uint64_t> stored_of(const TarBlock& header, const Records& records) {
  return number_of(records, "size", header.size);
}

std::optional<TreeKind> kind_of(char type) {
  for (TreeKind kind : {TreeKind::kFile, TreeKind::kFolder, TreeKind::kSymlink, TreeKind::kHardLink}) {
    if (type_of(kind) == type) return kind;
  }
  return std::nullopt;
}

// All but the extents, and the size of a file without holes.
Result<Member> member_of(const TarBlock& header, const Records& records) {
  auto owner = number_of(records, "uid", header.owner), group = number_of(records, "gid", header.group),
       stored = stored_of(header, records), real = number_of(records, "GNU.sparse.realsize", 0);
  std::optional<Duration> modified = parse_decimal(text_of(records, "mtime", ""));
  std::optional<TreeKind> kind = kind_of(header.type);
  if (!owner || !group || !stored || !real || !modified || *owner > UINT32_MAX || *group > UINT32_MAX)
    return damaged("a header has no number where one belongs");
  bool file = kind == TreeKind::kFile;
  if (!kind || (!file && (*stored != 0 || is_sparse(records))) || header.mode > 07777)
    return damaged("a member is of a kind that Freehold does not write");
  Member member;
  TreeEntry& entry = member.entry;
  entry.path = text_of(records, is_sparse(records) ? "GNU.sparse.name" : "path", header.name);
  entry.kind = *kind;
  entry.mode = static_cast<mode_t>(header.mode);
  entry.owner = static_cast<uid_t>(*owner);
  entry.group = static_cast<gid_t>(*group);
  entry.modified = *modified;
  entry.size = *real;
  entry.target = text_of(records, "linkpath", header.target);
  member.user = text_of(records, "uname", header.user);
  member.group = text_of(records, "gname", header.group_name);
  return member;
}

}  // namespace

Result<void> TarWriter::begin(const Member& member) {
  if (left_ > 0) return Error(ErrorCode::kInternal, "a member of an archive got less than it has");
  if (!within_limits(member))
    return Error(ErrorCode::kInvalid, fmt::format("{} has a name or an owner that is too long", member.entry.path));
  std::string map = is_sparse(member.entry) ? encode_map(member.entry.extents, member.entry.size) : "";
  left_ = member.entry.data_size();
  padding_ = padding_of(left_);
  uint64_t stored = map.size() + left_;
  std::string records = encode_records(records_of(member, stored));
  std::string head = encode_block(extended_block(records.size())) + records;
  head.append(padding_of(records.size()), '\0');
  return sink_(head + encode_block(block_of(member, stored)) + map);
}

Result<void> TarWriter::write(std::string_view bytes) {
  if (bytes.size() > left_) return Error(ErrorCode::kInternal, "a member of an archive got more than it has");
  left_ -= bytes.size();
  FH_TRY(sink_(bytes));
  return left_ > 0 || padding_ == 0 ? Result<void>() : sink_(std::string(std::exchange(padding_, 0), '\0'));
}

Result<void> TarWriter::finish() {
  if (left_ > 0) return Error(ErrorCode::kInternal, "a member of an archive got less than it has");
  return sink_(std::string(2 * kBlock, '\0'));
}

Result<void> TarReader::on_extended(const TarBlock& header) {
  TarBlock right = extended_block(header.size);
  if (extended_ || header.size == 0 || header.size > kMostExtended || encode_block(header) != encode_block(right))
    return damaged("an extended header is not as Freehold writes it");
  text_.clear();
  left_ = header.size;
  padding_ = padding_of(header.size);
  state_ = State::kExtended;
  return {};
}

Result<void> TarReader::on_header(std::string_view block) {
  if (block.find_first_not_of('\0') == std::string_view::npos) {
    if (extended_) return damaged("an extended header belongs to nothing");
    state_ = State::kEnd;
    return {};
  }
  FH_ASSIGN(TarBlock header, decode_block(block));
  if (header.type == kExtendedType) return on_extended(header);
  if (!extended_) return damaged("a header has no extended one before it");
  FH_ASSIGN(Records records, decode_records(*extended_));
  FH_ASSIGN(member_, member_of(header, records));
  bool sparse = is_sparse(records);
  left_ = stored_of(header, records).value_or(0);
  padding_ = padding_of(left_);
  header_ = std::string(block);
  state_ = sparse ? State::kMap : State::kData;
  if (sparse) return {};
  if (member_.entry.kind == TreeKind::kFile && left_ > 0) member_.entry.extents = {{0, left_}};
  member_.entry.size = left_;
  return begin_data();
}

Result<void> TarReader::on_map(std::string_view block) {
  if (left_ < kBlock) return damaged("the map of a file with holes is cut");
  text_ += block;
  left_ -= kBlock;
  FH_ASSIGN(std::optional<std::vector<os::Extent>> extents, decode_map(text_, member_.entry.size));
  if (!extents) return {};
  member_.entry.extents = *std::move(extents);
  if (member_.entry.data_size() != left_) return damaged("a file with holes has more or less than its map says");
  return begin_data();
}

// Each member has one form: what would be written for it is what stands there.
Result<void> TarReader::begin_data() {
  uint64_t stored = left_ + text_.size();
  if (!within_limits(member_)) return damaged("a name is too long, or leads outside");
  bool right = (state_ == State::kMap) == is_sparse(member_.entry) &&
               encode_records(records_of(member_, stored)) == *extended_ &&
               encode_block(block_of(member_, stored)) == header_;
  if (!right) return damaged("a header is not as Freehold writes it");
  extended_.reset();
  text_.clear();
  state_ = State::kData;
  FH_TRY(handler_.on_member(member_));
  return left_ == 0 ? end_data() : Result<void>();
}

Result<void> TarReader::end_data() {
  state_ = padding_ > 0 ? State::kPadding : State::kHeader;
  return handler_.on_member_end();
}

// What takes bytes as they come, up to its end.
Result<void> TarReader::take_data(std::string_view& bytes) {
  if (state_ == State::kPadding) {
    std::string_view part = bytes.substr(0, padding_);
    if (part.find_first_not_of('\0') != std::string_view::npos) return damaged("padding is not empty");
    bytes.remove_prefix(part.size());
    padding_ -= part.size();
    if (padding_ > 0) return {};
    // After an extended header its records are held.
    if (!text_.empty()) extended_ = std::exchange(text_, {});
    state_ = State::kHeader;
    return {};
  }
  std::string_view part = bytes.substr(0, left_);
  bytes.remove_prefix(part.size());
  left_ -= part.size();
  if (state_ == State::kExtended) {
    text_ += part;
    if (left_ > 0) return {};
    state_ = State::kPadding;
    if (padding_ == 0) extended_ = std::exchange(text_, {}), state_ = State::kHeader;
    return {};
  }
  FH_TRY(handler_.on_data(part));
  return left_ == 0 ? end_data() : Result<void>();
}

Result<void> TarReader::take(std::string_view block) {
  if (state_ == State::kMap) return on_map(block);
  if (state_ == State::kHeader) return on_header(block);
  if (state_ == State::kEnd && block.find_first_not_of('\0') == std::string_view::npos) {
    state_ = State::kEnded;
    return {};
  }
  return damaged("it goes on after its end");
}

Result<void> TarReader::write(std::string_view bytes) {
  while (!bytes.empty()) {
    if (state_ == State::kExtended || state_ == State::kData || state_ == State::kPadding) {
      FH_TRY(take_data(bytes));
      continue;
    }
    std::string_view part = bytes.substr(0, kBlock - block_.size());
    block_ += part;
    bytes.remove_prefix(part.size());
    if (block_.size() == kBlock) FH_TRY(take(std::exchange(block_, {})));
  }
  return {};
}

Result<void> TarReader::finish() const {
  if (state_ == State::kEnded && block_.empty()) return {};
  return damaged("it has no end");
}

}  // namespace freehold::keep
