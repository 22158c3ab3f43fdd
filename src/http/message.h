// What a server answers and a client asks, before it is bytes; and writing field lines.
//
// Fields are a name and a value; the framing (Content-Length, Transfer-Encoding, Connection, Date, Host) is added by
// who sends it and must not be among them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace freehold::http {

using Fields = std::vector<std::pair<std::string, std::string>>;

struct Response {
  uint16_t status = 200;
  Fields fields;
  std::string body;
};

// With Content-Type.
Response response_of(uint16_t status, std::string_view content_type, std::string body);

// "Name: value\r\n". Bytes that no field may hold become "?", so that no value can end its line and begin another.
void append_field(std::string& out, std::string_view name, std::string_view value);
void append_fields(std::string& out, const Fields& fields);
// "HTTP/1.1 404 Not Found\r\n"
void append_status_line(std::string& out, uint16_t status);

}  // namespace freehold::http
