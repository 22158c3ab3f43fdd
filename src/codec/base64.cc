#include "codec/base64.h"

#include <algorithm>
#include <cstdint>

namespace freehold::codec {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string base64_encode(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t at = 0; at < bytes.size(); at += 3) {
    size_t count = std::min<size_t>(3, bytes.size() - at);
    uint32_t group = 0;
    for (size_t i = 0; i < 3; ++i) group = group << 8 | (i < count ? static_cast<unsigned char>(bytes[at + i]) : 0u);
    for (size_t i = 0; i < 4; ++i) out += i <= count ? kAlphabet[group >> (18 - 6 * i) & 63] : '=';
  }
  return out;
}

Result<std::string> base64_decode(std::string_view text) {
  Error wrong(ErrorCode::kInvalid, "not valid base64");
  if (text.size() % 4 != 0) return wrong;
  std::string out;
  out.reserve(text.size() / 4 * 3);
  for (size_t at = 0; at < text.size(); at += 4) {
    std::string_view part = text.substr(at, 4);
    size_t padding = at + 4 < text.size() ? 0 : part.ends_with("==") ? 2 : part.ends_with("=") ? 1 : 0;
    uint32_t group = 0;
    for (size_t i = 0; i < 4; ++i) {
      size_t value = i < 4 - padding ? kAlphabet.find(part[i]) : 0;
      if (value == std::string_view::npos) return wrong;
      group = group << 6 | static_cast<uint32_t>(value);
    }
    // Bits behind the last byte must be zero, so that each value has one text only.
    if ((group & ((1u << (8 * padding)) - 1)) != 0) return wrong;
    for (size_t i = 0; i < 3 - padding; ++i) out += static_cast<char>(group >> (16 - 8 * i) & 0xff);
  }
  return out;
}

}  // namespace freehold::codec
