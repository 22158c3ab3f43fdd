// Character classes of RFC 9110 and the scanning loops of the parsers: the innermost code of every message.
//
// The loops stop at the first byte that does not belong. Each is given an `end`, and never reads at or past it.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace freehold::http {

enum CharacterClass : uint8_t {
  kTokenCharacter = 1,   // tchar: names, methods, list elements
  kTargetCharacter = 2,  // visible ASCII without " # < >
  kHostCharacter = 4,    // reg-name without percent and comma
  kDigitCharacter = 8,
  kHexCharacter = 16,
};

constexpr std::array<uint8_t, 256> kCharacterClasses = [] {
  std::array<uint8_t, 256> table{};
  auto add = [&table](std::string_view characters, uint8_t flags) {
    for (char c : characters) table[static_cast<uint8_t>(c)] |= flags;
  };
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  add(kLetters, kTokenCharacter | kHostCharacter);
  add("0123456789", kTokenCharacter | kHostCharacter | kDigitCharacter | kHexCharacter);
  add("abcdefABCDEF", kHexCharacter);
  add("!#$%&'*+-.^_`|~", kTokenCharacter);
  add("-._~!$&'()*+;=", kHostCharacter);
  for (int c = 0x21; c < 0x7f; ++c) {
    if (std::string_view("\"#<>").find(static_cast<char>(c)) == std::string_view::npos) table[c] |= kTargetCharacter;
  }
  return table;
}();

inline bool is(char c, CharacterClass wanted) { return (kCharacterClasses[static_cast<uint8_t>(c)] & wanted) != 0; }
inline bool is_space(char c) { return c == ' ' || c == '\t'; }

inline const char* skip(const char* p, const char* end, CharacterClass wanted) {
  while (p != end && is(*p, wanted)) ++p;
  return p;
}

inline const char* skip_spaces(const char* p, const char* end) {
  while (p != end && is_space(*p)) ++p;
  return p;
}

// Whether all of `text` is of the class, and there is some.
inline bool all(std::string_view text, CharacterClass wanted) {
  return !text.empty() && skip(text.data(), text.data() + text.size(), wanted) == text.data() + text.size();
}

inline bool is_value_character(char c) {
  auto byte = static_cast<uint8_t>(c);
  return (byte >= 0x20 && byte != 0x7f) || byte == '\t';
}

// Past what may stand in a field value: visible characters, obs-text, space and tab.
inline const char* skip_value(const char* p, const char* end) {
#if defined(__SSE2__)
  const __m128i lowest = _mm_set1_epi8(0x20);
  const __m128i deleted = _mm_set1_epi8(0x7f);
  const __m128i tab = _mm_set1_epi8('\t');
  for (; end - p >= 16; p += 16) {
    __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    __m128i printable = _mm_cmpeq_epi8(_mm_max_epu8(bytes, lowest), bytes);
    __m128i good =
        _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(bytes, deleted), printable), _mm_cmpeq_epi8(bytes, tab));
    auto bad = static_cast<uint32_t>(~_mm_movemask_epi8(good)) & 0xffffU;
    if (bad != 0) return p + __builtin_ctz(bad);
  }
#endif
  while (p != end && is_value_character(*p)) ++p;
  return p;
}

// Past what may stand in a request target.
inline const char* skip_target(const char* p, const char* end) {
#if defined(__SSE2__)
  const __m128i space = _mm_set1_epi8(0x21);
  for (; end - p >= 16; p += 16) {
    __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    // Signed: what has the high bit set is below the space too.
    __m128i bad = _mm_cmplt_epi8(bytes, space);
    for (char c : {'\x7f', '"', '#', '<', '>'}) bad = _mm_or_si128(bad, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)));
    auto mask = static_cast<uint32_t>(_mm_movemask_epi8(bad));
    if (mask != 0) return p + __builtin_ctz(mask);
  }
#endif
  return skip(p, end, kTargetCharacter);
}

// Lower case for letters only; what is compared with it must be lower case already.
inline char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

inline bool equals_lower(std::string_view text, std::string_view lower_case) {
  if (text.size() != lower_case.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (lower(text[i]) != lower_case[i]) return false;
  }
  return true;
}

}  // namespace freehold::http
