#include "http/message.h"

#include "http/scan.h"
#include "http/status.h"

namespace freehold::http {

Response response_of(uint16_t status, std::string_view content_type, std::string body) {
  return {status, {{"Content-Type", std::string(content_type)}}, std::move(body)};
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  for (char c : name) out += is(c, kTokenCharacter) ? c : '?';
  out += ": ";
  for (char c : value) out += is_value_character(c) ? c : '?';
  out += "\r\n";
}

void append_fields(std::string& out, const Fields& fields) {
  for (const auto& [name, value] : fields) append_field(out, name, value);
}

void append_status_line(std::string& out, uint16_t status) {
  out += "HTTP/1.1 ";
  out += std::to_string(status);
  out += ' ';
  out += reason_phrase(status);
  out += "\r\n";
}

}  // namespace freehold::http
