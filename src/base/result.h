// Result<T>: a value or an Error, which the caller cannot drop by accident.
//
//   Result<Config> load(Path p) {
//     FH_ASSIGN(std::string text, read_file(p));   // returns the error to our caller
//     FH_TRY(check(text));
//     return parse(text);
//   }
//
// std::expected is wrapped because it is not [[nodiscard]] in itself. The macros are statements on a line of their own:
// GCC 12 leaks temporaries of statement expressions inside initialisers.
#pragma once

#include <expected>
#include <type_traits>
#include <utility>

#include "base/error.h"

namespace freehold {

template <class T = void>
class [[nodiscard]] Result {
 public:
  using Value = T;

  template <class U = T>
    requires(!std::is_same_v<std::remove_cvref_t<U>, Result> && !std::is_same_v<std::remove_cvref_t<U>, Error> &&
             std::is_constructible_v<T, U &&>)
  Result(U&& value) : value_(std::in_place, std::forward<U>(value)) {}  // NOLINT(google-explicit-constructor)
  Result(Error error) : value_(std::unexpected(std::move(error))) {}    // NOLINT(google-explicit-constructor)

  explicit operator bool() const { return value_.has_value(); }
  bool ok() const { return value_.has_value(); }
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T&& operator*() && { return *std::move(value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }
  const Error& error() const { return value_.error(); }
  T value_or(T fallback) && { return value_.has_value() ? *std::move(value_) : std::move(fallback); }

 private:
  std::expected<T, Error> value_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using Value = void;

  Result() = default;
  Result(Error error) : value_(std::unexpected(std::move(error))) {}  // NOLINT(google-explicit-constructor)

  explicit operator bool() const { return value_.has_value(); }
  bool ok() const { return value_.has_value(); }
  const Error& error() const { return value_.error(); }

 private:
  std::expected<void, Error> value_;
};

#define FH_CONCAT_(a, b) a##b
#define FH_CONCAT(a, b) FH_CONCAT_(a, b)

// FH_TRY(expression): evaluates a Result and returns its error from the enclosing function if it has one.
#define FH_TRY(expression)                           \
  if (auto fh_result_ = (expression); !fh_result_) { \
    return fh_result_.error();                       \
  }

// FH_ASSIGN(declaration, expression): declares a variable with the Result's value, or returns its error.
#define FH_ASSIGN(declaration, expression) FH_ASSIGN_(FH_CONCAT(fh_result_, __LINE__), declaration, expression)
#define FH_ASSIGN_(temporary, declaration, expression) \
  auto temporary = (expression);                       \
  if (!temporary) return temporary.error();            \
  declaration = *std::move(temporary)

}  // namespace freehold
