// run: starts a job through the agent, and shows what it prints, as control reads it from the run's log.
#include <fmt/core.h>
#include <signal.h>

#include "cli/jobs_text.h"
#include "cli/render.h"
#include "cli/verbs.h"
#include "http/path.h"
#include "link/exec_link.h"
#include "link/job_link.h"
#include "net/channel.h"
#include "net/connect.h"
#include "runtime/loop.h"

namespace freehold::cli {
namespace {

constexpr Duration kConnectTime = std::chrono::seconds(5);
constexpr Duration kRhythm = std::chrono::milliseconds(50);
constexpr Duration kForever{};

// Our end of the link to the agent, looked after in between.
class RunClient {
 public:
  RunClient(runtime::Loop& loop, os::Fd socket)
      : loop_(loop),
        channel_(loop, std::move(socket),
                 {[this](const net::MessageChannel::Message& message) { on_message(message); },
                  [this](const Error& error) { lose("the agent went away: " + error.message()); }}) {}

  Result<void> begin(const std::string& job) {
    link::Hello hello;
    hello.role = "cli";
    FH_TRY(channel_.send(link::encode(link::kHello, hello)));
    return channel_.send(link::encode(link::kRunJob, link::RunJob{job}));
  }
  void attend(Duration most) { loop_.run_once(most); }
  const std::string& run() const { return run_; }
  const std::optional<Result<model::JobResult>>& outcome() const { return outcome_; }

 private:
  void end(Result<model::JobResult> outcome) {
    if (!outcome_) outcome_ = std::move(outcome);
  }
  void lose(std::string why) {
    if (!run_.empty()) why += fmt::format("; {} goes on, `freehold jobs` says how it ends", run_);
    end(Error(ErrorCode::kUnavailable, std::move(why)));
  }
  void on_message(const net::MessageChannel::Message& message) {
    auto decoded = link::decode(message.bytes);
    if (!decoded) return end(decoded.error());
    if (decoded->type == link::kRefused) {
      auto refused = codec::from_json<link::Refused>(decoded->body);
      end(Error(ErrorCode::kDenied, refused ? refused->message : "refused"));
    } else if (decoded->type == link::kRunStarted) {
      auto started = codec::from_json<link::RunStarted>(decoded->body);
      if (started) run_ = started->run;
    } else if (decoded->type == link::kRunEnded) {
      auto ended = codec::from_json<link::RunEnded>(decoded->body);
      end(ended ? Result<model::JobResult>(ended->result) : Result<model::JobResult>(ended.error()));
    }
  }

  runtime::Loop& loop_;
  net::MessageChannel channel_;
  std::string run_;
  std::optional<Result<model::JobResult>> outcome_;
};

// Shows what a run prints, while it runs and what is left when it has ended.
class Output {
 public:
  Output(const Invocation& invocation, const model::Layout& layout, const std::string& run)
      : invocation_(invocation),
        session_(invocation, layout),
        layout_(layout),
        target_("/v1/logs?service=" + http::percent_encode(run) + "&follow=") {}

  // Until `attend` is an error.
  Result<void> follow(std::function<Result<void>()> attend) {
    FH_ASSIGN(net::SocketAddress address, net::SocketAddress::unix_path(layout_.api_socket()));
    http::ClientLimits limits;
    limits.silence = kForever;
    http::BlockingClient client(std::move(address), limits);
    client.attend({.rhythm = kRhythm, .call = std::move(attend)});
    std::string rest;
    FH_ASSIGN(http::ClientResponse response, client.stream({.target = target_ + "1"}, [&](std::string_view bytes) {
      rest += bytes;
      for (size_t end = rest.find('\n'); end != std::string::npos; end = rest.find('\n')) {
        show(std::string_view(rest).substr(0, end));
        rest.erase(0, end + 1);
      }
      return Result<void>();
    }));
    (void)response;
    return {};
  }
  // Everything is in its log now.
  Result<void> show_rest() {
    uint64_t seen = 0;
    return session_.follow(target_ + "0", [&](const codec::Json& line) {
      if (++seen > shown_) print_line(line);
      return true;
    });
  }

 private:
  void show(std::string_view text) {
    auto line = codec::Json::parse(text);
    ++shown_;
    if (line) print_line(*line);
  }
  void print_line(const codec::Json& line) const {
    // As data it is one value: how it ended.
    if (invocation_.output == OutputForm::kJson) return;
    print(invocation_.output == OutputForm::kHuman ? render_log_line(line, invocation_.color) : line.dump() + "\n");
  }

  const Invocation& invocation_;
  Session session_;
  const model::Layout& layout_;
  std::string target_;
  uint64_t shown_ = 0;
};

Result<model::JobResult> run_and_follow(const Invocation& invocation) {
  FH_ASSIGN(model::Layout layout, layout_of(invocation));
  FH_ASSIGN(net::SocketAddress address, net::SocketAddress::unix_path(layout.agent_socket()));
  auto socket = net::connect_blocking(address, kConnectTime);
  if (!socket) {
    return Error(ErrorCode::kUnavailable,
                 fmt::format("{}; is it up? `freehold up` starts it", socket.error().message()));
  }
  FH_ASSIGN(std::unique_ptr<runtime::Loop> loop, runtime::Loop::create(runtime::Backend::kEpoll));
  RunClient client(*loop, *std::move(socket));
  FH_TRY(client.begin(invocation.arguments[0]));
  Signals signals({SIGINT, SIGTERM, SIGHUP});
  auto attend = [&](Duration most) -> Result<void> {
    client.attend(most);
    if (auto signal = signals.take()) {
      if (!client.run().empty())
        talk(fmt::format("freehold: {0} goes on; `freehold logs -f {0}` shows what it prints\n", client.run()));
      end_by(*signal);
    }
    return {};
  };
  while (!client.outcome() && client.run().empty()) FH_TRY(attend(kRhythm));
  if (client.outcome()) return *client.outcome();
  Output output(invocation, layout, client.run());
  auto followed = output.follow([&]() -> Result<void> {
    FH_TRY(attend(Duration::zero()));
    return client.outcome() ? Result<void>(Error(ErrorCode::kCancelled, "it has ended")) : Result<void>();
  });
  if (!client.outcome()) {
    talk(fmt::format("freehold: what it prints cannot be shown ({}), it is in its log\n",
                     followed ? "control ended" : followed.error().message()));
  }
  while (!client.outcome()) FH_TRY(attend(kRhythm));
  auto shown = output.show_rest();
  if (!shown) talk(fmt::format("freehold: the rest of what it printed cannot be shown: {}\n", shown.error().message()));
  return *client.outcome();
}

}  // namespace

int run_run(const Invocation& invocation) {
  auto result = run_and_follow(invocation);
  if (!result) return fail(invocation, result.error());
  if (invocation.output != OutputForm::kHuman) {
    print(codec::to_json(*result).dump() + "\n");
  } else {
    talk(fmt::format("freehold: {} {} after {}\n", result->run.id, result->text,
                     format_short(result->ended - result->run.started)));
  }
  return exit_code_of_run(*result);
}

}  // namespace freehold::cli
