// Json: one JSON value (RFC 8259), cheap to include, with members in the order they were written.
//
// Reading is by checked accessors that return a fallback or nothing, never by assertion: the bytes come from elsewhere.
// Numbers are int64 where they are whole and fit, otherwise double. Not thread safe; copies are deep.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace freehold::codec {

class Json {
 public:
  using Array = std::vector<Json>;
  using Member = std::pair<std::string, Json>;
  using Object = std::vector<Member>;

  Json() = default;                    // null
  Json(bool value) : value_(value) {}  // NOLINT(google-explicit-constructor)
  template <class T>
    requires(std::is_integral_v<T> && !std::is_same_v<T, bool>)
  Json(T value) : value_(static_cast<int64_t>(value)) {}        // NOLINT(google-explicit-constructor)
  Json(double value) : value_(value) {}                         // NOLINT(google-explicit-constructor)
  Json(std::string value) : value_(std::move(value)) {}         // NOLINT(google-explicit-constructor)
  Json(std::string_view value) : value_(std::string(value)) {}  // NOLINT(google-explicit-constructor)
  Json(const char* value) : value_(std::string(value)) {}       // NOLINT(google-explicit-constructor)
  Json(Array value) : value_(std::move(value)) {}               // NOLINT(google-explicit-constructor)
  Json(Object value) : value_(std::move(value)) {}              // NOLINT(google-explicit-constructor)
  static Json array() { return Json(Array()); }
  static Json object() { return Json(Object()); }

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_bool() const { return std::holds_alternative<bool>(value_); }
  bool is_integer() const { return std::holds_alternative<int64_t>(value_); }
  bool is_number() const { return is_integer() || std::holds_alternative<double>(value_); }
  bool is_string() const { return std::holds_alternative<std::string>(value_); }
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }

  // The value, or the fallback when it is of another kind.
  bool as_bool(bool fallback = false) const;
  int64_t as_integer(int64_t fallback = 0) const;
  double as_number(double fallback = 0) const;
  const std::string& as_string() const;  // empty when it is no string
  const Array& items() const;            // empty when it is no array
  const Object& members() const;         // empty when it is no object

  // The member of that name, or null.
  const Json& operator[](std::string_view name) const;
  bool has(std::string_view name) const;

  // Building: set() makes this an object if it is null, push() an array. set() replaces a member of the same name.
  Json& set(std::string_view name, Json value);
  Json& push(Json value);
  // Adds a member that is known not to be there yet, without looking for it: linear building of large objects.
  Json& append(std::string name, Json value);

  bool operator==(const Json&) const = default;

  // The shortest text without spaces. Bytes that are no UTF-8 become U+FFFD.
  std::string dump() const;
  // Indented by two spaces, for people.
  std::string dump_pretty() const;

  struct Limits {
    size_t bytes = 64 << 20;
    size_t depth = 64;
  };
  // kInvalid, with the byte where it stopped, if the text is not one JSON value or is over a limit. A repeated member
  // name is refused: two readers could take it two ways.
  static Result<Json> parse(std::string_view text, Limits limits);
  static Result<Json> parse(std::string_view text) { return parse(text, Limits()); }

 private:
  std::variant<std::monostate, bool, int64_t, double, std::string, Array, Object> value_;
};

}  // namespace freehold::codec
