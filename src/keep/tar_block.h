// Blocks of 512 bytes and records of extended headers, taken apart and put together. Internal to tar.
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "os/tree.h"

namespace freehold::keep {

inline constexpr size_t kBlock = 512;

// What one block says.
struct TarBlock {
  std::string name;
  uint64_t mode = 0;
  uint64_t owner = 0;
  uint64_t group = 0;
  uint64_t size = 0;
  uint64_t seconds = 0;
  char type = '0';
  std::string target;
  std::string user;
  std::string group_name;
};
// What does not fit a field stands there as 0 or cut; an extended record has to say it.
std::string encode_block(const TarBlock& block);
// Accepts exactly what encode_block gives.
Result<TarBlock> decode_block(std::string_view bytes);
bool fits_octal(uint64_t number, size_t digits);

inline constexpr size_t kNameField = 100;
inline constexpr size_t kOwnerField = 31;
inline constexpr size_t kIdDigits = 7;
inline constexpr size_t kSizeDigits = 11;

// "LENGTH KEY=VALUE\n", one after the other.
using Records = std::map<std::string, std::string, std::less<>>;
std::string encode_records(const Records& records);
// kCorrupt also for a key that stands twice.
Result<Records> decode_records(std::string_view text);

// "COUNT\nOFFSET\nLENGTH\n..." padded to whole blocks. A file that ends with a hole has an empty extent at its end:
// other programs know its size by that.
std::string encode_map(const std::vector<os::Extent>& extents, uint64_t size);
// Nothing while it goes on. `text` is whole blocks.
Result<std::optional<std::vector<os::Extent>>> decode_map(std::string_view text, uint64_t size);

// Nothing but digits, as std::to_string writes them.
std::optional<uint64_t> parse_number(std::string_view text);

inline size_t padding_of(uint64_t size) { return (kBlock - size % kBlock) % kBlock; }

}  // namespace freehold::keep
