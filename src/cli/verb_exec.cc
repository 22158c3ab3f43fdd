// exec: a command in the place of a service, with our own standard streams.
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cstdlib>

#include "cli/verbs.h"
#include "link/exec_link.h"
#include "net/address.h"
#include "net/channel.h"
#include "net/connect.h"
#include "runtime/loop.h"

namespace freehold::cli {
namespace {

constexpr Duration kConnectTime = std::chrono::seconds(5);
constexpr int kNotRun = 125;      // as env, timeout and docker have it
constexpr int kSignalBase = 128;  // what shells add for a command that a signal ended

class ExecClient {
 public:
  ExecClient(runtime::Loop& loop, os::Fd socket, os::Fd signals)
      : loop_(loop),
        signals_(std::move(signals)),
        channel_(loop, std::move(socket),
                 {[this](const net::MessageChannel::Message& message) { on_message(message); },
                  [this](const Error& error) {
                    end(Error(ErrorCode::kUnavailable, "the agent went away: " + error.message()));
                  }}),
        watcher_(loop, signals_.get(), runtime::complete<&ExecClient::on_signal>(this)) {}

  Result<void> begin(const link::Exec& exec) {
    link::Hello hello;
    hello.role = "cli";
    FH_TRY(channel_.send(link::encode(link::kHello, hello)));
    std::vector<os::Fd> streams;
    for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) streams.emplace_back(dup(fd));
    return channel_.send(link::encode(link::kExec, exec), std::move(streams));
  }
  Result<model::Exit> wait() {
    loop_.run();
    return std::move(outcome_);
  }

 private:
  void end(Result<model::Exit> outcome) {
    outcome_ = std::move(outcome);
    loop_.stop();
  }
  void on_message(const net::MessageChannel::Message& message) {
    auto decoded = link::decode(message.bytes);
    if (!decoded) return end(decoded.error());
    if (decoded->type == link::kRefused) {
      auto refused = codec::from_json<link::Refused>(decoded->body);
      end(Error(ErrorCode::kDenied, refused ? refused->message : "refused"));
    } else if (decoded->type == link::kExecEnded) {
      auto ended = codec::from_json<link::ExecEnded>(decoded->body);
      end(ended ? Result<model::Exit>(ended->exit) : Result<model::Exit>(ended.error()));
    }
  }
  void on_signal(int) {
    signalfd_siginfo info{};
    if (read(signals_.get(), &info, sizeof info) != sizeof info) return;
    (void)channel_.send(link::encode(link::kExecSignal, link::ExecSignal{static_cast<int>(info.ssi_signo)})).ok();
  }

  runtime::Loop& loop_;
  os::Fd signals_;
  net::MessageChannel channel_;
  runtime::Watcher watcher_;
  Result<model::Exit> outcome_ = Error(ErrorCode::kUnavailable, "the agent did not answer");
};

os::Fd catch_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&set, signal);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  return os::Fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

Result<model::Exit> execute(const Invocation& invocation) {
  FH_ASSIGN(model::Layout layout, layout_of(invocation));
  link::Exec exec;
  exec.target = invocation.arguments[0];
  exec.words.assign(invocation.arguments.begin() + 1, invocation.arguments.end());
  if (const char* terminal = std::getenv("TERM")) exec.terminal = terminal;
  FH_ASSIGN(net::SocketAddress address, net::SocketAddress::unix_path(layout.agent_socket()));
  auto connected = net::connect_blocking(address, kConnectTime);
  if (!connected) {
    return Error(ErrorCode::kUnavailable,
                 fmt::format("nothing answers at {}; is it up? `freehold up` starts it", layout.root));
  }
  os::Fd socket = *std::move(connected);
  FH_ASSIGN(std::unique_ptr<runtime::Loop> loop, runtime::Loop::create(runtime::Backend::kEpoll));
  ExecClient client(*loop, std::move(socket), catch_signals());
  FH_TRY(client.begin(exec));
  return client.wait();
}

}  // namespace

int run_exec(const Invocation& invocation) {
  auto exit = execute(invocation);
  if (!exit) {
    (void)fail(invocation, exit.error());
    return kNotRun;
  }
  if (!exit->failure.empty()) (void)fail(invocation, Error(ErrorCode::kNotFound, exit->failure));
  return exit->signal != 0 ? kSignalBase + exit->signal : exit->code;
}

}  // namespace freehold::cli
