#include "cli/session.h"

#include <fmt/core.h>

namespace freehold::cli {
namespace {

constexpr Duration kAnswerTime = std::chrono::seconds(60);
constexpr Duration kForever{};

}  // namespace

Result<http::BlockingClient> Session::client(Duration silence, const Tick& tick) {
  FH_ASSIGN(net::SocketAddress address, net::SocketAddress::unix_path(layout_.api_socket()));
  http::ClientLimits limits;
  limits.silence = silence;
  http::BlockingClient client(std::move(address), limits);
  http::Interlude interlude;
  if (signals_) interlude.descriptor = signals_->descriptor();
  interlude.rhythm = tick.rhythm;
  interlude.call = [this, call = tick.call]() -> Result<void> {
    FH_TRY(attend());
    if (call) call();
    return {};
  };
  client.attend(std::move(interlude));
  return client;
}

void Session::heed_signals() {
  if (!signals_) signals_.emplace({SIGINT, SIGTERM, SIGHUP, SIGWINCH});
}

Result<void> Session::attend() {
  if (!signals_) return {};
  while (auto signal = signals_->take()) {
    // A resized window only wakes: whoever draws looks at its size anyway.
    if (*signal != SIGWINCH && !asked_to_end_) asked_to_end_ = signal;
  }
  if (asked_to_end_) return Error(ErrorCode::kCancelled, "interrupted");
  return {};
}

void Session::wait_for_signal() {
  while (attend()) signals_->wait();
}

Result<codec::Json> Session::unpack(Result<http::ClientResponse> response) {
  if (!response) {
    if (response.error().code() == ErrorCode::kNotFound || response.error().code() == ErrorCode::kUnavailable) {
      return Error(ErrorCode::kUnavailable, response.error().message() + "; is it up? `freehold up` starts it");
    }
    return response.error();
  }
  auto json = codec::Json::parse(response->body);
  if (response->success()) {
    if (!json) return Error(ErrorCode::kCorrupt, "the answer is not JSON: " + json.error().message());
    return json;
  }
  auto problem = json ? codec::from_json<api::Problem>(*json) : Result<api::Problem>(json.error());
  if (!problem) return Error(ErrorCode::kInternal, fmt::format("status {}: {}", response->status, response->body));
  return Error(problem->code, problem->message);
}

Result<codec::Json> Session::get(const std::string& target) {
  FH_ASSIGN(http::BlockingClient http, client(kAnswerTime));
  return unpack(http.call({.target = target}));
}

Result<codec::Json> Session::post(const std::string& target, const codec::Json& body) {
  FH_ASSIGN(http::BlockingClient http, client(kAnswerTime));
  return unpack(http.call(
      {.method = "POST", .target = target, .fields = {{"Content-Type", "application/json"}}, .body = body.dump()}));
}

Result<void> Session::upload(const std::string& target, const std::function<Result<std::string>()>& producer) {
  FH_ASSIGN(http::BlockingClient http, client(kAnswerTime));
  http::BodySource source;
  source.producer = producer;
  auto answer = unpack(http.upload({.method = "PUT", .target = target}, source));
  if (!answer) return answer.error();
  return {};
}

Result<void> Session::follow(const std::string& target, const OnLine& on_line, const Tick& tick) {
  FH_ASSIGN(http::BlockingClient http, client(kForever, tick));
  std::string rest;
  bool enough = false;
  auto response = http.stream({.target = target}, [&](std::string_view bytes) -> Result<void> {
    rest += bytes;
    for (size_t end = rest.find('\n'); end != std::string::npos; end = rest.find('\n')) {
      auto line = codec::Json::parse(std::string_view(rest).substr(0, end));
      rest.erase(0, end + 1);
      if (line && !on_line(*line)) {
        enough = true;
        return Error(ErrorCode::kCancelled, "enough");
      }
    }
    return {};
  });
  if (enough) return {};
  if (!response) return response.error();
  if (!response->success()) return unpack(std::move(response)).error();
  return {};
}

bool Session::answers(Need need) {
  auto http = client(std::chrono::seconds(5));
  if (!http) return false;
  auto response = http->call({.target = need == Need::kReady ? "/readyz" : "/livez"});
  return response && response->success();
}

}  // namespace freehold::cli
