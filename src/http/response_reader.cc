#include "http/response_reader.h"

#include <fmt/format.h>

namespace freehold::http {
namespace {

constexpr int kMostInterim = 16;

Error malformed(std::string_view why) {
  return {ErrorCode::kCorrupt, fmt::format("the answer is not valid HTTP/1.1: {}", why)};
}

}  // namespace

ResponseReader::ResponseReader(Method asked, size_t most, Excess excess)
    : asked_(asked), most_(most), excess_(excess), buffer_(kBufferBytes, '\0') {}

std::span<char> ResponseReader::room() {
  if (begin_ == end_) begin_ = end_ = 0;
  return {buffer_.data() + end_, buffer_.size() - end_};
}

Result<bool> ResponseReader::received(size_t count) {
  if (count == 0) return at_end();
  end_ += count;
  if (!has_head()) {
    FH_ASSIGN(bool complete, read_head());
    if (!complete) return false;
  }
  return read_body();
}

Result<bool> ResponseReader::at_end() const {
  if (!has_head()) {
    if (end_ == begin_ && interim_ == 0) {
      return Error(ErrorCode::kUnavailable, "the connection was closed without an answer");
    }
    return malformed("it ends within its head");
  }
  if (!body_.complete_at_close()) return malformed("it ends within its body");
  return true;
}

// True once the head of the final response is there.
Result<bool> ResponseReader::read_head() {
  // A head as large as the buffer cannot be complete in it and is refused as too long, never waited for.
  HeadLimits limits;
  limits.bytes = kBufferBytes;
  for (;;) {
    HeadResult result = parse_response_head({buffer_.data() + begin_, end_ - begin_}, limits, head_);
    if (result.state == HeadState::kRefused) return malformed(result.reason);
    if (result.state == HeadState::kIncomplete) {
      // Behind interim responses there may be no room left.
      buffer_.erase(0, begin_);
      buffer_.resize(kBufferBytes);
      end_ -= begin_;
      begin_ = 0;
      return false;
    }
    begin_ += result.consumed;
    if (head_.status >= 200) break;
    if (head_.status == 101) return malformed("it switches to a protocol that nobody asked for");
    if (++interim_ > kMostInterim) return malformed("too many interim responses");
  }
  response_ = response_from(head_);
  body_ = BodyReader(response_framing(head_, asked_));
  return true;
}

Result<bool> ResponseReader::read_body() {
  while (begin_ != end_ && !body_.complete()) {
    BodyStep step = body_.next({buffer_.data() + begin_, end_ - begin_});
    begin_ += step.consumed;
    if (step.state == BodyState::kRefused) return malformed(step.reason);
    if (step.data.empty()) continue;
    FH_ASSIGN(bool enough, take_data(step.data));
    if (enough) return true;
  }
  return body_.complete();
}

// True if no more is wanted.
Result<bool> ResponseReader::take_data(std::string_view data) {
  if (on_data_ && response_->success()) {
    FH_TRY(on_data_(data));
    return false;
  }
  if (data.size() > most_ - response_->body.size()) {
    if (excess_ == Excess::kFails) {
      return Error(ErrorCode::kExhausted, fmt::format("the answer is longer than {} bytes", most_));
    }
    response_->body += data.substr(0, most_ - response_->body.size());
    return true;
  }
  response_->body += data;
  return false;
}

}  // namespace freehold::http
