#include "net/channel.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "runtime/loop_test_support.h"

namespace freehold::net {
namespace {

using runtime::Backend;
using runtime::backend_name;

class ChannelTest : public runtime::LoopTest {
 protected:
  struct End {
    std::unique_ptr<MessageChannel> channel;
    std::vector<MessageChannel::Message> messages;
    std::vector<Error> errors;
  };

  void SetUp() override {
    LoopTest::SetUp();
    std::array<int, 2> fds{};
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()), 0);
    sockets_[0].reset(fds[0]);
    sockets_[1].reset(fds[1]);
  }

  void open(End& end, size_t side, MessageChannel::Limits limits = {}) {
    end.channel = std::make_unique<MessageChannel>(
        *loop_, std::move(sockets_[side]),
        MessageChannel::Handlers{
            [&end](MessageChannel::Message message) { end.messages.push_back(std::move(message)); },
            [&end](const Error& error) { end.errors.push_back(error); }},
        limits);
  }

  std::array<os::Fd, 2> sockets_;
};
FREEHOLD_BOTH_ENGINES(ChannelTest);

// A pipe whose reading end is sent, so that the receiver can show that it is this one.
struct MarkedPipe {
  os::Fd read_end;
  explicit MarkedPipe(char mark) {
    std::array<int, 2> fds{};
    EXPECT_EQ(pipe2(fds.data(), O_CLOEXEC), 0);
    read_end.reset(fds[0]);
    const os::Fd write_end(fds[1]);
    EXPECT_EQ(write(write_end.get(), &mark, 1), 1);
  }
};

std::vector<os::Fd> marked(std::string_view marks) {
  std::vector<os::Fd> fds;
  for (const char mark : marks) fds.push_back(std::move(MarkedPipe(mark).read_end));
  return fds;
}

std::string marks_of(const std::vector<os::Fd>& fds) {
  std::string marks;
  for (const os::Fd& fd : fds) {
    char mark = '?';
    EXPECT_EQ(read(fd.get(), &mark, 1), 1);
    EXPECT_NE(fcntl(fd.get(), F_GETFD) & FD_CLOEXEC, 0);
    marks += mark;
  }
  return marks;
}

TEST_P(ChannelTest, DeliversMessagesInOrderWithTheirDescriptors) {
  End a;
  End b;
  open(a, 0);
  open(b, 1);
  ASSERT_TRUE(a.channel->send("plain"));
  ASSERT_TRUE(a.channel->send("two", marked("xy")));
  ASSERT_TRUE(a.channel->send(""));
  ASSERT_TRUE(a.channel->send("one", marked("z")));
  ASSERT_TRUE(a.channel->send("sixteen", marked("0123456789abcdef")));
  ASSERT_TRUE(b.channel->send("answer"));
  run_until([&] { return b.messages.size() == 5 && a.messages.size() == 1; });
  EXPECT_EQ(b.messages[0].bytes, "plain");
  EXPECT_EQ(b.messages[1].bytes, "two");
  EXPECT_EQ(b.messages[2].bytes, "");
  EXPECT_EQ(marks_of(b.messages[0].fds), "");
  EXPECT_EQ(marks_of(b.messages[1].fds), "xy");
  EXPECT_EQ(marks_of(b.messages[3].fds), "z");
  EXPECT_EQ(marks_of(b.messages[4].fds), "0123456789abcdef");
  EXPECT_EQ(a.messages[0].bytes, "answer");
  EXPECT_EQ(a.channel->unsent().count, 0U);
}

TEST_P(ChannelTest, DeliversLargeMessagesBothWaysAtOnce) {
  End a;
  End b;
  open(a, 0);
  open(b, 1);
  const std::string large(3'000'000, 'l');
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(a.channel->send(large, marked("m")));
    ASSERT_TRUE(b.channel->send(large));
  }
  EXPECT_GT(a.channel->unsent().count, 0U);
  run_until([&] { return b.messages.size() == 3 && a.messages.size() == 3; });
  for (const auto& message : b.messages) {
    EXPECT_EQ(message.bytes == large, true);
    EXPECT_EQ(marks_of(message.fds), "m");
  }
}

TEST_P(ChannelTest, RefusesToQueueMoreThanItsLimitAndGoesOn) {
  End a;
  MessageChannel::Limits limits;
  limits.unsent = Bytes{1 << 20};
  open(a, 0, limits);
  const std::string bytes(100'000, 'x');
  size_t accepted = 0;
  Result<void> result;
  while ((result = a.channel->send(bytes))) ++accepted;
  EXPECT_EQ(result.error().code(), ErrorCode::kExhausted);
  EXPECT_LE(a.channel->unsent().count, limits.unsent.count);
  EXPECT_FALSE(a.channel->closed());
  End b;
  open(b, 1);
  run_until([&] { return b.messages.size() == accepted; });
  EXPECT_TRUE(a.channel->send(bytes));
}

TEST_P(ChannelTest, RefusesAMessageBeyondTheLimits) {
  End a;
  MessageChannel::Limits limits;
  limits.frame = {Bytes{10}, 1};
  open(a, 0, limits);
  EXPECT_EQ(a.channel->send("eleven bytes").error().code(), ErrorCode::kInvalid);
  EXPECT_EQ(a.channel->send("x", marked("ab")).error().code(), ErrorCode::kInvalid);
  EXPECT_TRUE(a.channel->send("ten  bytes", marked("a")));
}

TEST_P(ChannelTest, SaysOnceThatTheOtherSideEnded) {
  End a;
  open(a, 0);
  {
    End b;
    open(b, 1);
    ASSERT_TRUE(b.channel->send("last words"));
  }
  run_until([&] { return !a.errors.empty(); });
  ASSERT_EQ(a.messages.size(), 1U);
  EXPECT_EQ(a.errors[0].code(), ErrorCode::kUnavailable);
  EXPECT_TRUE(a.channel->closed());
  EXPECT_EQ(a.channel->send("too late").error().code(), ErrorCode::kUnavailable);
  for (int i = 0; i < 3; ++i) loop_->run_once(Duration::zero());
  EXPECT_EQ(a.errors.size(), 1U);
}

TEST_P(ChannelTest, SaysFromTheLoopThatSendingFailed) {
  End a;
  open(a, 0);
  sockets_[1].reset();
  EXPECT_EQ(a.channel->send("nobody is there").error().code(), ErrorCode::kUnavailable);
  EXPECT_TRUE(a.errors.empty());
  run_until([&] { return !a.errors.empty(); });
  for (int i = 0; i < 3; ++i) loop_->run_once(Duration::zero());
  EXPECT_EQ(a.errors.size(), 1U);
}

TEST_P(ChannelTest, DisconnectsAPeerThatSendsSomethingElse) {
  End a;
  open(a, 0);
  ASSERT_EQ(write(sockets_[1].get(), "GET / HTTP/1.1\r\n\r\n", 18), 18);
  run_until([&] { return !a.errors.empty(); });
  EXPECT_EQ(a.errors[0].code(), ErrorCode::kCorrupt);
  char byte = 0;
  // The unread rest turns the end into a reset; either way the peer is rid of us.
  EXPECT_LE(read(sockets_[1].get(), &byte, 1), 0);
}

TEST_P(ChannelTest, DisconnectsAPeerThatPassesDescriptorsItDidNotAnnounce) {
  End a;
  open(a, 0);
  // A frame without descriptors, sent with one.
  std::array<char, 9> frame{1, 0, 0, 0, 0, 0, 0, 0, 'x'};
  iovec piece{frame.data(), frame.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  const int zero = 0;
  std::copy_n(reinterpret_cast<const char*>(&zero), sizeof zero, CMSG_DATA(header));
  ASSERT_EQ(sendmsg(sockets_[1].get(), &message, 0), 9);
  run_until([&] { return !a.errors.empty(); });
  EXPECT_EQ(a.errors[0].code(), ErrorCode::kCorrupt);
}

TEST_P(ChannelTest, DisconnectsAPeerThatAnnouncesDescriptorsAndPassesNone) {
  End a;
  open(a, 0);
  const FrameHeader header = encode_frame_header(0, 1);
  ASSERT_EQ(write(sockets_[1].get(), header.data(), header.size()), 8);
  run_until([&] { return !a.errors.empty(); });
  EXPECT_EQ(a.errors[0].code(), ErrorCode::kCorrupt);
}

TEST_P(ChannelTest, MayBeDestroyedOrClosedWithinItsHandlers) {
  End b;
  open(b, 1);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(b.channel->send("message"));
  int received = 0;
  std::unique_ptr<MessageChannel> channel;
  channel = std::make_unique<MessageChannel>(
      *loop_, std::move(sockets_[0]),
      MessageChannel::Handlers{[&](const MessageChannel::Message&) {
                                 channel.reset();
                                 ++received;  // the handler itself must outlive the channel
                               },
                               {}});
  run_until([&] { return !b.errors.empty(); });
  EXPECT_EQ(received, 1);
  EXPECT_TRUE(b.channel->closed());
}

TEST_P(ChannelTest, IsSilentAfterItsOwnClose) {
  End a;
  End b;
  open(a, 0);
  open(b, 1);
  ASSERT_TRUE(b.channel->send("message"));
  a.channel->close();
  run_until([&] { return !b.errors.empty(); });
  EXPECT_TRUE(a.messages.empty());
  EXPECT_TRUE(a.errors.empty());
}

}  // namespace
}  // namespace freehold::net
