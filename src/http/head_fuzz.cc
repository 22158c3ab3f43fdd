// Any bytes as a request and as a response. However they are split they mean the same, and what was accepted means the
// same again when it is written anew from what was read.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "http/head.h"

namespace {

using namespace freehold::http;

HeadResult parse(std::string_view bytes, RequestHead& head) { return parse_request_head(bytes, {}, head); }
HeadResult parse(std::string_view bytes, ResponseHead& head) { return parse_response_head(bytes, {}, head); }

std::string start_line(const RequestHead& head) {
  return std::string(head.method) + ' ' + std::string(head.target) + " HTTP/1." +
         static_cast<char>('0' + head.minor_version) + "\r\n";
}
std::string start_line(const ResponseHead& head) {
  return std::string("HTTP/1.") + static_cast<char>('0' + head.minor_version) + ' ' + std::to_string(head.status) +
         ' ' + std::string(head.reason) + "\r\n";
}

template <class Head>
std::string write(const Head& head) {
  std::string out = start_line(head);
  for (const Header& header : head.headers()) {
    out += std::string(header.name()) + ": " + std::string(header.value()) + "\r\n";
  }
  return out + "\r\n";
}

void require(bool holds) {
  if (!holds) std::abort();
}

template <class Head>
void check(std::string_view bytes) {
  auto whole = std::make_unique<Head>();
  HeadResult result = parse(bytes, *whole);

  auto split = std::make_unique<Head>();
  HeadResult last;
  // The first byte chooses the size of the pieces.
  size_t piece = bytes.empty() ? 1 : static_cast<size_t>(static_cast<uint8_t>(bytes[0])) % 17 + 1;
  for (size_t end = 0; last.state == HeadState::kIncomplete && end < bytes.size();) {
    end = std::min(bytes.size(), end + piece);
    last = parse(bytes.substr(0, end), *split);
  }
  require(last.state == result.state && last.consumed == result.consumed && last.status == result.status);
  if (result.state != HeadState::kComplete) return;
  require(result.consumed <= bytes.size());

  const std::string written = write(*whole);
  auto again = std::make_unique<Head>();
  // Optional space that was left out at 32 KiB may come back longer; nothing else may change.
  HeadResult second = parse(written, *again);
  if (second.state == HeadState::kRefused && second.status == 431 && written.size() > 30000) return;
  require(second.state == HeadState::kComplete && second.consumed == written.size());
  require(write(*again) == written && write(*split) == written);
  require(again->content_length == whole->content_length && again->chunked == whole->chunked &&
          again->keep_alive == whole->keep_alive && again->upgrade == whole->upgrade);
  require(!(whole->chunked && whole->content_length));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check<freehold::http::RequestHead>(bytes);
  check<freehold::http::ResponseHead>(bytes);
  return 0;
}
