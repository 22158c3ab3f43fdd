#include "http/body.h"

#include <gtest/gtest.h>

#include <string>

namespace freehold::http {
namespace {

BodyFraming of_response(std::string_view bytes, Method asked = Method::kGet) {
  ResponseHead head;
  EXPECT_EQ(parse_response_head(bytes, {}, head).state, HeadState::kComplete) << bytes;
  return response_framing(head, asked);
}

BodyFraming of_request(std::string_view fields) {
  RequestHead head;
  std::string bytes = "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
  EXPECT_EQ(parse_request_head(bytes, {}, head).state, HeadState::kComplete) << bytes;
  return request_framing(head);
}

TEST(RequestFraming, IsNothingUnlessTheFieldsSayMore) {
  EXPECT_EQ(of_request("").kind, BodyKind::kNone);
  EXPECT_EQ(of_request("Content-Length: 0\r\n").kind, BodyKind::kNone);
  EXPECT_EQ(of_request("Content-Length: 7\r\n").kind, BodyKind::kLength);
  EXPECT_EQ(of_request("Content-Length: 7\r\n").length, 7U);
  EXPECT_EQ(of_request("Transfer-Encoding: chunked\r\n").kind, BodyKind::kChunked);
}

TEST(ResponseFraming, FollowsTheOrderOfTheRfc) {
  EXPECT_EQ(of_response("HTTP/1.1 200 OK\r\n\r\n").kind, BodyKind::kUntilClose);
  EXPECT_EQ(of_response("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n").kind, BodyKind::kLength);
  EXPECT_EQ(of_response("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").kind, BodyKind::kNone);
  EXPECT_EQ(of_response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").kind, BodyKind::kChunked);
  for (std::string_view status : {"100", "103", "204", "304"}) {
    EXPECT_EQ(of_response("HTTP/1.1 " + std::string(status) + " x\r\nContent-Length: 7\r\n\r\n").kind, BodyKind::kNone);
  }
  EXPECT_EQ(of_response("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", Method::kHead).kind, BodyKind::kNone);
  EXPECT_EQ(of_response("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", Method::kConnect).kind, BodyKind::kTunnel);
  EXPECT_EQ(of_response("HTTP/1.1 404 x\r\nContent-Length: 7\r\n\r\n", Method::kConnect).kind, BodyKind::kLength);
  EXPECT_EQ(of_response("HTTP/1.1 101 x\r\nContent-Length: 7\r\n\r\n").kind, BodyKind::kTunnel);
}

TEST(BodyReader, StopsWhereTheLengthSays) {
  BodyReader body(BodyFraming{BodyKind::kLength, 5});
  BodyStep step = body.next("abc");
  EXPECT_EQ(step.data, "abc");
  EXPECT_FALSE(body.complete());
  EXPECT_FALSE(body.complete_at_close());
  step = body.next("defgh");
  EXPECT_EQ(step.data, "de");
  EXPECT_EQ(step.consumed, 2U);
  EXPECT_TRUE(body.complete());
  EXPECT_EQ(body.next("fgh").state, BodyState::kComplete);
}

TEST(BodyReader, EndsWithTheConnectionWhereNothingElseEndsIt) {
  BodyReader body(BodyFraming{BodyKind::kUntilClose, 0});
  EXPECT_EQ(body.next("abc").data, "abc");
  EXPECT_FALSE(body.complete());
  EXPECT_TRUE(body.complete_at_close());
  EXPECT_FALSE(BodyReader(BodyFraming{BodyKind::kChunked, 0}).complete_at_close());
}

}  // namespace
}  // namespace freehold::http
