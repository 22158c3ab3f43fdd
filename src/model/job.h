// A job: a service with a `schedule`, which runs to its end instead of for ever. What the file says of it; schedule.h
// has what the schedule means.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "base/units.h"
#include "codec/fields.h"

namespace freehold::model {

// What becomes of due times that passed while nobody was there to start it.
enum class Missed { kSkip, kRun };
inline std::span<const std::string_view> enum_names(Missed) {
  static constexpr std::array<std::string_view, 2> kNames = {"skip", "run"};
  return kNames;
}

struct Job {
  std::string schedule;  // as written, found right
  uint32_t retries = 0;  // after a run that failed
  Duration retry_wait = std::chrono::minutes(1);
  Missed missed = Missed::kSkip;
  bool operator==(const Job&) const = default;
};
template <class Visitor>
void fields(Visitor& v, codec::Of<Visitor, Job>& job) {
  v("schedule", job.schedule);
  v("retries", job.retries);
  v("retry_wait", job.retry_wait);
  v("missed", job.missed);
}

}  // namespace freehold::model
