#include "gateway/static_files.h"

#include <fmt/core.h>

#include "base/text.h"
#include "gateway/byte_range.h"
#include "gateway/mime_type.h"
#include "http/date.h"

namespace freehold::gateway {
namespace {

// Strong: the content of a digest's folder never changes, and the rest tells its files apart.
std::string make_etag(const StaticRoot& root, const StaticFile& file) {
  return fmt::format("\"{}-{:x}-{:x}-{:x}\"", root.tag(), file.inode, file.size, file.changed.count());
}

// Weak comparison, as If-None-Match asks for.
bool lists_etag(std::string_view header, std::string_view etag) {
  for (std::string_view part : split(header, ',')) {
    part = trim(part);
    if (part.starts_with("W/")) part.remove_prefix(2);
    if (part == "*" || part == etag) return true;
  }
  return false;
}

bool not_modified(const StaticRequest& request, std::string_view etag, std::string_view last_modified) {
  if (!request.if_none_match.empty()) return lists_etag(request.if_none_match, etag);
  // Only the very date that was given out: after a rollback, "not since" would be true of content that differs.
  return !request.if_modified_since.empty() && request.if_modified_since == last_modified;
}

void add_ranges(StaticReply& reply, const std::vector<ByteRange>& ranges, uint64_t size, std::string_view type,
                std::string_view etag) {
  reply.status = 206;
  if (ranges.size() == 1) {
    reply.lines += fmt::format("Content-Type: {}\r\nContent-Range: bytes {}-{}/{}\r\n", type, ranges[0].first,
                               ranges[0].last, size);
    reply.content_length = ranges[0].last - ranges[0].first + 1;
    reply.parts.push_back({{}, ranges[0].first, reply.content_length});
    return;
  }
  // It need not be random, only absent from the content: a line of a file that guesses its own inode and time of change
  // is no accident, and would confuse nobody but its author.
  std::string boundary = "freehold-" + std::string(etag.substr(1, etag.size() - 2));
  reply.lines += fmt::format("Content-Type: multipart/byteranges; boundary={}\r\n", boundary);
  for (const ByteRange& range : ranges) {
    std::string text = fmt::format("{}--{}\r\nContent-Type: {}\r\nContent-Range: bytes {}-{}/{}\r\n\r\n",
                                   reply.parts.empty() ? "" : "\r\n", boundary, type, range.first, range.last, size);
    uint64_t length = range.last - range.first + 1;
    reply.content_length += text.size() + length;
    reply.parts.push_back({std::move(text), range.first, length});
  }
  reply.trailer = fmt::format("\r\n--{}--\r\n", boundary);
  reply.content_length += reply.trailer.size();
}

// ".git", ".env", ".htpasswd": what lies in a folder by accident is no page. ".well-known" (RFC 8615) is meant to be.
bool is_hidden(std::string_view below) {
  constexpr std::string_view kWellKnown = ".well-known";
  if (below == kWellKnown || below.starts_with(".well-known/")) below.remove_prefix(kWellKnown.size());
  return below.starts_with('.') || below.find("/.") != std::string_view::npos;
}

}  // namespace

std::string encode_path(std::string_view path) {
  constexpr std::string_view kPlain = "-._~!$&'()*+,;=:@/";
  std::string out;
  for (char c : path) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 kPlain.find(c) != std::string_view::npos;
    if (c == '/' && out == "/") continue;
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

StaticReply answer_static(const StaticRoot& root, const StaticRequest& request) {
  StaticReply reply;
  if (!request.get_or_head) {
    reply.status = 405;
    reply.lines = "Allow: GET, HEAD\r\n";
    return reply;
  }
  std::string_view name = request.below;
  if (is_hidden(name)) return reply;
  // A slash at the end asks for a folder; the name of a file with one names nothing.
  bool wants_folder = name.empty() || name.ends_with('/');
  if (name.ends_with('/')) name.remove_suffix(1);
  auto opened = root.open_file(name);
  std::string index;
  if (opened && opened->folder) {
    if (!request.path.ends_with('/')) {
      reply.status = 301;
      reply.lines = fmt::format("Location: {}/{}\r\n", encode_path(request.path), request.query);
      return reply;
    }
    index = name.empty() ? "index.html" : std::string(name) + "/index.html";
    name = index;
    opened = root.open_file(name);
    wants_folder = false;
  }
  if (!opened) {
    reply.status = opened.error().code() == ErrorCode::kNotFound ? 404 : 503;
    return reply;
  }
  if (wants_folder || opened->folder) return reply;

  std::string etag = make_etag(root, *opened);
  std::string last_modified = http::date_text(WallTime(opened->changed));
  reply.lines = fmt::format("ETag: {}\r\nLast-Modified: {}\r\nAccept-Ranges: bytes\r\n", etag, last_modified);
  if (not_modified(request, etag, last_modified)) {
    reply.status = 304;
    return reply;
  }
  std::string_view type = mime_type(name);
  Ranges ranges;
  bool fresh = request.if_range.empty() || request.if_range == etag || request.if_range == last_modified;
  if (!request.range.empty() && fresh) ranges = parse_ranges(request.range, opened->size);
  if (ranges.outcome == RangeOutcome::kUnsatisfiable) {
    reply.status = 416;
    reply.lines = fmt::format("Content-Range: bytes */{}\r\n", opened->size);
    return reply;
  }
  if (ranges.outcome == RangeOutcome::kPartial) {
    add_ranges(reply, ranges.ranges, opened->size, type, etag);
  } else {
    reply.status = 200;
    reply.content_length = opened->size;
    reply.lines += fmt::format("Content-Type: {}\r\n", type);
    if (opened->size > 0) reply.parts.push_back({{}, 0, opened->size});
  }
  reply.file = std::move(opened->fd);
  return reply;
}

}  // namespace freehold::gateway
