// Fixed-size text building and number parsing without the C library's stdio: the keeper allocates nothing.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

namespace freehold::keeper {

// Appends until full; what does not fit is cut, and `full()` says so.
template <size_t N>
class Text {
 public:
  Text& add(const char* text) { return add(text, strlen(text)); }
  Text& add(const char* text, size_t length) {
    if (length > N - 1 - size_) {
      length = N - 1 - size_;
      full_ = true;
    }
    memcpy(bytes_ + size_, text, length);
    size_ += length;
    return *this;
  }
  Text& number(uint64_t value, unsigned width = 1) {
    char digits[20];
    unsigned count = 0;
    do {
      digits[sizeof digits - ++count] = static_cast<char>('0' + value % 10);
      value /= 10;
    } while (value != 0 || count < width);
    return add(digits + sizeof digits - count, count);
  }
  const char* c_str() {
    bytes_[size_] = 0;
    return bytes_;
  }
  size_t size() const { return size_; }
  bool full() const { return full_; }

 private:
  char bytes_[N];
  size_t size_ = 0;
  bool full_ = false;
};

// The whole of `text` as a decimal number; false if it is none or too large.
inline bool parse_number(const char* text, uint64_t& value) {
  value = 0;
  if (*text == 0) return false;
  for (; *text != 0; ++text) {
    if (*text < '0' || *text > '9' || value > (UINT64_MAX - 9) / 10) return false;
    value = value * 10 + static_cast<uint64_t>(*text - '0');
  }
  return true;
}

// The number that follows `after` in `text`, or the fallback.
inline uint64_t number_after(const char* text, const char* after, uint64_t fallback) {
  const char* at = strstr(text, after);
  if (at == nullptr) return fallback;
  at += strlen(after);
  if (*at < '0' || *at > '9') return fallback;
  uint64_t value = 0;
  while (*at >= '0' && *at <= '9' && value < UINT64_MAX / 10 - 9)
    value = value * 10 + static_cast<uint64_t>(*at++ - '0');
  return value;
}

}  // namespace freehold::keeper
