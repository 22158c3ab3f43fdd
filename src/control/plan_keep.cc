#include <fmt/core.h>

#include "control/plan_parts.h"

namespace freehold::control {
namespace {

void compare(const std::string& section, const model::Keep& from, const model::Keep& to, std::vector<KeyChange>& out) {
  auto add = [&](std::string_view key, const std::string& before, const std::string& after) {
    if (before != after) out.push_back({fmt::format("{}.keep.{}", section, key), before, after, Effect::kInPlace});
  };
  auto text = [](const auto& value) { return value ? format(*value) : std::string(); };
  auto number = [](const auto& value) { return value ? fmt::format("{}", *value) : std::string(); };
  add("for", text(from.age), text(to.age));
  add("size", text(from.size), text(to.size));
  add("count", number(from.count), number(to.count));
}

}  // namespace

std::vector<KeyChange> keep_changes(const Composed* before, const Composed& after) {
  model::Keeping from = before != nullptr ? before->routing.keep : model::Keeping();
  std::vector<KeyChange> out;
  compare("logs", from.logs, after.routing.keep.logs, out);
  compare("events", from.events, after.routing.keep.events, out);
  return out;
}

}  // namespace freehold::control
