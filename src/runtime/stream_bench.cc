// Ping-pong: what one message to and fro costs, on both engines, alone and with many connections busy at once.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

#include "runtime/stream.h"
#include "runtime/timer.h"

namespace freehold::runtime {
namespace {

enum class Kind { kUnix, kTcp };

std::array<os::Fd, 2> connected_pair(Kind kind) {
  std::array<int, 2> fds{};
  if (kind == Kind::kUnix) {
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds.data()) != 0) std::abort();
    return {os::Fd(fds[0]), os::Fd(fds[1])};
  }
  const os::Fd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* general = reinterpret_cast<sockaddr*>(&address);
  socklen_t length = sizeof address;
  if (bind(listener.get(), general, length) != 0 || listen(listener.get(), 1) != 0) std::abort();
  if (getsockname(listener.get(), general, &length) != 0) std::abort();
  os::Fd client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (connect(client.get(), general, length) != 0) std::abort();
  os::Fd server(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  const int on = 1;
  for (const os::Fd* fd : {&client, &server}) setsockopt(fd->get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return {std::move(client), std::move(server)};
}

// Receives a message, moves a deadline as a server would, and sends a message; for ever.
class Player {
 public:
  Player(Loop& loop, os::Fd socket, uint64_t& rounds)
      : stream_(loop, std::move(socket)), deadline_(loop, complete<&Player::on_deadline>(this)), rounds_(rounds) {
    stream_.receive(buffer_, complete<&Player::on_received>(this));
  }
  void serve() { stream_.send(kMessage, complete<&Player::on_sent>(this)); }
  void close() { stream_.close(); }
  bool idle() const { return stream_.idle(); }

 private:
  static constexpr std::string_view kMessage = "a message of about the size of a small request, sixty-four bytes";

  void on_received(int result) {
    if (result <= 0) return;
    ++rounds_;
    deadline_.start(std::chrono::seconds(60));
    stream_.receive(buffer_, complete<&Player::on_received>(this));
    serve();
  }
  void on_sent(int) {}
  void on_deadline(int) {}

  Stream stream_;
  Timer deadline_;
  uint64_t& rounds_;
  std::array<char, 4096> buffer_{};
};

void ping_pong(benchmark::State& state, Backend backend, Kind kind) {
  auto loop = Loop::create(backend);
  if (!loop) return state.SkipWithError(loop.error().message().c_str());
  uint64_t rounds = 0;
  std::vector<std::unique_ptr<Player>> players;
  for (int64_t i = 0; i < state.range(0); ++i) {
    for (os::Fd& end : connected_pair(kind)) {
      if (fcntl(end.get(), F_SETFL, O_NONBLOCK) != 0) std::abort();
      players.push_back(std::make_unique<Player>(**loop, std::move(end), rounds));
    }
    players.back()->serve();
  }
  for (auto turn : state) (*loop)->run_once(std::chrono::seconds(1));
  state.SetItemsProcessed(static_cast<int64_t>(rounds));
  for (auto& player : players) player->close();
  while (!std::all_of(players.begin(), players.end(), [](auto& player) { return player->idle(); })) {
    (*loop)->run_once(std::chrono::seconds(1));
  }
}

BENCHMARK_CAPTURE(ping_pong, epoll_unix, Backend::kEpoll, Kind::kUnix)->Arg(1)->Arg(64);
BENCHMARK_CAPTURE(ping_pong, uring_unix, Backend::kUring, Kind::kUnix)->Arg(1)->Arg(64);
BENCHMARK_CAPTURE(ping_pong, epoll_tcp, Backend::kEpoll, Kind::kTcp)->Arg(1)->Arg(64)->Arg(1000);
BENCHMARK_CAPTURE(ping_pong, uring_tcp, Backend::kUring, Kind::kTcp)->Arg(1)->Arg(64)->Arg(1000);

void rearm_timer(benchmark::State& state) {
  auto loop = Loop::create(Backend::kEpoll);
  if (!loop) return state.SkipWithError(loop.error().message().c_str());
  struct Nothing {
    void on_expired(int) {}
  } nothing;
  std::vector<std::unique_ptr<Timer>> timers;
  for (int i = 0; i < 10'000; ++i) {
    timers.push_back(std::make_unique<Timer>(**loop, complete<&Nothing::on_expired>(&nothing)));
    timers.back()->start(std::chrono::milliseconds(i * 7));
  }
  size_t next = 0;
  for (auto turn : state) {
    timers[next]->start(std::chrono::seconds(60));
    next = (next + 7919) % timers.size();
  }
}
BENCHMARK(rearm_timer);

}  // namespace
}  // namespace freehold::runtime
