// StrongId<Tag>: a number that names one kind of thing and converts to no other kind.
//
//   using Generation = StrongId<struct GenerationTag>;
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace freehold {

template <class Tag>
struct StrongId {
  uint64_t value = 0;
  auto operator<=>(const StrongId&) const = default;
};

}  // namespace freehold

template <class Tag>
struct std::hash<freehold::StrongId<Tag>> {
  size_t operator()(const freehold::StrongId<Tag>& id) const { return std::hash<uint64_t>()(id.value); }
};
