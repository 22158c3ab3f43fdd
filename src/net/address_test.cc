#include "net/address.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

namespace freehold::net {
namespace {

TEST(SocketAddress, WritesWhatItRead) {
  for (const char* text : {"127.0.0.1:80", "0.0.0.0:0", "[::1]:65535", "[2001:db8::1]:443", "unix:/run/a.sock"}) {
    auto address = SocketAddress::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->to_string(), text);
  }
  EXPECT_EQ(SocketAddress::parse(":8080")->to_string(), "[::]:8080");
  EXPECT_EQ(SocketAddress::parse("[fe80::1%lo]:1")->to_string(), "[fe80::1%lo]:1");
  EXPECT_EQ(SocketAddress::loopback(7).to_string(), "127.0.0.1:7");
  EXPECT_EQ(SocketAddress::parse_ip("::1", 5)->ip(), "::1");
  EXPECT_EQ(SocketAddress().to_string(), "0.0.0.0:0");
}

TEST(SocketAddress, RefusesWhatIsNoAddressAndSaysWhy) {
  for (const char* text :
       {"", "localhost:80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "::1:80", "[::1]",
        "[127.0.0.1]:80", "1.2.3.4.5:80", "127.0.0.1:80 ", "unix:", "unix:relative", "[fe80::1%nosuchinterface]:1"}) {
    auto address = SocketAddress::parse(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error().code(), ErrorCode::kInvalid);
    EXPECT_FALSE(address.error().message().empty());
  }
  EXPECT_FALSE(SocketAddress::parse(std::string(100'000, '1') + ":80"));
}

TEST(SocketAddress, RefusesASocketPathThatTheKernelWouldCut) {
  EXPECT_TRUE(SocketAddress::unix_path("/" + std::string(106, 'x')));
  EXPECT_FALSE(SocketAddress::unix_path("/" + std::string(107, 'x')));
  EXPECT_FALSE(SocketAddress::unix_path(std::string("/a\0b", 4)));
}

TEST(SocketAddress, SurvivesTheKernelsForm) {
  for (const char* text : {"127.0.0.1:80", "[2001:db8::1]:443", "unix:/run/a.sock"}) {
    const SocketAddress address = *SocketAddress::parse(text);
    sockaddr_storage storage;
    const socklen_t length = address.to_kernel(storage);
    auto again = SocketAddress::from_kernel(reinterpret_cast<sockaddr*>(&storage), length);
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, address);
  }
  sockaddr unknown{};
  unknown.sa_family = AF_APPLETALK;
  EXPECT_FALSE(SocketAddress::from_kernel(&unknown, sizeof unknown));
}

TEST(SocketAddress, IsAValueThatSorts) {
  EXPECT_EQ(*SocketAddress::parse("[0:0::1]:1"), *SocketAddress::parse("[::1]:1"));
  EXPECT_NE(SocketAddress::loopback(1), SocketAddress::loopback(2));
  EXPECT_LT(SocketAddress::loopback(1), SocketAddress::loopback(2));
  EXPECT_LT(SocketAddress::loopback(9), SocketAddress::any(1));
}

TEST(SocketAddress, KnowsLoopbackAndAny) {
  for (const char* text : {"127.0.0.1", "127.255.0.3", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(SocketAddress::parse_ip(text, 0)->is_loopback()) << text;
  }
  for (const char* text : {"128.0.0.1", "::2", "::", "::ffff:10.0.0.1"}) {
    EXPECT_FALSE(SocketAddress::parse_ip(text, 0)->is_loopback()) << text;
  }
  EXPECT_TRUE(SocketAddress::any(1).is_any());
  EXPECT_TRUE(SocketAddress().is_any());
  EXPECT_FALSE(SocketAddress::loopback(0).is_any());
}

}  // namespace
}  // namespace freehold::net
