#include <fmt/core.h>

#include <algorithm>
#include <unordered_set>

#include "store/store.h"

namespace freehold::store {
namespace {

Result<void> check_key(std::string_view key) {
  auto wrong = [&](std::string_view why) {
    return Error(ErrorCode::kInvalid, fmt::format("the key '{}' {}", key.substr(0, Store::kMostKeyBytes), why));
  };
  if (key.empty() || key.front() == '/' || key.back() == '/' || key.find("//") != std::string_view::npos) {
    return wrong("has an empty part");
  }
  if (key.size() > Store::kMostKeyBytes) return wrong(fmt::format("is longer than {} bytes", Store::kMostKeyBytes));
  if (!std::ranges::all_of(key, [](char c) { return c > ' ' && c <= '~'; })) {
    return Error(ErrorCode::kInvalid, "a key has a byte that is not printable ASCII");
  }
  return {};
}

}  // namespace

Result<void> check_write(const Write& write) {
  if (write.operations().size() + write.conditions().size() > Store::kMostOperations) {
    return Error(ErrorCode::kExhausted, fmt::format("a write has more than {} operations", Store::kMostOperations));
  }
  std::unordered_set<std::string_view> seen;
  for (const Write::Condition& condition : write.conditions()) {
    FH_TRY(check_key(condition.key));
    if (!seen.insert(condition.key).second) {
      return Error(ErrorCode::kInvalid, fmt::format("a write expects '{}' twice", condition.key));
    }
  }
  seen.clear();
  uint64_t total = 0;
  for (const Write::Operation& operation : write.operations()) {
    FH_TRY(check_key(operation.key));
    if (!seen.insert(operation.key).second) {
      return Error(ErrorCode::kInvalid, fmt::format("a write changes '{}' twice", operation.key));
    }
    uint64_t size = operation.value ? operation.value->size() : 0;
    if (size > Store::kMostValue.count) {
      return Error(ErrorCode::kExhausted,
                   fmt::format("the value of '{}' is larger than {}", operation.key, format_short(Store::kMostValue)));
    }
    total += size;
  }
  if (total > Store::kMostWrite.count) {
    return Error(ErrorCode::kExhausted, fmt::format("a write is larger than {}", format_short(Store::kMostWrite)));
  }
  return {};
}

std::string after_prefix(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xff) end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

Error condition_failed(const Write::Condition& condition, Revision found) {
  auto state = [](Revision revision) {
    return revision == kAbsent ? std::string("missing") : fmt::format("at revision {}", revision.value);
  };
  return Error(ErrorCode::kConflict, fmt::format("'{}' was expected {} but is {}: somebody else changed it first",
                                                 condition.key, state(condition.revision), state(found)));
}

Error behind_horizon(Revision after, Revision horizon) {
  return Error(
      ErrorCode::kConflict,
      fmt::format("changes after revision {} are not known any more (from {} on they are): read everything again",
                  after.value, horizon.value));
}

}  // namespace freehold::store
