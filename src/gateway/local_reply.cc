#include "gateway/local_reply.h"

#include <fmt/core.h>

#include "http/status.h"

namespace freehold::gateway {
namespace {

std::string_view meaning(uint16_t status) {
  switch (status) {
    case 400:
      return "The request could not be understood.";
    case 404:
      return "There is nothing at this address.";
    case 405:
      return "This method is not allowed here.";
    case 408:
      return "The request did not arrive in time.";
    case 413:
      return "The body of the request is larger than what is taken here.";
    case 416:
      return "The file does not have the range that was asked for.";
    case 431:
      return "The head of the request is larger than what is taken here.";
    case 503:
      return "This is not available right now. Please try again in a moment.";
    default:
      return {};
  }
}

}  // namespace

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

void write_page(const Page& page, const ReplyHead& head, TextWriter& out) {
  char body[1024];
  const std::string_view reason = http::reason_phrase(page.status);
  const std::string_view why = (page.why.empty() ? meaning(page.status) : page.why).substr(0, kMostWhy);
  std::string_view type;
  char* end = nullptr;
  switch (page.form) {
    case PageForm::kHtml:
      type = "text/html; charset=utf-8";
      end = fmt::format_to_n(body, sizeof(body),
                             "<!doctype html><title>{0} {1}</title><h1>{0} {1}</h1><p>{2}<p><small>{3}</small>\n",
                             page.status, reason, why, page.request_id)
                .out;
      break;
    case PageForm::kJson:
      type = "application/json";
      end = fmt::format_to_n(body, sizeof(body),
                             "{{\"status\":{},\"error\":\"{}\",\"detail\":\"{}\",\"request\":\"{}\"}}\n", page.status,
                             reason, why, page.request_id)
                .out;
      break;
    case PageForm::kPlain:
      type = "text/plain; charset=utf-8";
      end = fmt::format_to_n(body, sizeof(body), "{} {}\n{}{}", page.status, reason, why, why.empty() ? "" : "\n").out;
      break;
  }
  const auto length = static_cast<size_t>(end - body);
  write_reply_head(page.status, head, out);
  if (page.status == 503) out.put("Retry-After: 1\r\n");
  // No script, frame or cache has any business with an error page.
  out.put("Cache-Control: no-store\r\nContent-Type: ");
  out.put(type);
  out.put("\r\nContent-Length: ");
  out.put_number(length);
  out.put("\r\n\r\n");
  if (!page.head_only) out.put({body, length});
}

std::string_view shed_reply() {
  return "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Type: text/plain\r\nContent-Length: 24\r\n"
         "Connection: close\r\n\r\n503 Service Unavailable\n";
}

}  // namespace freehold::gateway
