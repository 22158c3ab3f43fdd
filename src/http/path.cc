#include "http/path.h"

#include <algorithm>

#include "http/scan.h"

namespace freehold::http {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// The byte of "%XX" at text[at], or -1.
int decode_at(std::string_view text, size_t at) {
  if (text.size() - at < 3) return -1;
  int high = hex_digit(text[at + 1]);
  int low = hex_digit(text[at + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

bool may_stand_in_path(char c) {
  auto byte = static_cast<uint8_t>(c);
  return byte >= 0x20 && byte != 0x7f && c != '\\';
}

// Whether the path is its own normal form: no escapes, no empty or dot segment, nothing forbidden.
bool is_normal(std::string_view path) {
  char before = 0;
  for (char c : path) {
    // A segment that begins with a dot may be a hidden file or a dot segment: the slow way tells.
    if (c == '%' || !may_stand_in_path(c) || (before == '/' && (c == '/' || c == '.'))) return false;
    before = c;
  }
  return true;
}

// Where "%2F" begins in `encoded`, from `at` on; else the end.
size_t find_encoded_slash(std::string_view encoded, size_t at = 0) {
  for (at = encoded.find('%', at); at < encoded.size(); at = encoded.find('%', at + 1)) {
    if (decode_at(encoded, at) == '/') return at;
  }
  return encoded.size();
}

// Appends one decoded segment, or takes it as an instruction. False: refused.
bool append_segment(std::string_view encoded, EncodedSlash slash, std::string& out) {
  const size_t start = out.size();
  for (size_t i = 0; i < encoded.size(); ++i) {
    char c = encoded[i];
    if (c == '%') {
      int byte = decode_at(encoded, i);
      if (byte < 0 || (byte == '/' && slash == EncodedSlash::kRefused)) return false;
      i += 2;
      if (byte == '/') {
        out += "%2F";
        continue;
      }
      c = static_cast<char>(byte);
    }
    if (!may_stand_in_path(c)) return false;
    out += c;
  }
  std::string_view segment = std::string_view(out).substr(start);
  if (segment == ".") {
    out.resize(start);
  } else if (segment == "..") {
    out.resize(start - 1);  // and the slash before it
    size_t last = out.rfind('/');
    if (last == std::string::npos) return false;
    out.resize(last + 1);
  }
  return true;
}

}  // namespace

bool has_encoded_slash(std::string_view encoded) { return find_encoded_slash(encoded) != encoded.size(); }

std::optional<std::string_view> normalise_path(std::string_view encoded, std::string& buffer, EncodedSlash slash) {
  if (encoded.empty() || encoded.front() != '/') return std::nullopt;
  if (is_normal(encoded)) return encoded;
  buffer = "/";
  size_t at = 1;
  while (at < encoded.size()) {
    size_t end = std::min(encoded.find('/', at), encoded.size());
    size_t length = 1;
    if (slash == EncodedSlash::kIsSlash) {
      size_t escaped = find_encoded_slash(encoded.substr(0, end), at);
      if (escaped < end) length = 3;
      end = std::min(end, escaped);
    }
    if (!append_segment(encoded.substr(at, end - at), slash, buffer)) return std::nullopt;
    // The slash behind a segment stays, unless there is one already: empty and dot segments vanish.
    if (end != encoded.size() && buffer.back() != '/') buffer += '/';
    at = end + length;
  }
  return buffer;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    int byte = decode_at(text, i);
    if (byte < 0) return std::nullopt;
    out += static_cast<char>(byte);
    i += 2;
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kUnreserved = "-._~";
  std::string out;
  for (char c : text) {
    bool plain =
        (lower(c) >= 'a' && lower(c) <= 'z') || is(c, kDigitCharacter) || kUnreserved.find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += "0123456789ABCDEF"[static_cast<uint8_t>(c) >> 4];
      out += "0123456789ABCDEF"[static_cast<uint8_t>(c) & 15];
    }
  }
  return out;
}

std::optional<QueryParameters> query_parameters(std::string_view query) {
  if (query.starts_with('?')) query.remove_prefix(1);
  QueryParameters out;
  while (!query.empty()) {
    size_t end = std::min(query.find('&'), query.size());
    std::string pair(query.substr(0, end));
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    std::ranges::replace(pair, '+', ' ');
    size_t equals = std::min(pair.find('='), pair.size());
    auto name = percent_decode(std::string_view(pair).substr(0, equals));
    auto value = percent_decode(std::string_view(pair).substr(std::min(equals + 1, pair.size())));
    if (!name || !value) return std::nullopt;
    out.emplace_back(*std::move(name), *std::move(value));
  }
  return out;
}

}  // namespace freehold::http
