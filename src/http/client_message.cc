#include "http/client_message.h"

#include <fmt/format.h>

#include "base/text.h"
#include "http/scan.h"

namespace freehold::http {

std::string_view ClientResponse::field(std::string_view name) const {
  for (const auto& [key, value] : fields) {
    if (equals_ignoring_case(key, name)) return value;
  }
  return {};
}

Result<std::string> request_head(const ClientRequest& request, RequestBody body) {
  if (!all(request.method, kTokenCharacter)) {
    return Error(ErrorCode::kInvalid, fmt::format("'{}' is no HTTP method", request.method));
  }
  if (!all(request.target, kTargetCharacter) || (request.target.front() != '/' && request.target != "*")) {
    return Error(ErrorCode::kInvalid, fmt::format("'{}' is no path that can be asked for", request.target));
  }
  if (!parse_authority(request.host)) return Error(ErrorCode::kInvalid, fmt::format("'{}' is no host", request.host));
  std::string head = request.method + ' ' + request.target + " HTTP/1.1\r\n";
  append_field(head, "Host", request.host);
  append_fields(head, request.fields);
  if (body.kind == RequestBody::Kind::kChunked) append_field(head, "Transfer-Encoding", "chunked");
  if (body.kind == RequestBody::Kind::kLength) append_field(head, "Content-Length", std::to_string(body.length));
  append_field(head, "Connection", "close");
  head += "\r\n";
  return head;
}

ClientResponse response_from(const ResponseHead& head) {
  ClientResponse response;
  response.status = head.status;
  for (const Header& header : head.headers()) response.fields.emplace_back(header.name(), header.value());
  return response;
}

}  // namespace freehold::http
