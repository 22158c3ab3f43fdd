// JSON Schemas (2020-12): small pieces, and whole ones of structs by the same `fields` that read and write them, so
// that a description cannot say what the code does not do.
//
//   SchemaBook book("#/components/schemas/");
//   Json answer = book.of<Status>(SchemaUse::kWritten);    // {"$ref": "#/components/schemas/Status"}
//   Json all = book.take();                                // {"Status": {...}, "ServiceStatus": {...}, ...}
//
// A struct or named enum becomes a schema of its own under its name without namespaces; everything else stands where it
// is used. Written: every member that is no optional is required, for the writer leaves out no other. Read: required is
// what its note calls needed; of the others the default is told. Types that `fields` understands are understood; a Json
// is anything.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "codec/fields.h"

namespace freehold::codec {

namespace schema {

Json of_type(std::string_view type);
Json pattern(std::string_view regular_expression);
Json one_of(std::span<const std::string_view> words);
Json list_of(Json items);
Json map_of(Json values);
Json any_of(Json::Array forms);
// A whole number within bounds; one that reaches the end of 64 bits has none there, as JSON has no such number.
Json whole_number(int64_t least, uint64_t most);

}  // namespace schema

enum class SchemaUse : uint8_t { kWritten, kRead };

class SchemaBook {
 public:
  // `prefix` stands before the names in references.
  explicit SchemaBook(std::string prefix) : prefix_(std::move(prefix)) {}

  template <class T>
  Json of(SchemaUse use);

  // Schemas by name.
  Json take();
  // Names that two types, or two uses of one, would have. There must be none: give one of them a name of its own.
  const std::vector<std::string>& conflicts() const { return conflicts_; }

 private:
  struct Page {
    const void* type = nullptr;
    SchemaUse use{};
    Json schema;
  };
  // Null if it is there already.
  Page* begin(std::string_view name, const void* type, SchemaUse use);
  Json reference(std::string_view name) const;

  std::string prefix_;
  std::map<std::string, Page, std::less<>> pages_;
  std::vector<std::string> conflicts_;
};

// The `fields` visitor: an object schema, member by member.
class SchemaWriter {
 public:
  SchemaWriter(SchemaBook& book, SchemaUse use) : book_(book), use_(use) {}

  template <class T>
  void operator()(std::string_view name, T& value, const Note& note = {}) {
    Json schema = book_.of<T>(use_);
    bool read = use_ == SchemaUse::kRead;
    if constexpr (std::is_arithmetic_v<T>) {
      if (read && !note.needed) schema.set("default", to_json(value));
    }
    add(name, std::move(schema), note, read ? note.needed : !detail::IsOptional<T>::value);
  }
  Json take();

 private:
  void add(std::string_view name, Json schema, const Note& note, bool required);

  SchemaBook& book_;
  SchemaUse use_;
  Json properties_ = Json::object();
  Json required_ = Json::array();
};

namespace detail {

// "Status" of freehold::api::Status, from how the compiler writes this function's name: "... [with T = a::b::C; ...]".
template <class T>
constexpr std::string_view name_of_type() {
  std::string_view text = __PRETTY_FUNCTION__;
  text.remove_prefix(text.find("T = ") + 4);
  text = text.substr(0, text.find_first_of(";]"));
  return text.substr(text.rfind(':') + 1);
}

// An address that no other type has.
template <class T>
inline constexpr char kTypeMark = 0;

}  // namespace detail

template <class T>
Json SchemaBook::of(SchemaUse use) {
  if constexpr (std::is_same_v<T, Json>) {
    return Json::object();
  } else if constexpr (std::is_same_v<T, bool>) {
    return schema::of_type("boolean");
  } else if constexpr (std::is_same_v<T, double>) {
    return schema::of_type("number");
  } else if constexpr (std::is_same_v<T, std::string>) {
    return schema::of_type("string");
  } else if constexpr (detail::NamedEnum<T>) {
    constexpr std::string_view kName = detail::name_of_type<T>();
    // Read and written alike.
    if (Page* page = begin(kName, &detail::kTypeMark<T>, SchemaUse::kWritten))
      page->schema = schema::one_of(enum_names(T()));
    return reference(kName);
  } else if constexpr (std::is_integral_v<T>) {
    return schema::whole_number(static_cast<int64_t>(std::numeric_limits<T>::min()), std::numeric_limits<T>::max());
  } else if constexpr (std::is_enum_v<T>) {
    return schema::whole_number(0, std::numeric_limits<int32_t>::max());
  } else if constexpr (std::is_same_v<T, Bytes>) {
    return schema::whole_number(0, UINT64_MAX).set("description", "bytes");
    // Of times no format is told: to many readers int64 means what a double holds, and they are beyond that.
  } else if constexpr (std::is_same_v<T, Duration>) {
    return schema::of_type("integer").set("description", "nanoseconds");
  } else if constexpr (std::is_same_v<T, WallTime>) {
    return schema::of_type("integer").set("description", "nanoseconds since 1970 in UTC");
  } else if constexpr (detail::IsStrongId<T>::value) {
    return schema::whole_number(0, UINT64_MAX);
  } else if constexpr (detail::IsOptional<T>::value) {
    return of<typename T::value_type>(use);
  } else if constexpr (detail::IsVector<T>::value) {
    return schema::list_of(of<typename T::value_type>(use));
  } else if constexpr (detail::IsMap<T>::value) {
    return schema::map_of(of<typename T::mapped_type>(use));
  } else {
    constexpr std::string_view kName = detail::name_of_type<T>();
    if (Page* page = begin(kName, &detail::kTypeMark<T>, use)) {
      T value{};
      SchemaWriter writer(*this, use);
      fields(writer, value);
      page->schema = writer.take();
    }
    return reference(kName);
  }
}

}  // namespace freehold::codec
