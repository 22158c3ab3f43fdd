#include "keep/member_rules.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "keep/tar_block.h"

namespace freehold::keep {
namespace {

Error damaged(std::string_view what) {
  return Error(ErrorCode::kCorrupt, fmt::format("this is no backup that Freehold made: {}", what));
}

bool is_below(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

bool has_a_place(std::string_view path) {
  constexpr std::array<std::string_view, 3> kPlaces = {"state/control", "state/keys", "state/policy.yaml"};
  if (std::ranges::any_of(kPlaces, [&](std::string_view place) { return is_below(path, place); })) return true;
  return is_below(path, names::kVolumes) && std::ranges::count(path, '/') >= 2;
}

}  // namespace

Result<void> MemberRules::on_member(const Member& member) {
  const os::TreeEntry& entry = member.entry;
  if (summary_) return damaged("something stands after its summary");
  place_ = !begun_ ? Place::kFirst : entry.path == names::kSummary ? Place::kLast : Place::kOther;
  if (place_ != Place::kOther) {
    size_t most = place_ == Place::kFirst ? kMostFormat : kMostSummary;
    std::string_view name = place_ == Place::kFirst ? names::kFormat : names::kSummary;
    if (entry.path != name || entry.kind != os::TreeKind::kFile || entry.size > most || entry.data_size() != entry.size)
      return damaged("its first or last member is another");
    text_.clear();
    return {};
  }
  if (!has_a_place(entry.path)) return damaged(fmt::format("{} has no place in it", entry.path));
  ++members_;
  bytes_ += entry.data_size();
  expected_.clear();
  bool content = is_below(entry.path, names::kContents) && entry.kind == os::TreeKind::kFile;
  if (content) expected_ = entry.path.substr(entry.path.rfind('/') + 1);
  return receiver_ == nullptr ? Result<void>() : receiver_->on_member(member);
}

Result<void> MemberRules::on_data(std::string_view bytes) {
  if (place_ != Place::kOther) {
    text_ += bytes;
    return {};
  }
  if (!expected_.empty()) hash_.update(bytes);
  return receiver_ == nullptr ? Result<void>() : receiver_->on_data(bytes);
}

Result<void> MemberRules::on_member_end() {
  if (place_ == Place::kFirst) return read_format();
  if (place_ == Place::kLast) return read_summary();
  if (!expected_.empty() && hash_.finish_hex() != expected_)
    return damaged(fmt::format("content {} is not what its name says", expected_));
  return receiver_ == nullptr ? Result<void>() : receiver_->on_member_end();
}

Result<void> MemberRules::read_format() {
  std::string_view text = text_;
  if (!text.starts_with(kFormatWords) || !text.ends_with('\n')) return damaged("it does not begin as one");
  auto version = parse_number(text.substr(kFormatWords.size(), text.size() - kFormatWords.size() - 1));
  if (!version || *version == 0) return damaged("it does not begin as one");
  if (*version > kFormat) {
    return Error(
        ErrorCode::kUnsupported,
        fmt::format("it was made by a newer Freehold (format {}; this one knows up to {}): restore it with that "
                    "one",
                    *version, kFormat));
  }
  begun_ = true;
  return {};
}

Result<void> MemberRules::read_summary() {
  auto json = codec::Json::parse(text_);
  auto summary = json ? codec::from_json<Summary>(*json) : Result<Summary>(json.error());
  if (!summary) return damaged("its summary cannot be read: " + summary.error().message());
  if (summary->members != members_ || summary->bytes.count != bytes_)
    return damaged("its summary tells of other members than there are");
  summary_ = *std::move(summary);
  return {};
}

Result<Summary> MemberRules::finish() const {
  if (summary_) return *summary_;
  return damaged("it has no summary");
}

}  // namespace freehold::keep
