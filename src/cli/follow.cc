#include "cli/follow.h"

#include <fmt/core.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "cli/daemons.h"
#include "cli/verbs.h"
#include "http/path.h"

namespace freehold::cli {
namespace {

constexpr Duration kRetry = std::chrono::milliseconds(200);

}  // namespace

std::string EventPlace::target() const { return last_ == 0 ? target_ : fmt::format("{}&after={}", base_, last_); }

bool EventPlace::take(const codec::Json& line) {
  auto id = static_cast<uint64_t>(std::max<int64_t>(line["id"].as_integer(), 0));
  if (id <= last_) return false;
  last_ = id;
  return true;
}

std::string LogPlace::target() const {
  if (!resumed_) return target_;
  return fmt::format("{}&since={}", base_, http::percent_encode(format_time(newest_ - kOverlap)));
}

bool LogPlace::take(const codec::Json& line) {
  size_t hash = std::hash<std::string>()(line.dump());
  auto again = expected_.find(hash);
  if (again != expected_.end()) {
    if (--again->second == 0) expected_.erase(again);
    return false;
  }
  auto time = parse_time(line["time"].as_string());
  if (!time) return true;
  newest_ = std::max(newest_, *time);
  shown_.push_back({*time, hash});
  while (!shown_.empty() && shown_.front().time < newest_ - kOverlap) shown_.pop_front();
  return true;
}

void LogPlace::again() {
  resumed_ = true;
  expected_.clear();
  for (const Shown& shown : shown_) {
    if (shown.time >= newest_ - kOverlap) ++expected_[shown.hash];
  }
}

int show_stream(const Invocation& invocation, StreamPlace& place, std::string (*render)(const codec::Json&, bool)) {
  auto layout = layout_of(invocation);
  if (!layout) return fail(invocation, layout.error());
  Session session(invocation, *layout);
  bool human = invocation.output == OutputForm::kHuman;
  // One value, where there is an end; a line for each, where there is none.
  bool as_array = invocation.output == OutputForm::kJson && !invocation.follow;
  bool first = true;
  for (bool answered = false;;) {
    auto followed = session.follow(place.target(), [&](const codec::Json& line) {
      answered = true;
      if (!place.take(line)) return true;
      if (as_array)
        print((std::exchange(first, false) ? "[" : ",\n") + line.dump());
      else
        print(human ? render(line, invocation.color) : line.dump() + "\n");
      return true;
    });
    if (as_array && followed) print(first ? "[]\n" : "]\n");
    if (!invocation.follow) return followed ? kDone : fail(invocation, followed.error());
    // Something is wrong with what was asked for, or nobody was ever there.
    bool refused = !followed && !answered;
    if (refused && !session.answers(Session::Need::kAlive)) return fail(invocation, followed.error());
    if (!followed && (followed.error().code() == ErrorCode::kInvalid || followed.error().code() == ErrorCode::kDenied ||
                      followed.error().code() == ErrorCode::kNotFound))
      return fail(invocation, followed.error());
    answered = true;
    std::this_thread::sleep_for(kRetry);
    while (!session.answers(Session::Need::kAlive)) {
      if (has_stopped(session)) return fail(invocation, Error(ErrorCode::kUnavailable, "the platform has stopped"));
      std::this_thread::sleep_for(kRetry);
    }
    place.again();
  }
}

}  // namespace freehold::cli
