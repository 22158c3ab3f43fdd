// One definition of a struct's fields gives its JSON in both directions, so that the two can never drift apart.
//
//   struct Limits {
//     std::optional<Bytes> memory;
//     uint64_t pids = 0;
//   };
//   template <class Visitor> void fields(Visitor& v, Of<Visitor, Limits>& limits) {
//     v("memory", limits.memory);
//     v("pids", limits.pids);
//   }
//   Json json = to_json(limits);
//   FH_ASSIGN(Limits back, from_json<Limits>(json));
//
// `fields` lives in the struct's own namespace and is found by its argument. Understood types: bool, integers, double,
// std::string, Bytes, Duration and times (integers: bytes, nanoseconds), StrongId, enums (as integers, unless
// enum_names(E) is defined beside the enum), std::vector, std::map<std::string, T>, std::optional, Json, and structs
// with `fields`. A third argument describes the member (note.h). Reading: an absent member leaves the default, so that
// version N reads what N-1 wrote; an unknown member is skipped, so that N-1 reads what N wrote; a member of the wrong
// kind is an error that names its path.
#pragma once

#include <fmt/core.h>

#include <map>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "base/id.h"
#include "base/time.h"
#include "base/units.h"
#include "codec/json.h"
#include "codec/note.h"

namespace freehold::codec {

class JsonWriter;
class JsonReader;

// The struct as the visitor sees it: const when written.
template <class Visitor, class T>
using Of = std::conditional_t<std::is_same_v<Visitor, JsonWriter>, const T, T>;

template <class T>
Json to_json(const T& value);
template <class T>
Result<T> from_json(const Json& json);

namespace detail {

template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsMap : std::false_type {};
template <class T>
struct IsMap<std::map<std::string, T>> : std::true_type {};
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsStrongId : std::false_type {};
template <class T>
struct IsStrongId<StrongId<T>> : std::true_type {};

// enum_names(E) returns a span of names whose index is the enumerator's value.
template <class T>
concept NamedEnum = std::is_enum_v<T> && requires(T value) { enum_names(value); };

}  // namespace detail

class JsonWriter {
 public:
  template <class T>
  void operator()(std::string_view name, const T& value, const Note& = {}) {
    if constexpr (detail::IsOptional<T>::value) {
      if (!value.has_value()) return;
    }
    json_.append(std::string(name), to_json(value));
  }
  Json take() { return std::move(json_); }

 private:
  Json json_ = Json::object();
};

class JsonReader {
 public:
  explicit JsonReader(const Json& json) : json_(json) {}
  template <class T>
  void operator()(std::string_view name, T& value, const Note& note = {}) {
    const Json& member = json_[name];
    if (error_) return;
    if (member.is_null()) {
      if (note.needed) error_ = Error(ErrorCode::kInvalid, fmt::format("{} is missing", name));
      return;
    }
    auto read = from_json<T>(member);
    if (read) {
      value = *std::move(read);
    } else {
      error_ = read.error().with_context(name);
    }
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  const Json& json_;
  std::optional<Error> error_;
};

template <class T>
Json to_json(const T& value) {
  if constexpr (std::is_same_v<T, Json> || std::is_same_v<T, bool> || std::is_same_v<T, double> ||
                std::is_same_v<T, std::string>) {
    return Json(value);
  } else if constexpr (detail::NamedEnum<T>) {
    return Json(std::string_view(enum_names(value)[static_cast<size_t>(value)]));
  } else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
    return Json(static_cast<int64_t>(value));
  } else if constexpr (std::is_same_v<T, Bytes>) {
    return Json(static_cast<int64_t>(value.count));
  } else if constexpr (std::is_same_v<T, Duration>) {
    return Json(static_cast<int64_t>(value.count()));
  } else if constexpr (std::is_same_v<T, WallTime> || std::is_same_v<T, MonotonicTime>) {
    return Json(static_cast<int64_t>(value.time_since_epoch().count()));
  } else if constexpr (detail::IsStrongId<T>::value) {
    return Json(static_cast<int64_t>(value.value));
  } else if constexpr (detail::IsOptional<T>::value) {
    return value.has_value() ? to_json(*value) : Json();
  } else if constexpr (detail::IsVector<T>::value) {
    Json json = Json::array();
    for (const auto& item : value) json.push(to_json(item));
    return json;
  } else if constexpr (detail::IsMap<T>::value) {
    Json json = Json::object();
    for (const auto& [name, item] : value) json.append(name, to_json(item));
    return json;
  } else {
    JsonWriter writer;
    fields(writer, value);
    return writer.take();
  }
}

template <class T>
Result<T> from_json(const Json& json) {
  auto wrong = [](std::string_view expected) {
    return Error(ErrorCode::kInvalid, fmt::format("expected {}", expected));
  };
  if constexpr (std::is_same_v<T, Json>) {
    return json;
  } else if constexpr (std::is_same_v<T, bool>) {
    if (!json.is_bool()) return wrong("true or false");
    return json.as_bool();
  } else if constexpr (std::is_same_v<T, double>) {
    if (!json.is_number()) return wrong("a number");
    return json.as_number();
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (!json.is_string()) return wrong("a string");
    return json.as_string();
  } else if constexpr (detail::NamedEnum<T>) {
    auto names = enum_names(T());
    for (size_t i = 0; i < names.size(); ++i) {
      if (json.as_string() == names[i]) return static_cast<T>(i);
    }
    return Error(ErrorCode::kInvalid, fmt::format("unknown value '{}'", json.as_string()));
  } else if constexpr (detail::IsOptional<T>::value) {
    FH_ASSIGN(typename T::value_type value, from_json<typename T::value_type>(json));
    return T(std::move(value));
  } else if constexpr (detail::IsVector<T>::value) {
    if (!json.is_array()) return wrong("a list");
    T out;
    out.reserve(json.items().size());
    for (const Json& item : json.items()) {
      auto value = from_json<typename T::value_type>(item);
      if (!value) return value.error().with_context(fmt::format("[{}]", out.size()));
      out.push_back(*std::move(value));
    }
    return out;
  } else if constexpr (detail::IsMap<T>::value) {
    if (!json.is_object()) return wrong("an object");
    T out;
    for (const auto& [name, item] : json.members()) {
      auto value = from_json<typename T::mapped_type>(item);
      if (!value) return value.error().with_context(name);
      out.insert_or_assign(name, *std::move(value));
    }
    return out;
  } else if constexpr (requires(T value, JsonReader reader) { fields(reader, value); }) {
    if (!json.is_object()) return wrong("an object");
    T out{};
    JsonReader reader(json);
    fields(reader, out);
    if (reader.error()) return *reader.error();
    return out;
  } else {
    if (!json.is_integer()) return wrong("a whole number");
    int64_t number = json.as_integer();
    if constexpr (std::is_integral_v<T>) {
      if (!std::in_range<T>(number)) return wrong("a number in range");
      return static_cast<T>(number);
    } else if constexpr (std::is_enum_v<T>) {
      return static_cast<T>(number);
    } else if constexpr (std::is_same_v<T, WallTime> || std::is_same_v<T, MonotonicTime>) {
      return T(Duration(number));
    } else if constexpr (std::is_same_v<T, Duration>) {
      return Duration(number);
    } else {
      if (number < 0) return wrong("a number that is not negative");
      return T{static_cast<uint64_t>(number)};  // Bytes, StrongId
    }
  }
}

}  // namespace freehold::codec
