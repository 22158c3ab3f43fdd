#include "keep/bech32.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"

namespace freehold::keep {
namespace {

constexpr std::string_view kLetters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr size_t kChecksum = 6;  // letters
constexpr size_t kMostText = 200;

using Digits = std::vector<uint8_t>;  // of five bits each

uint32_t polymod(const Digits& digits) {
  constexpr std::array<uint32_t, 5> kGenerator = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
  uint32_t sum = 1;
  for (uint8_t digit : digits) {
    uint32_t top = sum >> 25;
    sum = (sum & 0x1ffffff) << 5 ^ digit;
    for (size_t i = 0; i < kGenerator.size(); ++i) sum ^= (top >> i & 1) != 0 ? kGenerator[i] : 0;
  }
  return sum;
}

// The prefix as the checksum counts it.
Digits expand(std::string_view prefix) {
  Digits out;
  for (char letter : prefix) out.push_back(static_cast<uint8_t>(letter) >> 5);
  out.push_back(0);
  for (char letter : prefix) out.push_back(static_cast<uint8_t>(letter) & 31);
  return out;
}

}  // namespace

std::string bech32_encode(std::string_view prefix, std::string_view bytes) {
  Digits digits;
  uint32_t held = 0;
  int bits = 0;
  for (char byte : bytes) {
    held = (held << 8 | static_cast<uint8_t>(byte)) & 0xfff;
    for (bits += 8; bits >= 5;) digits.push_back(held >> (bits -= 5) & 31);
  }
  if (bits > 0) digits.push_back(held << (5 - bits) & 31);
  Digits all = expand(prefix);
  all.insert(all.end(), digits.begin(), digits.end());
  all.resize(all.size() + kChecksum);
  uint32_t sum = polymod(all) ^ 1;
  for (size_t i = 0; i < kChecksum; ++i) digits.push_back(sum >> 5 * (kChecksum - 1 - i) & 31);
  std::string out = std::string(prefix) + "1";
  for (uint8_t digit : digits) out += kLetters[digit];
  return out;
}

Result<std::string> bech32_decode(std::string_view prefix, std::string_view text) {
  Error wrong(ErrorCode::kInvalid, "a key is misspelt or incomplete");
  std::string lower = to_lower(text);
  bool one_case = lower == text || std::ranges::none_of(text, [](char c) { return c >= 'a' && c <= 'z'; });
  std::string start = std::string(prefix) + "1";
  if (!one_case || lower.size() > kMostText || !lower.starts_with(start)) return wrong;
  Digits digits;
  for (char letter : std::string_view(lower).substr(start.size())) {
    size_t digit = kLetters.find(letter);
    if (digit == std::string_view::npos) return wrong;
    digits.push_back(static_cast<uint8_t>(digit));
  }
  Digits all = expand(prefix);
  all.insert(all.end(), digits.begin(), digits.end());
  if (digits.size() < kChecksum || polymod(all) != 1) return wrong;
  digits.resize(digits.size() - kChecksum);
  std::string bytes;
  uint32_t held = 0;
  int bits = 0;
  for (uint8_t digit : digits) {
    held = (held << 5 | digit) & 0xfff;
    bits += 5;
    if (bits >= 8) bytes += static_cast<char>(held >> (bits -= 8) & 0xff);
  }
  // Padding is of less than a digit, and zero.
  if (bits >= 5 || (held & ((1U << bits) - 1)) != 0) return wrong;
  return bytes;
}

}  // namespace freehold::keep
