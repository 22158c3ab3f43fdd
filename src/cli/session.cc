#include "cli/session.h"

#include <fmt/core.h>

#include <cstdio>

#include "base/text.h"

namespace freehold::cli {
namespace {

constexpr Duration kAnswerTime = std::chrono::seconds(60);
constexpr Duration kForever{};

ErrorCode code_named(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(ErrorCode::kInternal); ++i) {
    if (to_string(static_cast<ErrorCode>(i)) == name) return static_cast<ErrorCode>(i);
  }
  return ErrorCode::kInternal;
}

}  // namespace

ExitCode exit_code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
      return kBadFile;
    case ErrorCode::kDenied:
    case ErrorCode::kConflict:
      return kRefused;
    case ErrorCode::kUnavailable:
      return kNobodyAnswers;
    default:
      return kFailed;
  }
}

Result<http::BlockingClient> Session::client(Duration silence) const {
  FH_ASSIGN(net::SocketAddress address, net::SocketAddress::unix_path(layout_.api_socket()));
  http::ClientLimits limits;
  limits.silence = silence;
  return http::BlockingClient(std::move(address), limits);
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
  return Error(code_named(problem->code), problem->message);
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

Result<void> Session::follow(const std::string& target, const std::function<bool(const codec::Json& line)>& on_line) {
  FH_ASSIGN(http::BlockingClient http, client(kForever));
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

void print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void talk(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); }

int fail(const Invocation& invocation, const Error& error) {
  if (invocation.output == OutputForm::kHuman) {
    std::string_view message = trim(error.message());
    // What the file's checker writes is laid out already.
    talk(message.find('\n') != std::string_view::npos ? fmt::format("{}\n", message)
                                                      : fmt::format("freehold: {}\n", message));
  } else {
    codec::Json json;
    json.set("error", codec::to_json(api::Problem{std::string(to_string(error.code())), error.message(), {}}));
    print(json.dump() + "\n");
  }
  return exit_code_of(error.code());
}

}  // namespace freehold::cli
