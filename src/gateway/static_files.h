// Static files: what to answer to a GET or HEAD for a path below a StaticRoot (RFC 9110, sections 13 and 14).
//
// Only decides and opens; sending is the connection's business: the head's lines, then each part (its text, then bytes
// of the file), then the trailer. A folder is answered by its index.html, or redirected to its name with a slash. Names
// that begin with a dot are not there, but for /.well-known/.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/static_root.h"

namespace freehold::gateway {

struct StaticRequest {
  bool get_or_head = true;
  std::string_view path;   // decoded and normalised, from its slash
  std::string_view below;  // the part of it below the root, without a slash in front
  std::string_view query;  // with its question mark, or empty
  std::string_view if_none_match;
  std::string_view if_modified_since;
  std::string_view range;
  std::string_view if_range;
};

struct StaticPart {
  std::string text;     // sent before the bytes
  uint64_t offset = 0;  // in the file
  uint64_t length = 0;
};

struct StaticReply {
  uint16_t status = 404;  // 400 and above: an error page without a file
  std::string lines;      // header lines of its own, each with its CRLF; Content-Length is not among them
  os::Fd file;
  std::vector<StaticPart> parts;
  std::string trailer;  // after the last part
  uint64_t content_length = 0;
  bool has_body() const { return status == 200 || status == 206; }
};

StaticReply answer_static(const StaticRoot& root, const StaticRequest& request);

// Percent-encodes what may not stand in a path as it is; slashes stay. A path never begins with two slashes afterwards,
// so a Location made of it stays on this host.
std::string encode_path(std::string_view path);

}  // namespace freehold::gateway
