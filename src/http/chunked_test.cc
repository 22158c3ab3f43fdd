#include "http/chunked.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace freehold::http {
namespace {

struct Decoded {
  BodyState state = BodyState::kMore;
  std::string data;
  size_t consumed = 0;
  std::string reason;
  bool operator==(const Decoded&) const = default;
};

// Feeds `bytes` in pieces of at most `most` bytes, or of random sizes if a source is given.
Decoded decode(std::string_view bytes, size_t most = std::string_view::npos, std::mt19937_64* random = nullptr) {
  ChunkedDecoder decoder;
  Decoded out;
  while (out.consumed < bytes.size()) {
    size_t count = random != nullptr ? (*random)() % most + 1 : most;
    std::string piece(bytes.substr(out.consumed, count));
    BodyStep step = decoder.next(piece);
    out.state = step.state;
    out.data += step.data;
    out.consumed += step.consumed;
    out.reason = step.reason;
    if (step.state == BodyState::kComplete || step.state == BodyState::kRefused) break;
  }
  return out;
}

TEST(ChunkedDecoder, GivesTheDataAndFindsTheEnd) {
  const std::string_view bytes =
      "5\r\nhello\r\n00a;name=value;x;q=\"a;\\\"b\"\r\n0123456789\r\n000\r\nTrailer: yes\r\nEmpty:\r\n\r\nGET /";
  Decoded out = decode(bytes);
  EXPECT_EQ(out.state, BodyState::kComplete) << out.reason;
  EXPECT_EQ(out.data, "hello0123456789");
  EXPECT_EQ(bytes.substr(out.consumed), "GET /");
}

TEST(ChunkedDecoder, BoundsExtensionsAndTrailersToTheByte) {
  // Of an extension the bytes behind its semicolon count, with the carriage return; of a trailer all.
  auto extended = [](size_t bytes) { return "1;" + std::string(bytes - 1, 'x') + "\r\na\r\n0\r\n\r\n"; };
  Decoded most = decode(extended(ChunkedDecoder::kMostExtensionBytes));
  EXPECT_EQ(most.state, BodyState::kComplete) << most.reason;
  EXPECT_EQ(decode(extended(ChunkedDecoder::kMostExtensionBytes + 1)).state, BodyState::kRefused);
  auto trailed = [](size_t bytes) { return "0\r\nX:" + std::string(bytes - 6, 'x') + "\r\n\r\n"; };
  most = decode(trailed(ChunkedDecoder::kMostTrailerBytes));
  EXPECT_EQ(most.state, BodyState::kComplete) << most.reason;
  EXPECT_EQ(decode(trailed(ChunkedDecoder::kMostTrailerBytes + 1)).state, BodyState::kRefused);
}

TEST(ChunkedDecoder, RefusesWhatIsOdd) {
  using namespace std::string_view_literals;
  for (std::string_view bytes : {"\r\n"sv,
                                 "g\r\n"sv,
                                 "-1\r\n"sv,
                                 "+1\r\n"sv,
                                 "0x1\r\na\r\n"sv,
                                 " 1\r\na\r\n"sv,
                                 "1 \r\na\r\n"sv,
                                 "1\na\n"sv,
                                 "1\r\nab\r\n"sv,
                                 "1\r\na\n"sv,
                                 "1\r\na\r0"sv,
                                 "1\r\ra"sv,
                                 "1;\r\na\r\n"sv,
                                 "1;=a\r\n"sv,
                                 "1;a=\r\n"sv,
                                 "1;a=\"b\r\n"sv,
                                 "1;a=\"b\"c\r\n"sv,
                                 "1 ;a\r\n"sv,
                                 "1; a\r\n"sv,
                                 "1;a\x01\r\n"sv,
                                 "1;a\nb\r\n"sv,
                                 "1000000000000000\r\n"sv,
                                 "0000000000000001\r\n"sv,
                                 "0\r\nbad name: x\r\n"sv,
                                 "0\r\n: x\r\n"sv,
                                 "0\r\n folded: x\r\n"sv,
                                 "0\r\na: b\nc: d\r\n"sv,
                                 "0\r\na: \0\r\n"sv,
                                 "0\r\n\rX"sv,
                                 "0\n\n"sv}) {
    EXPECT_EQ(decode(bytes).state, BodyState::kRefused) << bytes;
  }
}

TEST(ChunkedDecoder, BoundsExtensionsAndTrailer) {
  EXPECT_EQ(decode("1;a=" + std::string(5000, 'b') + "\r\n").state, BodyState::kRefused);
  EXPECT_EQ(decode("0\r\na: " + std::string(9000, 'b') + "\r\n\r\n").state, BodyState::kRefused);
  std::string chunks;
  for (int i = 0; i < 3000; ++i) chunks += "1;a\r\nx\r\n";
  EXPECT_EQ(decode(chunks + "0\r\n\r\n").state, BodyState::kRefused) << "many small extensions count together";
}

TEST(ChunkedDecoder, MeansTheSameHoweverItArrives) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  const std::string good = "3;a=\"b\"\r\nabc\r\n1f\r\n0123456789012345678901234567890\r\n0\r\nT: v\r\n\r\nnext";
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = good;
    if (round % 2 == 1) bytes[random() % bytes.size()] = "\r\n;=\"0fg :"[random() % 10];
    Decoded whole = decode(bytes);
    ASSERT_EQ(decode(bytes, 1), whole) << bytes;
    ASSERT_EQ(decode(bytes, 9, &random), whole) << bytes;
  }
}

TEST(ChunkHeader, IsReadBackAsItsSize) {
  for (uint64_t size : {uint64_t{1}, uint64_t{15}, uint64_t{16}, uint64_t{0xabcdef}, (uint64_t{1} << 60) - 1}) {
    ChunkedDecoder decoder;
    std::string bytes = std::string(ChunkHeader(size).text()) + "x";
    BodyStep step = decoder.next(bytes);
    EXPECT_EQ(step.data, "x") << bytes;
  }
  EXPECT_EQ(ChunkHeader(500).text(), "1f4\r\n");
  EXPECT_EQ(ChunkHeader(~uint64_t{0}).text(), "ffffffffffffffff\r\n");
}

}  // namespace
}  // namespace freehold::http
