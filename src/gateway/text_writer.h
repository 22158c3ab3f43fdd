// TextWriter: appends to memory of a fixed size; what does not fit is left out and remembered.
#pragma once

#include <charconv>
#include <cstring>
#include <span>
#include <string_view>

namespace freehold::gateway {

class TextWriter {
 public:
  explicit TextWriter(std::span<char> space) : begin_(space.data()), at_(begin_), end_(begin_ + space.size()) {}

  void put(std::string_view text) {
    if (text.size() > static_cast<size_t>(end_ - at_)) {
      full_ = true;
      return;
    }
    if (text.empty()) return;  // it may have no address
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
  void put_number(uint64_t number) {
    char digits[20];
    auto [end, error] = std::to_chars(digits, digits + sizeof(digits), number);
    put({digits, static_cast<size_t>(end - digits)});
  }

  bool full() const { return full_; }
  std::string_view text() const { return {begin_, static_cast<size_t>(at_ - begin_)}; }

 private:
  char* begin_;
  char* at_;
  char* end_;
  bool full_ = false;
};

}  // namespace freehold::gateway
