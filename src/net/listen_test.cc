#include "net/listen.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "net/connect.h"

namespace freehold::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

class SocketFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "freehold_net_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    path_ = folder_ / "test.sock";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  mode_t mode() const {
    struct stat status{};
    EXPECT_EQ(lstat(path_.c_str(), &status), 0);
    return status.st_mode & 07777;
  }
  SocketAddress address() const { return *SocketAddress::unix_path(path_.string()); }
  std::filesystem::path folder_;
  std::filesystem::path path_;
};

SocketAddress bound(const os::Fd& socket) { return *SocketAddress::local_of(socket.get()); }

TEST(ListenTcp, AcceptsConnections) {
  for (const SocketAddress& address : {SocketAddress::loopback(0), *SocketAddress::parse("[::1]:0")}) {
    auto listener = listen_tcp(address);
    ASSERT_TRUE(listener) << listener.error().message();
    auto client = connect_blocking(bound(*listener), seconds(5));
    ASSERT_TRUE(client) << client.error().message();
    EXPECT_EQ(fcntl(client->get(), F_GETFL) & O_NONBLOCK, 0);
    EXPECT_TRUE(os::Fd(accept(listener->get(), nullptr, nullptr)));
  }
}

TEST(ListenTcp, NamesTheAddressAndTheProcessThatHoldsIt) {
  auto listener = listen_tcp(SocketAddress::loopback(0));
  ASSERT_TRUE(listener);
  auto second = listen_tcp(bound(*listener));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), ErrorCode::kConflict);
  EXPECT_THAT(second.error().message(), HasSubstr(bound(*listener).to_string()));
  EXPECT_THAT(second.error().message(), HasSubstr("pid " + std::to_string(getpid())));
  EXPECT_THAT(second.error().message(), HasSubstr("net_test"));
}

TEST(ListenTcp, SaysThatTheMachineHasNoSuchAddress) {
  auto listener = listen_tcp(*SocketAddress::parse("192.0.2.1:0"));
  ASSERT_FALSE(listener);
  EXPECT_EQ(listener.error().code(), ErrorCode::kInvalid);
  EXPECT_THAT(listener.error().message(), HasSubstr("192.0.2.1"));
}

TEST(ListenTcp, LeavesIpv4ToAnotherSocketIfTold) {
  ListenOptions options;
  options.ipv6_only = true;
  auto six = listen_tcp(SocketAddress::any(0), options);
  ASSERT_TRUE(six) << six.error().message();
  const uint16_t port = bound(*six).port();
  auto four = listen_tcp(*SocketAddress::parse_ip("0.0.0.0", port));
  EXPECT_TRUE(four) << four.error().message();
}

TEST(Ports, AreFreeOrTaken) {
  auto listener = listen_tcp(SocketAddress::loopback(0));
  ASSERT_TRUE(listener);
  const SocketAddress address = bound(*listener);
  EXPECT_FALSE(is_free(address));
  EXPECT_EQ(find_port_holder(address)->pid, getpid());
  listener->reset();
  EXPECT_TRUE(is_free(address));
  EXPECT_FALSE(find_port_holder(address));
}

TEST(Ports, AreHeldByWhoeverListensThereAndByNobodyElse) {
  auto listener = listen_tcp(SocketAddress::loopback(0));
  auto other = listen_tcp(SocketAddress::loopback(0));
  auto six = listen_tcp(*SocketAddress::parse_ip("::1", 0));
  ASSERT_TRUE(listener && other && six);
  auto found = find_listeners(bound(*listener).port());
  ASSERT_TRUE(found) << found.error().message();
  ASSERT_EQ(found->size(), 1u);
  EXPECT_EQ(found->front().owner, geteuid());
  EXPECT_TRUE(holds_one_of(getpid(), *found));
  EXPECT_FALSE(holds_one_of(getppid(), *found));
  listener->reset();
  EXPECT_FALSE(holds_one_of(getpid(), *found)) << "the other sockets of ours are not it";
  EXPECT_TRUE(find_listeners(bound(*six).port())->size() == 1);
}

TEST(Ports, AreFreeEverywhereOnlyIfNobodyListensAtAnyAddress) {
  auto listener = listen_tcp(*SocketAddress::parse_ip("127.0.0.2", 0));
  ASSERT_TRUE(listener) << listener.error().message();
  const uint16_t port = bound(*listener).port();
  EXPECT_TRUE(is_free(SocketAddress::loopback(port)));
  EXPECT_FALSE(is_free_everywhere(port)) << "a program that listens at every address could not";
  listener->reset();
  EXPECT_TRUE(is_free_everywhere(port));
}

TEST(Ports, AreFoundFromTheStartAroundTheRange) {
  auto listener = listen_tcp(SocketAddress::loopback(0));
  ASSERT_TRUE(listener);
  const uint16_t taken = bound(*listener).port();
  auto none = find_free_port(SocketAddress::loopback(0), taken, taken, taken);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), ErrorCode::kExhausted);
  // Some other port of these is free, whatever else runs on the machine.
  const auto first = static_cast<uint16_t>(taken > 65000 ? taken - 500 : taken);
  auto found = find_free_port(SocketAddress::loopback(0), first, static_cast<uint16_t>(first + 500), taken);
  ASSERT_TRUE(found);
  EXPECT_NE(*found, taken);
  EXPECT_FALSE(find_free_port(SocketAddress::loopback(0), 2, 1, 1));
}

TEST_F(SocketFileTest, HasExactlyTheModeAskedForWhateverTheUmask) {
  const mode_t old = umask(077);
  auto listener = listen_unix(path_.string(), 0660);
  umask(old);
  ASSERT_TRUE(listener) << listener.error().message();
  EXPECT_EQ(mode(), 0660U);
  EXPECT_TRUE(connect_blocking(address(), seconds(5)));
}

TEST_F(SocketFileTest, ReplacesWhatADeadProcessLeftButNotALivingOne) {
  {
    auto listener = listen_unix(path_.string(), 0600);
    ASSERT_TRUE(listener);
    auto second = listen_unix(path_.string(), 0600);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), ErrorCode::kConflict);
    EXPECT_THAT(second.error().message(), HasSubstr(path_.string()));
  }
  ASSERT_TRUE(std::filesystem::exists(path_));
  EXPECT_TRUE(listen_unix(path_.string(), 0600));
}

TEST_F(SocketFileTest, IsNotPutInPlaceOfAnotherFile) {
  std::ofstream(path_) << "precious";
  auto listener = listen_unix(path_.string(), 0600);
  ASSERT_FALSE(listener);
  EXPECT_EQ(listener.error().code(), ErrorCode::kConflict);
  EXPECT_EQ(std::filesystem::file_size(path_), 8U);
}

TEST_F(SocketFileTest, TellsWhoConnected) {
  auto listener = listen_unix(path_.string(), 0600);
  ASSERT_TRUE(listener);
  auto client = connect_blocking(address(), seconds(5));
  ASSERT_TRUE(client);
  const os::Fd accepted(accept(listener->get(), nullptr, nullptr));
  auto peer = peer_credentials(accepted.get());
  ASSERT_TRUE(peer) << peer.error().message();
  EXPECT_EQ(peer->pid, getpid());
  EXPECT_EQ(peer->uid, geteuid());
  EXPECT_EQ(peer->gid, getegid());
}

TEST_F(SocketFileTest, SaysWhyItCannotConnect) {
  auto missing = connect_blocking(address(), seconds(5));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), ErrorCode::kNotFound);
  EXPECT_THAT(missing.error().message(), HasSubstr(path_.string()));
  listen_unix(path_.string(), 0600).ok();
  auto dead = connect_blocking(address(), seconds(5));
  ASSERT_FALSE(dead);
  EXPECT_EQ(dead.error().code(), ErrorCode::kUnavailable);
}

TEST(ConnectTcp, SaysWhenNobodyListens) {
  auto listener = listen_tcp(SocketAddress::loopback(0));
  ASSERT_TRUE(listener);
  const SocketAddress address = bound(*listener);
  listener->reset();
  auto refused = connect_blocking(address, seconds(5));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kUnavailable);
  EXPECT_FALSE(peer_credentials(os::Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)).get()));
}

TEST(ConnectTcp, GivesUpAfterItsTime) {
  // A queue of connections that is full answers nothing: the kernel drops the request.
  ListenOptions options;
  options.backlog = 0;
  auto listener = listen_tcp(SocketAddress::loopback(0), options);
  ASSERT_TRUE(listener);
  std::vector<os::Fd> clients;
  for (int i = 0; i < 5; ++i) {
    auto client = connect_blocking(bound(*listener), milliseconds(100));
    if (!client) {
      EXPECT_EQ(client.error().code(), ErrorCode::kTimeout);
      return;
    }
    clients.push_back(*std::move(client));
  }
  ADD_FAILURE() << "the queue never became full";
}

}  // namespace
}  // namespace freehold::net
