// Runs the llhttp corpus through our parsers: what it accepts we accept with the same meaning, what it refuses we
// refuse, but for the cases listed here by name.
//
// Its requests were written without Host and often with a fragment in the target, both of which we refuse. So that the
// rest of such a case is tested all the same, a Host is added and the number sign replaced.
#include "http/corpus.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <map>
#include <set>

#include "base/text.h"
#include "http/body.h"

namespace freehold::http {
namespace {

constexpr std::string_view kAddedHost = "corpus.example";

struct Difference {
  std::string_view name;
  std::string_view reason;
};

// Accepted there in strict mode, refused here; or the other way round where the reason says so.
constexpr Difference kDifferences[] = {
#include "http/corpus_differences.inc"
};

struct Outcome {
  std::vector<CorpusMessage> messages;
  bool refused = false;
  bool cut = false;  // ends within a head
  std::string reason;
};

void read_body(BodyReader& body, std::string_view& bytes, CorpusMessage& message, Outcome& outcome) {
  while (!bytes.empty() && !body.complete() && !outcome.refused) {
    BodyStep step = body.next(bytes);
    bytes.remove_prefix(step.consumed);
    message.body += step.data;
    if (step.state == BodyState::kRefused) {
      outcome.refused = true;
      outcome.reason = step.reason;
    }
  }
  message.complete = body.complete();
}

void take_headers(const MessageHead& head, CorpusMessage& message) {
  for (const Header& header : head.headers()) {
    if (header.value() != kAddedHost) message.headers.emplace_back(header.name(), header.value());
  }
}

// What llhttp needs no Host for, we do.
void add_host(std::string& bytes) {
  size_t begin = bytes.starts_with("\r\n") ? 2 : 0;
  size_t line_end = bytes.find("\r\n", begin);
  if (line_end == std::string::npos) return;
  size_t end = std::min(bytes.find("\r\n\r\n", begin), bytes.size());
  std::string head = to_lower(std::string_view(bytes).substr(0, end));
  size_t number_sign = bytes.find('#', begin);
  if (number_sign < line_end) bytes[number_sign] = '_';
  if (head.find("\r\nhost:") != std::string::npos) return;
  std::string_view line = std::string_view(bytes).substr(begin, line_end - begin);
  std::string host(kAddedHost);
  size_t target = line.find(' ') + 1;
  size_t authority = line.find("://");
  if (authority != std::string_view::npos && line[target] != '/') {
    authority += 3;
    host = line.substr(authority, line.find_first_of("/? ", authority) - authority);
  } else if (line.starts_with("CONNECT ")) {
    host = line.substr(target, line.find(' ', target) - target);
  }
  bytes.insert(line_end + 2, "Host: " + host + "\r\n");
}

Outcome run_requests(std::string_view bytes, Method) {
  Outcome outcome;
  while (!bytes.empty() && !outcome.refused) {
    std::string adapted(bytes);
    add_host(adapted);
    RequestHead head;
    HeadResult result = parse_request_head(adapted, {}, head);
    if (result.state == HeadState::kRefused) return {outcome.messages, true, false, std::string(result.reason)};
    if (result.state == HeadState::kIncomplete) return {outcome.messages, false, true, {}};
    size_t added = adapted.size() - bytes.size();
    CorpusMessage message{std::string(head.method), std::string(head.target), {}, {}, {}, false};
    take_headers(head, message);
    if (added > 0 && head.absolute_form)
      std::erase_if(message.headers, [](auto& field) { return field.first == "Host"; });
    if (added > 0 && head.method == "CONNECT") message.headers.erase(message.headers.begin());
    bytes.remove_prefix(result.consumed - added);
    BodyReader body(request_framing(head));
    read_body(body, bytes, message, outcome);
    bool last = !head.upgrade.empty() || head.method_id == Method::kConnect || !message.complete;
    outcome.messages.push_back(std::move(message));
    if (last) return outcome;
    if (!head.keep_alive && bytes.find_first_not_of("\r\n") != std::string_view::npos) {
      return {outcome.messages, true, false, "bytes behind the last message"};
    }
  }
  return outcome;
}

Outcome run_responses(std::string_view bytes, Method asked) {
  Outcome outcome;
  while (!bytes.empty() && !outcome.refused) {
    ResponseHead head;
    HeadResult result = parse_response_head(bytes, {}, head);
    if (result.state == HeadState::kRefused) return {outcome.messages, true, false, std::string(result.reason)};
    if (result.state == HeadState::kIncomplete) return {outcome.messages, false, true, {}};
    CorpusMessage message{{}, {}, std::string(head.reason), {}, {}, false};
    take_headers(head, message);
    bytes.remove_prefix(result.consumed);
    BodyReader body(response_framing(head, asked));
    read_body(body, bytes, message, outcome);
    bool last = body.kind() == BodyKind::kTunnel || !message.complete;
    outcome.messages.push_back(std::move(message));
    if (last) return outcome;
    if (!head.keep_alive && bytes.find_first_not_of("\r\n") != std::string_view::npos) {
      return {outcome.messages, true, false, "bytes behind the last message"};
    }
  }
  return outcome;
}

// An empty text, or how the outcome differs from what the corpus says.
std::string compare(const CorpusCase& expected, const Outcome& got) {
  if (expected.refused != got.refused) {
    return expected.refused ? "accepted, but: " + expected.error : "refused: " + got.reason;
  }
  // A refused message may have been refused before or behind its head; those before it are the same.
  if (!expected.refused && expected.messages.size() != got.messages.size()) {
    return "messages: " + std::to_string(got.messages.size());
  }
  for (size_t i = 0; i < std::min(expected.messages.size(), got.messages.size()); ++i) {
    const CorpusMessage& want = expected.messages[i];
    const CorpusMessage& have = got.messages[i];
    std::string url = want.url;
    std::replace(url.begin(), url.end(), '#', '_');
    if (want.method != have.method) return "method: " + have.method;
    if (url != have.url) return "url: " + have.url;
    if (want.status_reason != have.status_reason) return "reason: " + have.status_reason;
    if (want.complete != have.complete && !expected.refused) return have.complete ? "complete" : "not complete";
    if (want.body != have.body && !expected.refused) return "body: " + have.body;
    if (want.headers.size() != have.headers.size()) return "fields: " + std::to_string(have.headers.size());
    for (size_t f = 0; f < want.headers.size(); ++f) {
      if (want.headers[f].first != have.headers[f].first) return "field name: " + have.headers[f].first;
      if (trim(want.headers[f].second) != have.headers[f].second) return "field value: " + have.headers[f].second;
    }
  }
  return {};
}

class Corpus : public testing::Test {
 protected:
  void check(std::string_view kind, const std::function<Outcome(std::string_view, Method)>& run) {
    const char* corpora = std::getenv("FREEHOLD_CORPORA");
    if (corpora == nullptr) GTEST_SKIP() << "FREEHOLD_CORPORA is not set: no corpus to read";
    std::vector<CorpusCase> cases = read_corpus(std::string(corpora) + "/http1/" + std::string(kind));
    if (cases.empty()) GTEST_SKIP() << "no http1 corpus in FREEHOLD_CORPORA";
    size_t agree = 0, differ = 0, lenient = 0;
    std::set<std::string> listed;
    for (const Difference& difference : kDifferences) {
      if (difference.name.starts_with(kind)) listed.emplace(difference.name);
    }
    for (const CorpusCase& one : cases) {
      if (one.type.find("-lenient") != std::string::npos) {
        ++lenient;
        continue;
      }
      std::string name = one.file + ": " + one.name;
      Method asked = one.skip_body ? Method::kHead : Method::kGet;
      Outcome outcome = run(one.bytes, asked);
      // We judge a line when it is complete, llhttp each byte: give the line its end.
      if (one.refused && outcome.cut) outcome = run(one.bytes + "\r\n\r\n", asked);
      std::string difference = compare(one, outcome);
      if (difference.empty()) {
        ++agree;
        EXPECT_EQ(listed.count(name), 0U) << name << " agrees, but is listed as a difference";
      } else {
        ++differ;
        EXPECT_EQ(listed.erase(name), 1U) << name << "\n  " << difference;
      }
    }
    for (const std::string& name : listed) ADD_FAILURE() << name << " is listed, but there is no such case";
    std::printf("%zu cases agree, %zu differ as listed, %zu are about lenient flags that we don't have\n", agree,
                differ, lenient);
  }
};

TEST_F(Corpus, RequestsAreReadAsLlhttpDoesInStrictMode) { check("request", run_requests); }
TEST_F(Corpus, ResponsesAreReadAsLlhttpDoesInStrictMode) { check("response", run_responses); }

}  // namespace
}  // namespace freehold::http
