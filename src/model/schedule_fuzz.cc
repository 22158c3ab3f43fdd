// Any text as a schedule: what is taken has due times that go on and on, and each is due again a second before itself.
#include <cstdint>
#include <cstdlib>

#include "model/schedule.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using freehold::model::SysSeconds;
  auto schedule = freehold::model::Schedule::parse(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!schedule) {
    if (schedule.error().message().empty()) std::abort();
    return 0;
  }
  const freehold::model::TimeZone utc = freehold::model::TimeZone::utc();
  SysSeconds now = std::chrono::sys_days(std::chrono::year(2026) / 2 / 28);
  for (int i = 0; i < 5; ++i) {
    auto next = schedule->next(utc, now);
    if (!next || *next <= now) std::abort();
    if (schedule->next(utc, *next - std::chrono::seconds(1)) != next) std::abort();
    now = *next;
  }
  return 0;
}
