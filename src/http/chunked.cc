#include "http/chunked.h"

#include <algorithm>

#include "http/scan.h"

namespace freehold::http {
namespace {

constexpr int kMostDigits = 15;  // below 2^60

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  char letter = lower(c);
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

}  // namespace

BodyStep ChunkedDecoder::next(std::string_view bytes) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (state_ == State::kData) {
      std::string_view data = bytes.substr(i, static_cast<size_t>(std::min<uint64_t>(left_, bytes.size() - i)));
      left_ -= data.size();
      if (left_ == 0) state_ = State::kDataReturn;
      return {BodyState::kData, i + data.size(), data, {}};
    }
    std::string_view refused = advance(bytes[i]);
    if (!refused.empty()) {
      state_ = State::kFailed;
      return {BodyState::kRefused, i, {}, refused};
    }
    if (state_ == State::kEnd) return {BodyState::kComplete, i + 1, {}, {}};
  }
  return {BodyState::kMore, bytes.size(), {}, {}};
}

std::string_view ChunkedDecoder::advance(char c) {
  switch (state_) {
    case State::kSizeFirst:
    case State::kSize:
      return in_size(c);
    case State::kSizeLineFeed:
      if (c != '\n') return "a carriage return alone behind a chunk size";
      digits_ = 0;
      state_ = left_ == 0 ? State::kTrailerFirst : State::kData;
      return {};
    case State::kDataReturn:
      if (c != '\r') return "chunk data without its end of line";
      state_ = State::kDataLineFeed;
      return {};
    case State::kDataLineFeed:
      if (c != '\n') return "chunk data without its end of line";
      state_ = State::kSizeFirst;
      return {};
    case State::kTrailerFirst:
    case State::kTrailerName:
    case State::kTrailerValue:
    case State::kTrailerLineFeed:
    case State::kFinalLineFeed:
      return in_trailer(c);
    case State::kEnd:
      return "bytes behind the last chunk";
    case State::kFailed:
      return "refused before";
    default:
      return in_extension(c);
  }
}

std::string_view ChunkedDecoder::in_size(char c) {
  int value = hex_value(c);
  if (value >= 0) {
    if (++digits_ > kMostDigits) return "a chunk size of too many digits";
    left_ = left_ << 4 | static_cast<uint64_t>(value);
    state_ = State::kSize;
    return {};
  }
  if (state_ == State::kSizeFirst) return "a chunk size without digits";
  if (c == '\r') {
    state_ = State::kSizeLineFeed;
  } else if (c == ';') {
    state_ = State::kExtensionNameFirst;
  } else {
    return "a character that no chunk size has";
  }
  return {};
}

// *( ";" token [ "=" ( token / quoted-string ) ] )
std::string_view ChunkedDecoder::in_extension(char c) {
  if (++extension_bytes_ > kMostExtensionBytes) return "chunk extensions are too long";
  switch (state_) {
    case State::kExtensionNameFirst:
    case State::kExtensionValueFirst:
      if (state_ == State::kExtensionValueFirst && c == '"') {
        state_ = State::kExtensionQuoted;
        return {};
      }
      if (!is(c, kTokenCharacter)) break;
      state_ = state_ == State::kExtensionNameFirst ? State::kExtensionName : State::kExtensionToken;
      return {};
    case State::kExtensionQuoted:
      if (!is_value_character(c)) break;
      if (c == '"') state_ = State::kExtensionQuotedEnd;
      if (c == '\\') state_ = State::kExtensionEscape;
      return {};
    case State::kExtensionEscape:
      if (!is_value_character(c)) break;
      state_ = State::kExtensionQuoted;
      return {};
    default:  // behind at least one character of a name or a value
      if (c == '\r') {
        state_ = State::kSizeLineFeed;
        return {};
      }
      if (c == ';') {
        state_ = State::kExtensionNameFirst;
        return {};
      }
      if (c == '=' && state_ == State::kExtensionName) {
        state_ = State::kExtensionValueFirst;
        return {};
      }
      if (state_ != State::kExtensionQuotedEnd && is(c, kTokenCharacter)) return {};
      break;
  }
  return "a malformed chunk extension";
}

std::string_view ChunkedDecoder::in_trailer(char c) {
  if (++trailer_bytes_ > kMostTrailerBytes) return "the trailer is too long";
  switch (state_) {
    case State::kTrailerFirst:
      if (c == '\r') {
        state_ = State::kFinalLineFeed;
        return {};
      }
      if (!is(c, kTokenCharacter)) return "a trailer field without a name";
      state_ = State::kTrailerName;
      return {};
    case State::kTrailerName:
      if (c == ':') {
        state_ = State::kTrailerValue;
        return {};
      }
      return is(c, kTokenCharacter) ? "" : "a trailer field name that is no token";
    case State::kTrailerValue:
      if (c == '\r') {
        state_ = State::kTrailerLineFeed;
        return {};
      }
      return is_value_character(c) ? "" : "a control character in a trailer field";
    case State::kTrailerLineFeed:
      if (c != '\n') return "a carriage return alone in a trailer field";
      state_ = State::kTrailerFirst;
      return {};
    default:
      if (c != '\n') return "a carriage return alone behind the trailer";
      state_ = State::kEnd;
      return {};
  }
}

ChunkHeader::ChunkHeader(uint64_t size) : start_(text_.size()) {
  text_[--start_] = '\n';
  text_[--start_] = '\r';
  do {
    text_[--start_] = "0123456789abcdef"[size & 15];
    size >>= 4;
  } while (size != 0);
}

}  // namespace freehold::http
