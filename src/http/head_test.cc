#include "http/head.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace freehold::http {
namespace {

HeadResult parse(std::string_view bytes, RequestHead& head, const HeadLimits& limits = {}) {
  head.clear();
  return parse_request_head(bytes, limits, head);
}

// The status with which a whole request is refused; 0 if it is accepted, 1 if more is wanted.
int refusal(std::string_view bytes, const HeadLimits& limits = {}) {
  RequestHead head;
  HeadResult result = parse(bytes, head, limits);
  if (result.state == HeadState::kIncomplete) return 1;
  return result.state == HeadState::kComplete ? 0 : result.status;
}

int response_refusal(std::string_view bytes) {
  ResponseHead head;
  HeadResult result = parse_response_head(bytes, {}, head);
  if (result.state == HeadState::kIncomplete) return 1;
  return result.state == HeadState::kComplete ? 0 : result.status;
}

std::string with_fields(std::string_view fields) {
  return "POST /p HTTP/1.1\r\nHost: a.example\r\n" + std::string(fields) + "\r\n";
}

TEST(RequestHead, HasWhatTheMessageSays) {
  const std::string_view bytes =
      "POST /a/b?c=d?e HTTP/1.1\r\nHost: Example.org:8080\r\nContent-Length: 12\r\nX-Thing: \t two words \t\r\n"
      "Expect: 100-Continue\r\n\r\nrest";
  RequestHead head;
  HeadResult result = parse(bytes, head);
  ASSERT_EQ(result.state, HeadState::kComplete) << result.reason;
  EXPECT_EQ(bytes.substr(result.consumed), "rest");
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.method_id, Method::kPost);
  EXPECT_EQ(head.target, "/a/b?c=d?e");
  EXPECT_EQ(head.path, "/a/b");
  EXPECT_EQ(head.query, "?c=d?e");
  EXPECT_EQ(head.minor_version, 1);
  EXPECT_EQ(head.authority.host, "Example.org");
  EXPECT_EQ(head.authority.port, 8080);
  EXPECT_EQ(head.content_length, 12U);
  EXPECT_FALSE(head.chunked);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_TRUE(head.expect_continue);
  ASSERT_EQ(head.headers().size(), 4U);
  EXPECT_EQ(head.headers()[2].name(), "X-Thing");
  EXPECT_EQ(head.headers()[2].value(), "two words");
  EXPECT_EQ(head.headers()[2].line(), "X-Thing: \t two words \t\r\n");
  EXPECT_EQ(head.find("x-thing"), &head.headers()[2]);
  EXPECT_EQ(head.value(HeaderId::kHost), "Example.org:8080");
  EXPECT_EQ(head.find(HeaderId::kCookie), nullptr);
}

TEST(RequestHead, TakesOneEmptyLineBeforeItAndNoMore) {
  EXPECT_EQ(refusal("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
  EXPECT_EQ(refusal("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
}

TEST(RequestHead, RefusesWhatIsNoRequestLine) {
  for (std::string_view line : {"GET /",
                                "GET  / HTTP/1.1",
                                "GET / HTTP/1.1 ",
                                "GET /  HTTP/1.1",
                                " GET / HTTP/1.1",
                                "GET / http/1.1",
                                "GET / HTTP/1",
                                "GET / HTTP/1.",
                                "GET / HTTP/11.1",
                                "GET / HTTP/1.1x",
                                "GET\t/ HTTP/1.1",
                                "G@T / HTTP/1.1",
                                "GET x HTTP/1.1",
                                "GET * HTTP/1.1",
                                "GET /a#b HTTP/1.1",
                                "GET /a\"b HTTP/1.1",
                                "GET /\x80 HTTP/1.1",
                                "GET ftp://a/ HTTP/1.1",
                                "GET http:///x HTTP/1.1",
                                "GET http://u@a/ HTTP/1.1",
                                "CONNECT / HTTP/1.1",
                                "CONNECT a HTTP/1.1",
                                "/ HTTP/1.1",
                                "GET HTTP/1.1"}) {
    EXPECT_EQ(refusal(std::string(line) + "\r\nHost: a\r\n\r\n"), 400) << line;
  }
  using namespace std::string_view_literals;
  EXPECT_EQ(refusal("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"sv), 400);
  EXPECT_EQ(refusal("\x16\x03\x01"sv), 400) << "TLS on a port without it";
}

TEST(RequestHead, NamesTheStatusThatFits) {
  EXPECT_EQ(refusal("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), 505);
  EXPECT_EQ(refusal("GET / HTTP/1.2\r\nHost: a\r\n\r\n"), 505);
  EXPECT_EQ(refusal(std::string(33, 'M') + " / HTTP/1.1\r\nHost: a\r\n\r\n"), 501);
  EXPECT_EQ(refusal("GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n"), 414);
  EXPECT_EQ(refusal("GET /" + std::string(40000, 'a')), 414);
  EXPECT_EQ(refusal(with_fields("X: " + std::string(40000, 'a') + "\r\n")), 431);
  std::string many;
  for (int i = 0; i < 100; ++i) many += "a: b\r\n";
  EXPECT_EQ(refusal(with_fields(many)), 431);
  EXPECT_EQ(refusal(with_fields("Expect: 200-ok\r\n")), 417);
}

TEST(RequestHead, RefusesFieldsThatCouldMeanTwoThings) {
  for (std::string_view fields : {"Content-Length: 1\r\nContent-Length: 1\r\n",
                                  "Content-Length: 1, 1\r\n",
                                  "Content-Length: +1\r\n",
                                  "Content-Length: -1\r\n",
                                  "Content-Length: 0x1\r\n",
                                  "Content-Length: 1 1\r\n",
                                  "Content-Length:\r\n",
                                  "Content-Length: 9999999999999999999\r\n",
                                  "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                                  "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                                  "Transfer-Encoding: chunked, chunked\r\n",
                                  "Transfer-Encoding: gzip\r\n",
                                  "Transfer-Encoding: chunked, gzip\r\n",
                                  "Transfer-Encoding: xchunked\r\n",
                                  "Transfer-Encoding:\r\n",
                                  "Transfer-Encoding: chunked,\r\n",
                                  "Transfer-Encoding: \"chunked\"\r\n",
                                  "Transfer-Encoding: chunked;a=b\r\n",
                                  "Transfer-Encoding: identity\r\n",
                                  "Host: a.example\r\n",
                                  "X : a\r\n",
                                  " X: a\r\n",
                                  "X\r\n",
                                  ": a\r\n",
                                  "X: a\r\n b\r\n",
                                  "X: a\nY: b\r\n",
                                  "X: a\rY: b\r\n",
                                  "X: a\x7f\r\n",
                                  "X: a\x01\r\n",
                                  "X\xc3\xa4: a\r\n",
                                  "Connection: Host\r\n",
                                  "Connection: content-length\r\n",
                                  "Connection: a b\r\n",
                                  "Upgrade: a\r\nUpgrade: b\r\n"}) {
    EXPECT_EQ(refusal(with_fields(fields)), 400) << fields;
  }
  EXPECT_EQ(refusal(with_fields("Transfer-Encoding: gzip, chunked\r\n")), 501);
  EXPECT_EQ(refusal(with_fields("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n")), 501);
  EXPECT_EQ(refusal("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
  EXPECT_EQ(refusal(with_fields("Transfer-Encoding: Chunked\r\n")), 0);
}

TEST(RequestHead, WantsOneValidHost) {
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET / HTTP/1.0\r\n\r\n"), 0);
  EXPECT_EQ(refusal("GET / HTTP/1.0\r\nHost: a\r\nhost: a\r\n\r\n"), 400);
  for (std::string_view host :
       {"", "a b", "a,b", "u@a", "a/b", "a:b", "a:70000", "a:0", "[::1", "[g::1]", "a%zz", "a:1:2", "[::1]x"}) {
    EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"), 400) << host;
  }
  for (std::string_view host : {"a", "A.example.", "10.0.0.1:80", "[::1]", "[2001:db8::1]:443", "a%41", "a:", "x_y"}) {
    EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"), 0) << host;
  }
}

TEST(RequestHead, AcceptsAnAbsoluteTargetOnlyForItsHost) {
  RequestHead head;
  ASSERT_EQ(parse("GET http://a.Example?x=1 HTTP/1.1\r\nHost: A.example:80\r\n\r\n", head).state, HeadState::kComplete);
  EXPECT_TRUE(head.absolute_form);
  EXPECT_EQ(head.path, "/");
  EXPECT_EQ(head.query, "?x=1");
  EXPECT_EQ(refusal("GET https://a/ HTTP/1.1\r\nHost: a:443\r\n\r\n"), 0);
  EXPECT_EQ(refusal("GET https://a/ HTTP/1.1\r\nHost: a:80\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n"), 400);
  EXPECT_EQ(refusal("CONNECT a:1 HTTP/1.1\r\nHost: a:2\r\n\r\n"), 400);
  ASSERT_EQ(parse("GET http://a/b HTTP/1.0\r\n\r\n", head).state, HeadState::kComplete);
  EXPECT_EQ(head.authority.host, "a");
}

TEST(RequestHead, KnowsWhatBelongsToTheConnection) {
  RequestHead head;
  const std::string bytes = with_fields(
      "Connection: X-Private, Upgrade,,\r\nUpgrade: websocket\r\nx-private: 1\r\nX-Public: 2\r\nTE: trailers\r\n");
  ASSERT_EQ(parse(bytes, head).state, HeadState::kComplete);
  EXPECT_EQ(head.upgrade, "websocket");
  EXPECT_TRUE(head.keep_alive);
  std::string hops;
  for (const Header& header : head.headers()) hops += header.hop_by_hop ? '1' : '0';
  EXPECT_EQ(hops, "011101");

  ASSERT_EQ(parse(with_fields("Connection: close\r\n"), head).state, HeadState::kComplete);
  EXPECT_FALSE(head.keep_alive);
  ASSERT_EQ(parse("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", head).state, HeadState::kComplete);
  EXPECT_TRUE(head.keep_alive);
  ASSERT_EQ(parse("GET / HTTP/1.0\r\n\r\n", head).state, HeadState::kComplete);
  EXPECT_FALSE(head.keep_alive);
}

TEST(RequestHead, RefusesMoreConnectionOptionsThanAnyoneNeeds) {
  std::string options = "a";
  for (int i = 0; i < 40; ++i) options += ", b";
  EXPECT_EQ(refusal(with_fields("Connection: " + options + "\r\n")), 400);
}

TEST(ResponseHead, HasStatusAndReason) {
  ResponseHead head;
  HeadResult result = parse_response_head("HTTP/1.1 404 Not  There\r\nContent-Length: 3\r\n\r\n", {}, head);
  ASSERT_EQ(result.state, HeadState::kComplete) << result.reason;
  EXPECT_EQ(head.status, 404);
  EXPECT_EQ(head.reason, "Not  There");
  EXPECT_EQ(head.content_length, 3U);
  EXPECT_EQ(response_refusal("HTTP/1.1 200\r\n\r\n"), 0);
  EXPECT_EQ(response_refusal("HTTP/1.1 200 \r\n\r\n"), 0);
}

TEST(ResponseHead, RefusesWhatIsNoStatusLine) {
  for (std::string_view line : {"HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1  200 OK", "HTTP/1.1\t200 OK",
                                "HTTP/1.1 099 OK", "HTTP/1.1 200 a\x01", "HTTP/1.1 200\tOK", "ICY 200 OK"}) {
    EXPECT_EQ(response_refusal(std::string(line) + "\r\n\r\n"), 400) << line;
  }
  EXPECT_EQ(response_refusal("HTTP/2.0 200 OK\r\n\r\n"), 505);
}

TEST(HeaderId, IsFoundInAnyCaseAndOnlyForTheWholeName) {
  for (int i = 1; i < static_cast<int>(HeaderId::kCount); ++i) {
    auto id = static_cast<HeaderId>(i);
    std::string name(header_name(id));
    EXPECT_EQ(header_id(name), id) << name;
    for (char& c : name) c = static_cast<char>(std::toupper(c));
    EXPECT_EQ(header_id(name), id) << name;
    EXPECT_EQ(header_id(name + "x"), HeaderId::kOther) << name;
    name[0] = '!';
    EXPECT_EQ(header_id(name), HeaderId::kOther) << name;
  }
}

// What there is to know about a result, as text, to compare ways of getting it.
std::string describe(const HeadResult& result, const RequestHead& head) {
  std::string text = std::to_string(static_cast<int>(result.state)) + ' ' + std::to_string(result.consumed) + ' ' +
                     std::to_string(result.status) + ' ' + std::string(result.reason) + '\n';
  if (result.state != HeadState::kComplete) return text;
  text += std::string(head.method) + ' ' + std::string(head.path) + ' ' + std::string(head.query) + '\n';
  for (const Header& header : head.headers())
    text += std::string(header.name()) + '=' + std::string(header.value()) + '\n';
  return text;
}

TEST(RequestHead, MeansTheSameHoweverItArrives) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  const std::string good =
      with_fields("Content-Length: 5\r\nX-Long: " + std::string(60, 'v') + "\r\nConnection: close\r\n") + "12345";
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = good;
    // Half of them are damaged in up to three places.
    if (round % 2 == 1) {
      for (uint64_t i = random() % 3 + 1; i > 0; --i) {
        bytes[random() % bytes.size()] = "\r\n\t :\0aZ,/"[random() % 10];
      }
    }
    HeadLimits limits;
    if (round % 5 == 0) limits.bytes = static_cast<uint32_t>(random() % 200);
    RequestHead whole;
    const std::string expected = describe(parse_request_head(bytes, limits, whole), whole);
    RequestHead head;
    HeadResult result;
    std::string buffer;
    for (size_t at = 0; at < bytes.size() && result.state == HeadState::kIncomplete;) {
      size_t count = std::min<size_t>(random() % 30 + 1, bytes.size() - at);
      if (random() % 4 == 0) buffer.shrink_to_fit();  // moves it with the next append
      buffer.append(bytes, at, count);
      at += count;
      result = parse_request_head(buffer, limits, head);
    }
    ASSERT_EQ(describe(result, head), expected) << bytes;
  }
}

}  // namespace
}  // namespace freehold::http
