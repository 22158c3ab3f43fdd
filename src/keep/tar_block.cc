#include "keep/tar_block.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "keep/tar.h"

namespace freehold::keep {
namespace {

// Offsets and lengths of POSIX ustar.
struct Field {
  size_t at;
  size_t length;
};
constexpr Field kName{0, 100};
constexpr Field kMode{100, 8};
constexpr Field kOwner{108, 8};
constexpr Field kGroup{116, 8};
constexpr Field kSize{124, 12};
constexpr Field kTime{136, 12};
constexpr Field kSum{148, 8};
constexpr size_t kType = 156;
constexpr Field kTarget{157, 100};
constexpr Field kMagic{257, 8};
constexpr Field kUser{265, 32};
constexpr Field kGroupName{297, 32};
constexpr std::string_view kUstar("ustar\00000", 8);

void put(std::string& block, Field field, std::string_view text) {
  block.replace(field.at, std::min(text.size(), field.length), text.substr(0, field.length));
}

void put_number(std::string& block, Field field, uint64_t number) {
  size_t digits = field.length - 1;
  put(block, field, fmt::format("{:0{}o}", fits_octal(number, digits) ? number : 0, digits));
}

std::string text_at(std::string_view block, Field field) {
  std::string_view text = block.substr(field.at, field.length);
  return std::string(text.substr(0, text.find('\0')));
}

std::optional<uint64_t> number_at(std::string_view block, Field field) {
  std::string_view text = block.substr(field.at, field.length - 1);
  uint64_t number = 0;
  auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), number, 8);
  if (failure != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return number;
}

uint64_t sum_of(std::string_view block) {
  uint64_t sum = 0;
  for (size_t i = 0; i < block.size(); ++i) {
    bool own = i >= kSum.at && i < kSum.at + kSum.length;
    sum += own ? uint8_t{' '} : static_cast<uint8_t>(block[i]);
  }
  return sum;
}

Error damaged(std::string_view what) {
  return Error(ErrorCode::kCorrupt, fmt::format("the archive in it is damaged: {}", what));
}

}  // namespace

bool fits_octal(uint64_t number, size_t digits) { return number >> 3 * digits == 0; }

std::string encode_block(const TarBlock& block) {
  std::string out(kBlock, '\0');
  put(out, kName, block.name);
  put_number(out, kMode, block.mode);
  put_number(out, kOwner, block.owner);
  put_number(out, kGroup, block.group);
  put_number(out, kSize, block.size);
  put_number(out, kTime, block.seconds);
  out[kType] = block.type;
  put(out, kTarget, block.target);
  put(out, kMagic, kUstar);
  put(out, {kUser.at, kOwnerField}, block.user);
  put(out, {kGroupName.at, kOwnerField}, block.group_name);
  put(out, kSum, fmt::format("{:06o}", sum_of(out)) + std::string("\0 ", 2));
  return out;
}

Result<TarBlock> decode_block(std::string_view bytes) {
  auto mode = number_at(bytes, kMode), owner = number_at(bytes, kOwner), group = number_at(bytes, kGroup),
       size = number_at(bytes, kSize), seconds = number_at(bytes, kTime);
  if (!mode || !owner || !group || !size || !seconds) return damaged("a header has no number where one belongs");
  TarBlock block;
  block.name = text_at(bytes, kName);
  block.mode = *mode;
  block.owner = *owner;
  block.group = *group;
  block.size = *size;
  block.seconds = *seconds;
  block.type = bytes[kType];
  block.target = text_at(bytes, kTarget);
  block.user = text_at(bytes, kUser);
  block.group_name = text_at(bytes, kGroupName);
  // One form for each header: its sum, its padding and its magic are right, too.
  if (encode_block(block) != bytes) return damaged("a header is not as Freehold writes it");
  return block;
}

std::string encode_records(const Records& records) {
  std::string out;
  for (const auto& [key, value] : records) {
    size_t rest = key.size() + value.size() + 3;
    size_t length = rest;
    // The length counts its own digits.
    while (length != rest + std::to_string(length).size()) length = rest + std::to_string(length).size();
    out += fmt::format("{} {}={}\n", length, key, value);
  }
  return out;
}

Result<Records> decode_records(std::string_view text) {
  Error wrong = damaged("an extended header cannot be read");
  Records out;
  std::string_view rest = text;
  while (!rest.empty()) {
    size_t space = rest.find(' ');
    std::optional<uint64_t> length = space > 6 ? std::nullopt : parse_number(rest.substr(0, space));
    if (!length || *length > rest.size() || *length < space + 4) return wrong;
    std::string_view record = rest.substr(space + 1, *length - space - 1);
    size_t equals = record.find('=');
    if (!record.ends_with('\n') || equals == std::string_view::npos || equals == 0) return wrong;
    std::string key(record.substr(0, equals));
    if (!out.emplace(key, record.substr(equals + 1, record.size() - equals - 2)).second) return wrong;
    rest.remove_prefix(*length);
  }
  if (encode_records(out) != text) return wrong;
  return out;
}

std::string encode_map(const std::vector<os::Extent>& extents, uint64_t size) {
  bool hole = extents.empty() || extents.back().offset + extents.back().length < size;
  std::string out = fmt::format("{}\n", extents.size() + (hole ? 1 : 0));
  for (const os::Extent& extent : extents) out += fmt::format("{}\n{}\n", extent.offset, extent.length);
  if (hole) out += fmt::format("{}\n0\n", size);
  out.append(padding_of(out.size()), '\0');
  return out;
}

Result<std::optional<std::vector<os::Extent>>> decode_map(std::string_view text, uint64_t size) {
  Error wrong = damaged("the map of a file with holes cannot be read");
  std::vector<uint64_t> numbers;
  size_t at = 0;
  while (numbers.empty() || numbers.size() < 1 + 2 * numbers[0]) {
    size_t end = text.find('\n', at);
    if (end == std::string_view::npos) {
      if (text.size() >= kMostSparseMap) return wrong;
      return std::optional<std::vector<os::Extent>>();
    }
    std::optional<uint64_t> number = parse_number(text.substr(at, end - at));
    if (!number || (numbers.empty() && *number > os::TreeEntry::kMostExtents + 1)) return wrong;
    numbers.push_back(*number);
    at = end + 1;
  }
  std::vector<os::Extent> extents;
  uint64_t least = 0;
  for (size_t i = 1; i < numbers.size(); i += 2) {
    os::Extent extent{numbers[i], numbers[i + 1]};
    if (extent.length == 0 && extent.offset == size && i + 2 == numbers.size()) break;
    bool right = extent.length > 0 && extent.offset >= least && extent.offset <= size &&
                 extent.length <= size - extent.offset && (extents.empty() || extent.offset > least);
    if (!right) return wrong;
    least = extent.offset + extent.length;
    extents.push_back(extent);
  }
  if (encode_map(extents, size) != text) return wrong;
  return std::optional(std::move(extents));
}

std::optional<uint64_t> parse_number(std::string_view text) {
  uint64_t number = 0;
  auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  bool right = failure == std::errc() && stop == text.data() + text.size() && !text.empty() &&
               (text.size() == 1 || text[0] != '0') && number <= INT64_MAX;
  return right ? std::optional(number) : std::nullopt;
}

}  // namespace freehold::keep
