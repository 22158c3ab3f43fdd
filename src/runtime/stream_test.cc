#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <thread>

#include "runtime/loop_test_support.h"

namespace freehold::runtime {
namespace {

using std::chrono::milliseconds;

class StreamTest : public LoopTest {};
FREEHOLD_BOTH_ENGINES(StreamTest);

std::string pattern(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>((i * 31 + i / 251) & 0xff);
  return bytes;
}

// Reads to the end of the stream with pauses between, on a thread of its own.
std::string read_slowly(int fd) {
  std::string all;
  std::array<char, 70001> buffer;
  for (;;) {
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EAGAIN) {
      std::this_thread::yield();
      continue;
    }
    if (got <= 0) return all;
    all.append(buffer.data(), static_cast<size_t>(got));
    std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
}

// Sends back what it receives until the end of the stream.
struct Echo {
  explicit Echo(Loop& loop, os::Fd socket) : stream(loop, std::move(socket)) {}
  void start() { stream.receive(buffer, complete<&Echo::on_received>(this)); }
  void on_received(int result) {
    if (result <= 0) {
      ended = true;
      end_result = result;
      return stream.close();
    }
    stream.send(std::string_view(buffer.data(), static_cast<size_t>(result)), complete<&Echo::on_sent>(this));
  }
  void on_sent(int result) {
    if (result > 0) start();
  }
  Stream stream;
  std::array<char, 16> buffer{};
  bool ended = false;
  int end_result = 1;
};

TEST_P(StreamTest, EchoesManyMessagesOverTcp) {
  auto [ours, theirs] = tcp_pair();
  Echo echo(*loop_, std::move(ours));
  echo.start();
  std::thread peer([&, fd = theirs.get()] {
    for (int i = 0; i < 200; ++i) {
      const std::string message = "message " + std::to_string(i * 1000003);
      ASSERT_EQ(write(fd, message.data(), message.size()), static_cast<ssize_t>(message.size()));
      std::string answer(message.size(), '\0');
      ASSERT_EQ(recv(fd, answer.data(), answer.size(), MSG_WAITALL), static_cast<ssize_t>(answer.size()));
      ASSERT_EQ(answer, message);
    }
    shutdown(fd, SHUT_WR);
  });
  run_until([&] { return echo.ended; });
  EXPECT_EQ(echo.end_result, 0);
  peer.join();
  EXPECT_TRUE(echo.stream.idle());
}

TEST_P(StreamTest, SendsMoreThanTheSocketHoldsToASlowReader) {
  auto [ours, theirs] = tcp_pair();
  Stream stream(*loop_, std::move(ours));
  const std::string bytes = pattern(5'000'003);
  Outcome sent;
  stream.send(bytes, sent.completion());
  std::string received;
  std::thread peer([&] { received = read_slowly(theirs.get()); });
  run_until_called(sent);
  EXPECT_EQ(sent.result, 5'000'003);
  stream.shutdown_send();
  peer.join();
  EXPECT_EQ(received == bytes, true);
}

TEST_P(StreamTest, SendsManyPiecesInOrderToASlowReader) {
  auto [ours, theirs] = unix_pair();
  Stream stream(*loop_, std::move(ours));
  const std::string bytes = pattern(3'000'000);
  std::array<iovec, Stream::kMostPieces> pieces{};
  size_t at = 0;
  for (size_t i = 0; i < pieces.size(); ++i) {
    const size_t size = i == 3 ? 0 : i + 1 == pieces.size() ? bytes.size() - at : 17 + i * 20'000;
    pieces[i] = {const_cast<char*>(bytes.data()) + at, size};
    at += size;
  }
  Outcome sent;
  stream.send(pieces, sent.completion());
  std::string received;
  std::thread peer([&] { received = read_slowly(theirs.get()); });
  run_until_called(sent);
  EXPECT_EQ(sent.result, 3'000'000);
  stream.shutdown_send();
  peer.join();
  EXPECT_EQ(received == bytes, true);
}

TEST_P(StreamTest, SendsAPartOfAFileAndStopsAtItsEnd) {
  std::string path = testing::TempDir() + "freehold_send_file_XXXXXX";
  const os::Fd file(mkstemp(path.data()));
  ASSERT_TRUE(file);
  unlink(path.c_str());
  const std::string bytes = pattern(3'000'000);
  ASSERT_EQ(write(file.get(), bytes.data(), bytes.size()), 3'000'000);
  auto [ours, theirs] = tcp_pair();
  Stream stream(*loop_, std::move(ours));
  std::string received;
  std::thread peer([&] { received = read_slowly(theirs.get()); });
  Outcome part;
  stream.send_file(file.get(), 1000, 2'000'000, part.completion());
  run_until_called(part);
  EXPECT_EQ(part.result, 2'000'000);
  Outcome rest;
  stream.send_file(file.get(), 2'001'000, 5'000'000, rest.completion());
  run_until_called(rest);
  EXPECT_EQ(rest.result, 999'000);
  stream.shutdown_send();
  peer.join();
  EXPECT_EQ(received == bytes.substr(1000), true);
}

TEST_P(StreamTest, NeverCompletesWithinTheCallThatStarts) {
  auto [ours, theirs] = unix_pair();
  ASSERT_EQ(write(theirs.get(), "x", 1), 1);
  Stream stream(*loop_, std::move(ours));
  std::array<char, 8> buffer{};
  Outcome sent;
  Outcome received;
  stream.send("abc", sent.completion());
  stream.receive(buffer, received.completion());
  EXPECT_EQ(sent.calls + received.calls, 0);
  EXPECT_FALSE(stream.idle());
  run_until([&] { return sent.calls + received.calls == 2; });
  EXPECT_EQ(sent.result, 3);
  EXPECT_EQ(received.result, 1);
}

TEST_P(StreamTest, CompletesACancelledReceiveExactlyOnce) {
  auto [ours, theirs] = tcp_pair();
  Stream stream(*loop_, std::move(ours));
  std::array<char, 8> buffer{};
  Outcome received;
  stream.receive(buffer, received.completion());
  loop_->run_once(milliseconds(0));
  stream.close();
  stream.close();
  EXPECT_EQ(received.calls, 0);
  run_until([&] { return stream.idle(); });
  EXPECT_EQ(received.result, -ECANCELED);
  for (int i = 0; i < 3; ++i) loop_->run_once(milliseconds(0));
  EXPECT_EQ(received.calls, 1);
  // And the peer sees the connection end.
  char byte = 0;
  EXPECT_EQ(read(theirs.get(), &byte, 1), 0);
}

TEST_P(StreamTest, CompletesACancelledSendExactlyOnce) {
  auto [ours, theirs] = unix_pair();
  Stream stream(*loop_, std::move(ours));
  const std::string bytes = pattern(4'000'000);
  Outcome sent;
  Outcome received;
  std::array<char, 8> buffer{};
  stream.send(bytes, sent.completion());
  stream.receive(buffer, received.completion());
  loop_->run_once(milliseconds(0));
  loop_->run_once(milliseconds(0));
  EXPECT_EQ(sent.calls, 0);
  stream.close();
  run_until([&] { return stream.idle(); });
  EXPECT_EQ(sent.calls, 1);
  EXPECT_EQ(sent.result, -ECANCELED);
  EXPECT_EQ(received.calls, 1);
  EXPECT_EQ(received.result, -ECANCELED);
}

TEST_P(StreamTest, CancelsWhatHadSucceededButWasNotDelivered) {
  auto [ours, theirs] = unix_pair();
  Stream stream(*loop_, std::move(ours));
  Outcome sent;
  stream.send("abc", sent.completion());
  stream.close();
  run_until([&] { return stream.idle(); });
  EXPECT_EQ(sent.calls, 1);
  EXPECT_EQ(sent.result, -ECANCELED);
}

TEST_P(StreamTest, CancelsWhatIsStartedAfterClose) {
  auto [ours, theirs] = unix_pair();
  Stream stream(*loop_, std::move(ours));
  stream.close();
  EXPECT_TRUE(stream.closed());
  Outcome sent;
  Outcome received;
  std::array<char, 8> buffer{};
  stream.send("abc", sent.completion());
  stream.receive(buffer, received.completion());
  run_until([&] { return stream.idle(); });
  EXPECT_EQ(sent.result, -ECANCELED);
  EXPECT_EQ(received.result, -ECANCELED);
}

// Closes a stream, its own or another, from within its handler, and destroys it as soon as it may.
struct Closer {
  std::unique_ptr<Stream> stream;
  std::unique_ptr<Stream>* victim = nullptr;
  std::array<char, 8> buffer{};
  int calls = 0;
  int result = 0;
  void start() { stream->receive(buffer, complete<&Closer::on_received>(this)); }
  void on_received(int value) {
    ++calls;
    result = value;
    if (victim != nullptr && *victim) (*victim)->close();
    if (stream->idle()) stream.reset();
  }
};

TEST_P(StreamTest, MayBeClosedAndDestroyedWithinAHandler) {
  auto [ours, theirs] = unix_pair();
  auto [other_ours, other_theirs] = unix_pair();
  Closer first;
  Closer second;
  first.stream = std::make_unique<Stream>(*loop_, std::move(ours));
  second.stream = std::make_unique<Stream>(*loop_, std::move(other_ours));
  first.victim = &second.stream;
  second.victim = &first.stream;
  first.start();
  second.start();
  loop_->run_once(milliseconds(0));
  // Both become readable in the same turn: whichever comes first closes the other.
  ASSERT_EQ(write(theirs.get(), "x", 1), 1);
  ASSERT_EQ(write(other_theirs.get(), "x", 1), 1);
  run_until([&] { return first.calls + second.calls == 2; });
  for (int i = 0; i < 3; ++i) loop_->run_once(milliseconds(0));
  EXPECT_EQ(first.calls, 1);
  EXPECT_EQ(second.calls, 1);
  EXPECT_EQ(std::min(first.result, second.result), -ECANCELED);
  EXPECT_EQ(std::max(first.result, second.result), 1);
}

TEST_P(StreamTest, WaitsForReadabilityWithoutTakingAnything) {
  auto [ours, theirs] = tcp_pair();
  Stream stream(*loop_, std::move(ours));
  Outcome ready;
  stream.wait_readable(ready.completion());
  loop_->run_once(milliseconds(0));
  EXPECT_EQ(ready.calls, 0);
  ASSERT_EQ(write(theirs.get(), "abcd", 4), 4);
  run_until_called(ready);
  EXPECT_EQ(ready.result, 0);
  // The buffer is filled exactly, after which nobody knows whether there is more.
  std::array<char, 4> buffer{};
  Outcome received;
  stream.receive(buffer, received.completion());
  run_until_called(received);
  EXPECT_EQ(received.result, 4);
  Outcome again;
  stream.wait_readable(again.completion());
  for (int i = 0; i < 3; ++i) loop_->run_once(milliseconds(1));
  EXPECT_EQ(again.calls, 0) << "an idle connection was reported readable";
  shutdown(theirs.get(), SHUT_WR);
  run_until_called(again);
  EXPECT_EQ(again.result, 0);
  Outcome end;
  stream.receive(buffer, end.completion());
  run_until_called(end);
  EXPECT_EQ(end.result, 0);
}

TEST_P(StreamTest, ReportsAResetByThePeer) {
  auto [ours, theirs] = tcp_pair();
  Stream stream(*loop_, std::move(ours));
  std::array<char, 8> buffer{};
  Outcome received;
  stream.receive(buffer, received.completion());
  loop_->run_once(milliseconds(0));
  const linger reset{1, 0};
  setsockopt(theirs.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  theirs.reset();
  run_until_called(received);
  EXPECT_EQ(received.result, -ECONNRESET);
  Outcome sent;
  stream.send("abc", sent.completion());
  run_until_called(sent);
  EXPECT_EQ(sent.result, -EPIPE);
}

TEST_P(StreamTest, StillSendsAfterThePeerEnded) {
  auto [ours, theirs] = tcp_pair();
  ASSERT_EQ(write(theirs.get(), "last words", 10), 10);
  shutdown(theirs.get(), SHUT_WR);
  Stream stream(*loop_, std::move(ours));
  std::array<char, 4> buffer{};
  std::string all;
  for (int result = 1; result > 0;) {
    Outcome received;
    stream.receive(buffer, received.completion());
    run_until_called(received);
    result = received.result;
    ASSERT_GE(result, 0);
    all.append(buffer.data(), static_cast<size_t>(result));
  }
  EXPECT_EQ(all, "last words");
  Outcome sent;
  stream.send("answer", sent.completion());
  run_until_called(sent);
  EXPECT_EQ(sent.result, 6);
  stream.shutdown_send();
  EXPECT_EQ(read_slowly(theirs.get()), "answer");
}

TEST_P(StreamTest, Connects) {
  const Listener listener;
  Stream stream(*loop_, os::Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)));
  Outcome connected;
  stream.connect(listener.general(), sizeof listener.address, connected.completion());
  run_until_called(connected);
  EXPECT_EQ(connected.result, 0);
  const os::Fd accepted(accept(listener.socket.get(), nullptr, nullptr));
  ASSERT_TRUE(accepted);
  ASSERT_EQ(write(accepted.get(), "hello", 5), 5);
  std::array<char, 8> buffer{};
  Outcome received;
  stream.receive(buffer, received.completion());
  run_until_called(received);
  EXPECT_EQ(received.result, 5);
}

TEST_P(StreamTest, ReportsARefusedConnection) {
  sockaddr_in address{};
  {
    const Listener listener;
    address = listener.address;
  }
  Stream stream(*loop_, os::Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)));
  Outcome connected;
  stream.connect(reinterpret_cast<const sockaddr*>(&address), sizeof address, connected.completion());
  run_until_called(connected);
  EXPECT_EQ(connected.result, -ECONNREFUSED);
}

TEST_P(StreamTest, RefusesAnEmptyBufferAndSendsNothingAtOnce) {
  auto [ours, theirs] = unix_pair();
  Stream stream(*loop_, std::move(ours));
  Outcome received;
  Outcome sent;
  stream.receive({}, received.completion());
  stream.send("", sent.completion());
  run_until([&] { return stream.idle(); });
  EXPECT_EQ(received.result, -EINVAL);
  EXPECT_EQ(sent.result, 0);
}

TEST_P(StreamTest, HoldsMoreOperationsThanAnEnginesQueues) {
  constexpr size_t kStreams = 3000;
  struct Entry {
    os::Fd peer;
    std::unique_ptr<Stream> stream;
    Outcome received;
    std::array<char, 4> buffer{};
  };
  std::vector<std::unique_ptr<Entry>> entries;
  for (size_t i = 0; i < kStreams; ++i) {
    auto [ours, theirs] = unix_pair();
    auto entry = std::make_unique<Entry>();
    entry->peer = std::move(theirs);
    entry->stream = std::make_unique<Stream>(*loop_, std::move(ours));
    entry->stream->receive(entry->buffer, entry->received.completion());
    entries.push_back(std::move(entry));
  }
  loop_->run_once(milliseconds(0));
  for (size_t i = 0; i < kStreams; i += 2) ASSERT_EQ(write(entries[i]->peer.get(), "x", 1), 1);
  size_t done = 0;
  auto count = [&] {
    done = 0;
    for (const auto& entry : entries) done += entry->received.calls > 0 ? 1 : 0;
    return done;
  };
  run_until([&] { return count() == kStreams / 2; });
  for (const auto& entry : entries) entry->stream->close();
  run_until([&] { return count() == kStreams; });
  for (size_t i = 0; i < kStreams; ++i) {
    EXPECT_EQ(entries[i]->received.calls, 1);
    EXPECT_EQ(entries[i]->received.result, i % 2 == 0 ? 1 : -ECANCELED);
  }
}

TEST(StreamDeathTest, DiesOfASecondReceiveAndOfDestructionWhileBusy) {
  auto loop = Loop::create(Backend::kEpoll);
  ASSERT_TRUE(loop);
  std::array<char, 8> buffer{};
  Outcome received;
  EXPECT_DEATH(
      {
        Stream stream(**loop, unix_pair().ours);
        stream.receive(buffer, received.completion());
        stream.receive(buffer, received.completion());
      },
      "second receive");
  EXPECT_DEATH(
      {
        Stream stream(**loop, unix_pair().ours);
        stream.receive(buffer, received.completion());
      },
      "under way");
}

}  // namespace
}  // namespace freehold::runtime
