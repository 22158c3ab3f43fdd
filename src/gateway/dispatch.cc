// From a parsed head to who answers it.
#include <fmt/core.h>

#include <cstring>

#include "base/text.h"
#include "gateway/client_connection.h"
#include "gateway/core.h"
#include "gateway/local_reply.h"
#include "gateway/static_files.h"
#include "http/path.h"

namespace freehold::gateway {
namespace {

constexpr size_t kMostHostBytes = 255;

bool is_upgrade(const http::RequestHead& head) {
  // To pass on cleartext HTTP/2 would mean to pass on requests that nobody here has looked at.
  return !head.upgrade.empty() && !equals_ignoring_case(head.upgrade.substr(0, 3), "h2c") &&
         head.upgrade.find(',') == std::string_view::npos;
}

}  // namespace

void ClientConnection::begin_record(const http::RequestHead& head) {
  in_request_ = true;
  record_.began = core_.loop().now();
  record_.method = head.method_id;
  record_.http_1_0 = head.minor_version == 0;
  record_.keep_alive = head.keep_alive;
  record_.expect_continue = head.expect_continue;
  record_.upgrade = is_upgrade(head);
  record_.status = 0;
  record_.retries = 0;
  record_.bytes_received = record_.bytes_sent = 0;
  core_.make_request_id(record_.id);
  core_.counters().in_flight.add();
  // Now, because an exchange writes over the head.
  page_form_ = page_form(head.value(http::HeaderId::kAccept));
  if (core_.access_log() == nullptr) return;
  record_.method_text = head.method;
  record_.host = head.authority.host;
  record_.path = head.path;
  record_.service.clear();
  record_.instance.clear();
}

void ClientConnection::begin_refused_record() {
  in_request_ = true;
  record_ = {};
  record_.began = core_.loop().now();
  page_form_ = PageForm::kPlain;
  core_.make_request_id(record_.id);
  core_.counters().in_flight.add();
}

void ClientConnection::end_record() {
  if (!std::exchange(in_request_, false)) return;
  Counters& counters = core_.counters();
  counters.in_flight.subtract();
  counters.requests[record_.status >= 600 ? 0 : record_.status / 100].add();
  counters.bytes_received.add(record_.bytes_received);
  counters.bytes_sent.add(record_.bytes_sent);
  if (core_.access_log() != nullptr) core_.access_log()->write(record_, address_, core_.wall(), core_.loop().now());
}

void ClientConnection::dispatch(size_t head_end) {
  http::RequestHead& head = buffer_->request;
  if (!record_.upgrade) head.upgrade = {};
  request_whole_ = false;
  using enum http::Method;
  if (head.method_id == kConnect || head.method_id == kTrace) {
    return send_reply(405, "Allow: GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH\r\n");
  }
  if (head.authority.host.size() > kMostHostBytes) return reply(400);
  if (service_.empty()) return route(head_end);
  const Target* target = core_.table()->internal(service_);
  if (target == nullptr) return reply(503, fmt::format("The service '{}' is not there any more.", service_));
  answer_target(*target, {}, head_end);
}

void ClientConnection::route(size_t head_end) {
  const http::RequestHead& head = buffer_->request;
  const RouteTable& table = *core_.table();
  using http::EncodedSlash;
  const auto path = http::normalise_path(head.path, core_.path_buffer(), EncodedSlash::kIsData);
  if (!path) return reply(400, "The path is malformed, or leads out of the root.");
  const Target* target = table.find(head.authority.host, *path);
  // Most paths are their own normal form, which has no escapes.
  if (path->data() != head.path.data() && http::has_encoded_slash(head.path)) {
    // Who is behind us may read %2F as data or as a slash. Where the two would be routed apart, or lead out of the
    // root, one reading would reach what the other may not.
    std::string buffer;
    const auto other = http::normalise_path(head.path, buffer, EncodedSlash::kIsSlash);
    if (!other || table.find(head.authority.host, *other) != target) {
      return reply(400, "The path has an encoded slash, and would be another route's with a plain one.");
    }
    // No file's name holds a slash.
    if (target != nullptr && target->kind == model::TargetKind::kFiles) target = nullptr;
  }
  if (target == nullptr) {
    skip_body(head_end);
    return reply(404, table.has_host(head.authority.host) ? "Nothing is served under this path."
                                                          : "Nothing is served under this host name.");
  }
  answer_target(*target, *path, head_end);
}

void ClientConnection::answer_target(const Target& target, std::string_view path, size_t head_end) {
  switch (target.kind) {
    case model::TargetKind::kService:
    case model::TargetKind::kUpstreams: {
      phase_ = Phase::kExchange;
      ServicePool& pool = core_.pool(target.pool);
      if (core_.access_log() != nullptr) record_.service = pool.name();
      return exchange_.start(pool, target.balance, head_end);
    }
    case model::TargetKind::kFiles:
      return answer_files(target, path, head_end);
    case model::TargetKind::kRedirect:
      return redirect(target, head_end);
  }
}

void ClientConnection::skip_body(size_t head_end) {
  const http::BodyFraming framing = http::request_framing(buffer_->request);
  if (framing.kind == http::BodyKind::kNone) {
    begin_ = head_end;
    request_whole_ = true;
  } else if (framing.kind == http::BodyKind::kLength && framing.length <= end_ - head_end) {
    begin_ = head_end + framing.length;
    request_whole_ = true;
  }
}

void ClientConnection::redirect(const Target& target, size_t head_end) {
  skip_body(head_end);
  send_reply(target.status, fmt::format("Location: {}\r\n", target.redirect));
}

void ClientConnection::answer_files(const Target& target, std::string_view path, size_t head_end) {
  skip_body(head_end);
  if (target.root == nullptr) return reply(503, "The files of this site are not on this machine right now.");
  const http::RequestHead& head = buffer_->request;
  using enum http::HeaderId;
  std::string_view below = path.substr(std::min(target.prefix.size(), path.size()));
  while (below.starts_with('/')) below.remove_prefix(1);
  const bool get = head.method_id == http::Method::kGet;
  StaticReply answer = answer_static(*target.root, {.get_or_head = get || head.method_id == http::Method::kHead,
                                                    .path = path,
                                                    .below = below,
                                                    .query = head.query,
                                                    .if_none_match = head.value(kIfNoneMatch),
                                                    .if_modified_since = head.value(kIfModifiedSince),
                                                    .range = get ? head.value(kRange) : std::string_view(),
                                                    .if_range = head.value(kIfRange)});
  if (!answer.has_body() && answer.status != 304) {
    return send_reply(answer.status, answer.lines);
  }
  BufferRef out = core_.buffers().take();
  if (!out) return finished(AfterReply::kAbort);
  const bool keep = request_whole_ && record_.keep_alive && !core_.draining();
  TextWriter text(out->space(Buffer::kBegin).first(kBufferBytes / 4));
  write_reply_head(answer.status,
                   {.date_line = core_.date_line(),
                    .lines = answer.lines,
                    .close = !keep,
                    .keep_alive_1_0 = keep && record_.http_1_0},
                   text);
  if (answer.has_body()) {
    text.put("Content-Length: ");
    text.put_number(answer.content_length);
    text.put("\r\n");
  }
  text.put("\r\n");
  record_.status = answer.status;
  if (!get || answer.status == 304) {
    answer.parts.clear();
    answer.trailer.clear();
  }
  phase_ = Phase::kFile;
  file_ = std::make_unique<FileSender>(*this, std::move(answer));
  file_->start(std::move(out), Buffer::kBegin, Buffer::kBegin + text.text().size(), keep);
}

}  // namespace freehold::gateway
