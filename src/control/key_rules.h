// Which key of a service costs what when it changes: the one list that the planner's reasons, the documentation
// (docs/user/deploys.md) and the fingerprint are held against by key_rules_test.cc.
//
// Values are texts for people. A secret's value is never among them: a changed one is told as "new value".
#pragma once

#include "control/compose.h"

namespace freehold::control {

enum class Effect {
  kReplace,  // new instances: part of the fingerprint
  kInPlace,  // reaches running instances without a restart
  kScale,    // instances are added or stopped, the others stay
  kNothing,  // only read by the next rollout
};
inline std::span<const std::string_view> enum_names(Effect) {
  static constexpr std::array<std::string_view, 4> kNames = {"replace", "in-place", "scale", "nothing"};
  return kNames;
}

struct KeyValue {
  std::string key;    // as in the file: "limits.memory", "env.PORT"
  std::string value;  // empty: not set
  Effect effect = Effect::kReplace;
};

// Every key of the service that is set or has a default, in a fixed order.
std::vector<KeyValue> describe(const ComposedService& service);

struct KeyChange {
  std::string key;
  std::string old_value;
  std::string new_value;
  Effect effect = Effect::kReplace;
  bool operator==(const KeyChange&) const = default;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, KeyChange>& change) {
  v("key", change.key);
  v("old", change.old_value);
  v("new", change.new_value);
  v("effect", change.effect);
}

std::vector<KeyChange> changed_keys(const ComposedService& before, const ComposedService& after);

}  // namespace freehold::control
