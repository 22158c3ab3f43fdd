#include "net/frame.h"

#include <gtest/gtest.h>

namespace freehold::net {
namespace {

std::string encode(std::string_view message, uint16_t descriptors = 0) {
  const FrameHeader header = encode_frame_header(static_cast<uint32_t>(message.size()), descriptors);
  return std::string(header.data(), header.size()).append(message);
}

TEST(FrameDecoder, FindsEachMessageInOneRun) {
  const std::string bytes = encode("first") + encode("") + encode("third", 3);
  std::string_view input = bytes;
  FrameDecoder decoder;
  auto first = decoder.decode(input);
  ASSERT_TRUE(first && *first);
  EXPECT_EQ((*first)->bytes, "first");
  auto second = decoder.decode(input);
  ASSERT_TRUE(second && *second);
  EXPECT_EQ((*second)->bytes, "");
  auto third = decoder.decode(input);
  ASSERT_TRUE(third && *third);
  EXPECT_EQ((*third)->bytes, "third");
  EXPECT_EQ((*third)->descriptors, 3);
  auto none = decoder.decode(input);
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
  EXPECT_TRUE(decoder.at_boundary());
}

TEST(FrameDecoder, TakesBytesOneByOne) {
  const std::string bytes = encode("a message", 2) + encode("another");
  FrameDecoder decoder;
  std::vector<std::string> messages;
  for (const char& byte : bytes) {
    std::string_view input(&byte, 1);
    auto frame = decoder.decode(input);
    ASSERT_TRUE(frame);
    EXPECT_TRUE(input.empty());
    if (*frame) messages.push_back((*frame)->bytes);
    EXPECT_EQ(decoder.at_boundary(), frame->has_value());
  }
  EXPECT_EQ(messages, (std::vector<std::string>{"a message", "another"}));
}

TEST(FrameDecoder, RefusesWhatIsBeyondItsLimits) {
  const FrameLimits limits{Bytes{10}, 2};
  for (const std::string& bytes : {encode(std::string(11, 'x')), encode("x", 3), std::string("GET / HTTP/1.1\r\n"),
                                   std::string("\xff\xff\xff\xff\0\0\0\0", 8), std::string("\1\0\0\0\0\0\1\0x", 9)}) {
    FrameDecoder decoder(limits);
    std::string_view input = bytes;
    auto frame = decoder.decode(input);
    ASSERT_FALSE(frame);
    EXPECT_EQ(frame.error().code(), ErrorCode::kCorrupt);
  }
  FrameDecoder decoder(limits);
  const std::string largest = encode(std::string(10, 'x'), 2);
  std::string_view input = largest;
  EXPECT_TRUE(decoder.decode(input));
}

TEST(FrameDecoder, ReservesNothingForAnAnnouncement) {
  FrameDecoder decoder;
  const FrameHeader header = encode_frame_header(60 << 20, 0);
  std::string_view input(header.data(), header.size());
  ASSERT_TRUE(decoder.decode(input));
  EXPECT_FALSE(decoder.at_boundary());
}

}  // namespace
}  // namespace freehold::net
