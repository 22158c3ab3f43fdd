#include "cli/progress_view.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "base/display.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/columns.h"
#include "cli/table.h"

namespace freehold::cli {
namespace {

using control::ServiceProgress;

constexpr size_t kBarColumns = 10;
constexpr size_t kLongestName = 28;
constexpr size_t kRoomForBar = 70;
constexpr size_t kRoomForTime = 44;

Tone tone_of(const ServiceProgress& service) {
  if (service.state == "done") return Tone::kGood;
  if (service.state == "stuck") return Tone::kBad;
  return service.state == "waiting" ? Tone::kDim : Tone::kWarn;
}

// What a person wants to see of a long list first.
int rank_of(const ServiceProgress& service) {
  if (service.state == "done") return 2;
  return service.state == "waiting" ? 1 : 0;
}

std::string count_of(const ServiceProgress& service) {
  if (service.wanted == 0) return service.leaving == 0 ? "gone" : fmt::format("{} left", service.leaving);
  return fmt::format("{}/{}", service.ready, service.wanted);
}

std::string bar_of(const ServiceProgress& service) {
  size_t full = service.wanted == 0 ? (service.leaving == 0 ? kBarColumns : 0)
                                    : std::min<size_t>(kBarColumns, kBarColumns * service.ready / service.wanted);
  return "[" + std::string(full, '#') + std::string(kBarColumns - full, '.') + "]";
}

std::string note_of(const ServiceProgress& service) {
  std::string note = service.awaits.empty() ? "" : "waits for " + service.awaits;
  if (!service.reason.empty()) note += (note.empty() ? "" : ": ") + service.reason;
  return printable(note);
}

std::string seconds(Duration duration) {
  auto whole = std::chrono::duration_cast<std::chrono::seconds>(duration);
  return whole < std::chrono::seconds(10) ? fmt::format("{}s", whole.count()) : format_short(whole);
}

std::string heading(const api::RolloutStatus& rollout) {
  std::string kind = rollout.going_back ? "going back from" : rollout.kind + " of";
  std::string what = rollout.generation == 0 ? rollout.kind : fmt::format("{} generation {}", kind, rollout.generation);
  std::string text = fmt::format("{}, by {}, for {}", what, rollout.who, seconds(rollout.lasted));
  return rollout.going_back && !rollout.reason.empty() ? text + ": " + printable(rollout.reason) : text;
}

class Rows {
 public:
  Rows(const std::vector<const ServiceProgress*>& services, Size size, bool color) : size_(size), color_(color) {
    for (const ServiceProgress* service : services) {
      name_ = std::max(name_, std::min(columns_of(service->service), kLongestName));
      count_ = std::max(count_, columns_of(count_of(*service)));
      state_ = std::max(state_, columns_of(service->state));
    }
  }

  std::string row(const ServiceProgress& service) const {
    std::string out = "  " + padded(service.service, name_) + "  ";
    if (size_.columns >= kRoomForBar) out += bar_of(service) + " ";
    out += padded(count_of(service), count_) + "  ";
    out += paint(padded(service.state, state_), tone_of(service), color_) + "  ";
    if (size_.columns >= kRoomForTime)
      out += padded(service.state == "waiting" ? "" : seconds(service.spent), 7) + "  ";
    out += note_of(service);
    out.erase(out.find_last_not_of(' ') + 1);
    return fit(out, size_.columns - 1);
  }

 private:
  static std::string padded(const std::string& text, size_t columns) {
    std::string out = fit(text, columns);
    return out + std::string(columns - columns_of(out), ' ');
  }

  Size size_;
  bool color_;
  size_t name_ = 0, count_ = 0, state_ = 0;
};

// "... and 12 more: 10 done, 2 waiting"
std::string rest_line(std::span<const ServiceProgress* const> rest) {
  std::map<std::string, size_t> states;
  for (const ServiceProgress* service : rest) ++states[service->state];
  std::vector<std::string> parts;
  parts.reserve(states.size());
  for (const auto& [state, count] : states) parts.push_back(fmt::format("{} {}", count, state));
  return fmt::format("  ... and {} more: {}", rest.size(), join(parts, ", "));
}

}  // namespace

std::vector<std::string> progress_lines(const api::RolloutStatus& rollout, Size size, bool color) {
  size.columns = std::max<size_t>(size.columns, 2);
  std::vector<const ServiceProgress*> services;
  services.reserve(rollout.services.size());
  for (const ServiceProgress& service : rollout.services) services.push_back(&service);
  // The cursor rests below the block; one line is the heading's, one that of what does not fit.
  size_t most = std::max<size_t>(size.rows, 4) - 2;
  size_t shown = services.size();
  if (shown > most) {
    std::ranges::stable_sort(services, {}, [](const ServiceProgress* service) { return rank_of(*service); });
    shown = most - 1;
  }
  std::vector<std::string> lines = {
      fit(paint(heading(rollout), rollout.going_back ? Tone::kBad : Tone::kPlain, color), size.columns - 1)};
  std::vector<const ServiceProgress*> rest(services.begin() + static_cast<std::ptrdiff_t>(shown), services.end());
  services.resize(shown);
  Rows rows(services, size, color);
  for (const ServiceProgress* service : services) lines.push_back(rows.row(*service));
  if (!rest.empty()) lines.push_back(fit(rest_line(rest), size.columns - 1));
  return lines;
}

}  // namespace freehold::cli
