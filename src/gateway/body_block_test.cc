#include "gateway/body_block.h"

#include <gtest/gtest.h>

#include <cstring>

namespace freehold::gateway {
namespace {

class Reframing : public testing::Test {
 protected:
  // Gives `text` to the reader in a buffer, as one receive would; returns what is to be sent.
  std::string pass(http::BodyReader& reader, std::string_view text, OutputFraming output) {
    std::memcpy(buffer_->bytes + Buffer::kBegin, text.data(), text.size());
    const size_t end = Buffer::kBegin + text.size();
    block_ = reframe(reader, *buffer_, Buffer::kBegin, end, output);
    rest_ = std::string(buffer_->bytes + block_.next, end - block_.next);
    return {buffer_->bytes + block_.begin, block_.end - block_.begin};
  }
  // What a receiver makes of it.
  static std::string decode(std::string_view sent) {
    http::ChunkedDecoder decoder;
    std::string body;
    while (!sent.empty()) {
      const http::BodyStep step = decoder.next(sent);
      if (step.state == http::BodyState::kRefused) return "refused";
      body += step.data;
      sent.remove_prefix(step.consumed);
      if (step.state == http::BodyState::kComplete) return sent.empty() ? body : "bytes behind the end";
    }
    return "no end";
  }

  std::unique_ptr<Buffer> buffer_{new Buffer};
  BodyBlock block_;
  std::string rest_;
};

TEST_F(Reframing, KeepsBodyAndWhatFollowsWhereverTheBytesAreSplit) {
  const std::string body = "5;a=b\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\nT: x\r\n\r\n";
  const std::string next = "GET / HTTP/1.1\r\n\r\n";
  for (size_t first = 0; first <= body.size(); ++first) {
    for (size_t second = first; second <= body.size(); ++second) {
      http::BodyReader reader({http::BodyKind::kChunked, 0});
      std::string sent = pass(reader, body.substr(0, first), OutputFraming::kChunked);
      if (block_.state != BlockState::kComplete) {
        sent += pass(reader, body.substr(first, second - first), OutputFraming::kChunked);
      }
      if (block_.state != BlockState::kComplete) {
        sent += pass(reader, body.substr(second) + next, OutputFraming::kChunked);
        ASSERT_EQ(rest_, next) << first << " " << second;
      }
      ASSERT_EQ(block_.state, BlockState::kComplete);
      ASSERT_EQ(decode(sent), "hello world") << first << " " << second;
    }
  }
}

TEST_F(Reframing, FramesPlainBytesAsChunksAndChunksAsPlainBytes) {
  http::BodyReader until_close({http::BodyKind::kUntilClose, 0});
  const std::string sent = pass(until_close, "some bytes", OutputFraming::kChunked);
  EXPECT_EQ(sent, "a\r\nsome bytes\r\n");
  EXPECT_EQ(decode(sent + std::string(end_of_body(OutputFraming::kChunked))), "some bytes");
  http::BodyReader chunked({http::BodyKind::kChunked, 0});
  EXPECT_EQ(pass(chunked, "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nX", OutputFraming::kPlain), "abcde");
  EXPECT_EQ(rest_, "X");
}

TEST_F(Reframing, StopsAtTheLength) {
  http::BodyReader reader({http::BodyKind::kLength, 4});
  EXPECT_EQ(pass(reader, "ab", OutputFraming::kPlain), "ab");
  EXPECT_EQ(block_.state, BlockState::kMore);
  EXPECT_EQ(pass(reader, "cdX", OutputFraming::kPlain), "cd");
  EXPECT_EQ(block_.state, BlockState::kComplete);
  EXPECT_EQ(rest_, "X");
}

TEST_F(Reframing, FillsAWholeBuffer) {
  http::BodyReader reader({http::BodyKind::kUntilClose, 0});
  const std::string full(kBufferBytes, 'x');
  const std::string sent = pass(reader, full, OutputFraming::kChunked) + "0\r\n\r\n";
  EXPECT_EQ(decode(sent), full);
}

TEST_F(Reframing, RefusesWhatIsNoChunk) {
  http::BodyReader reader({http::BodyKind::kChunked, 0});
  pass(reader, "5\r\nhelloX", OutputFraming::kChunked);
  EXPECT_EQ(block_.state, BlockState::kRefused);
}

}  // namespace
}  // namespace freehold::gateway
