// Answers that the gateway gives by itself: small pages for errors, redirects, the heads of static files.
#pragma once

#include <string_view>

#include "gateway/text_writer.h"

namespace freehold::gateway {

struct ReplyHead {
  std::string_view date_line;
  std::string_view lines;  // further header lines, each with its CRLF
  bool close = false;
  bool keep_alive_1_0 = false;
};

enum class PageForm { kPlain, kHtml, kJson };
// By the Accept header: what it names first of text/html and application/json, else plain text.
PageForm page_form(std::string_view accept);

// Status line and headers, without Content-Length and the empty line.
void write_reply_head(uint16_t status, const ReplyHead& head, TextWriter& out);

struct Page {
  uint16_t status = 0;
  PageForm form = PageForm::kPlain;
  // One sentence for whoever reads the page, at most kMostWhy bytes of it; empty: what the status means by itself.
  // Goes into HTML and JSON as it is, so it must hold no quotation mark, backslash, or angle bracket.
  std::string_view why;
  std::string_view request_id;
  bool head_only = false;  // HEAD: the same head, without the body
};
constexpr size_t kMostWhy = 300;
// A whole answer. 503 gets a Retry-After.
void write_page(const Page& page, const ReplyHead& head, TextWriter& out);

// For a client that is turned away before anything was read; needs no buffer.
std::string_view shed_reply();

}  // namespace freehold::gateway
