#include "gateway/local_reply.h"

#include <fmt/core.h>

#include "http/status.h"

namespace freehold::gateway {

PageForm page_form(std::string_view accept) {
  size_t html = accept.find("text/html");
  size_t json = accept.find("application/json");
  if (html == json) return PageForm::kPlain;  // neither
  return html < json ? PageForm::kHtml : PageForm::kJson;
}

void write_reply_head(uint16_t status, const ReplyHead& head, TextWriter& out) {
  out.put("HTTP/1.1 ");
  out.put_number(status);
  out.put(" ");
  out.put(http::reason_phrase(status));
  out.put("\r\n");
  out.put(head.date_line);
  out.put(head.lines);
  if (head.close) out.put("Connection: close\r\n");
  if (head.keep_alive_1_0) out.put("Connection: keep-alive\r\n");
}

void write_page(uint16_t status, const ReplyHead& head, PageForm form, std::string_view request_id, bool head_only,
                TextWriter& out) {
  char page[512];
  std::string_view reason = http::reason_phrase(status);
  std::string_view type;
  char* end = nullptr;
  switch (form) {
    case PageForm::kHtml:
      type = "text/html; charset=utf-8";
      end = fmt::format_to_n(page, sizeof(page),
                             "<!doctype html><title>{0} {1}</title><h1>{0} {1}</h1><p><small>{2}</small>\n", status,
                             reason, request_id)
                .out;
      break;
    case PageForm::kJson:
      type = "application/json";
      end = fmt::format_to_n(page, sizeof(page), "{{\"status\":{},\"error\":\"{}\",\"request\":\"{}\"}}\n", status,
                             reason, request_id)
                .out;
      break;
    case PageForm::kPlain:
      type = "text/plain; charset=utf-8";
      end = fmt::format_to_n(page, sizeof(page), "{} {}\n", status, reason).out;
      break;
  }
  const auto length = static_cast<size_t>(end - page);
  write_reply_head(status, head, out);
  if (status == 503) out.put("Retry-After: 1\r\n");
  // No script, frame or cache has any business with an error page.
  out.put("Cache-Control: no-store\r\nContent-Type: ");
  out.put(type);
  out.put("\r\nContent-Length: ");
  out.put_number(length);
  out.put("\r\n\r\n");
  if (!head_only) out.put({page, length});
}

std::string_view shed_reply() {
  return "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Type: text/plain\r\nContent-Length: 24\r\n"
         "Connection: close\r\n\r\n503 Service Unavailable\n";
}

}  // namespace freehold::gateway
