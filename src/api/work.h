// Work of a Resource, made from its handler: what it takes and gives is read off the handler's type, so that the
// description of a resource is that of what it does. Internal to api.
#pragma once

#include <optional>
#include <type_traits>

#include "api/resource.h"

namespace freehold::api {

struct Nothing {};
template <class Visitor>
void fields(Visitor&, Of<Visitor, Nothing>&) {}

// A value with a status, or header fields, of its own; or an error whose status is not that of its code.
template <class T>
struct Reply {
  T value;
  uint16_t status = 200;
  http::Fields fields{};
  std::optional<Error> refusal{};
};
template <class T>
Reply<T> refused(uint16_t status, const Error& error) {
  return {.value = {}, .status = status, .refusal = error};
}

// Collects a body of JSON, at most 64 MiB; an empty one counts as {}.
void with_json(const std::shared_ptr<Call>& call, Answer (*handler)(const Call&, const codec::Json& body));

namespace detail {

template <class T>
struct Replied {
  using Value = T;
  static constexpr bool kWithStatus = false;
};
template <class T>
struct Replied<Reply<T>> {
  using Value = T;
  static constexpr bool kWithStatus = true;
};

template <class Handler>
struct HandlerTraits;
template <class T>
struct HandlerTraits<Result<T> (*)(const Call&)> {
  using Value = typename Replied<T>::Value;
  using Body = void;
};
template <class T, class B>
struct HandlerTraits<Result<T> (*)(const Call&, const B&)> {
  using Value = typename Replied<T>::Value;
  using Body = B;
};

template <class T>
Answer answer_of(Result<T> result) {
  if (!result) return result.error();
  if constexpr (Replied<T>::kWithStatus) {
    auto response = result->refusal ? problem_response(*result->refusal)
                                    : http::response_of(200, kJsonType, codec::to_json(result->value).dump() + "\n");
    response.status = result->status;
    response.fields.insert(response.fields.end(), result->fields.begin(), result->fields.end());
    return response;
  } else {
    return http::response_of(200, kJsonType, codec::to_json(*result).dump() + "\n");
  }
}

template <auto kHandler>
void run_json(const std::shared_ptr<Call>& call) {
  using Body = typename HandlerTraits<decltype(kHandler)>::Body;
  if constexpr (!std::is_void_v<Body>) {
    with_json(call, [](const Call& whole, const codec::Json& json) -> Answer {
      FH_ASSIGN(Body body, codec::from_json<Body>(json));
      return answer_of(kHandler(whole, body));
    });
  } else if (call->resource->method == http::Method::kPost) {
    // What is sent without being asked for is read, so that the connection can be used again.
    with_json(call, [](const Call& whole, const codec::Json&) -> Answer { return answer_of(kHandler(whole)); });
  } else {
    call->respond(answer_of(kHandler(*call)));
  }
}

template <class T, codec::SchemaUse kUse>
codec::Json schema_in(codec::SchemaBook& book) {
  return book.of<T>(kUse);
}

}  // namespace detail

// Of `Result<T> handler(const Call&)` or `Result<T> handler(const Call&, const Body&)`; T may be a Reply.
template <auto kHandler>
Work json() {
  using Traits = detail::HandlerTraits<decltype(kHandler)>;
  Work work{.run = &detail::run_json<kHandler>};
  work.gives = {Media::kJson, &detail::schema_in<typename Traits::Value, codec::SchemaUse::kWritten>};
  if constexpr (!std::is_void_v<typename Traits::Body>)
    work.takes = {Media::kJson, &detail::schema_in<typename Traits::Body, codec::SchemaUse::kRead>};
  return work;
}

// Answers by itself, a Line of JSON after the other.
template <class Line>
Work lines(void (*run)(const std::shared_ptr<Call>&)) {
  return {.run = run, .gives = {Media::kLines, &detail::schema_in<Line, codec::SchemaUse::kWritten>}};
}

// Of `http::Response handler(const Call&)` that answers text/plain.
template <auto kHandler>
Work text() {
  return {.run = [](const std::shared_ptr<Call>& call) { call->respond(kHandler(*call)); },
          .gives = {.media = Media::kText}};
}

// ---- parameters
inline Parameter text_parameter(std::string_view name, std::string_view meaning) { return {name, meaning}; }
inline Parameter number(std::string_view name, std::string_view meaning) {
  return {name, meaning, ParameterKind::kNumber};
}
inline Parameter needed_number(std::string_view name, std::string_view meaning) {
  return {name, meaning, ParameterKind::kNumber, true};
}
inline Parameter flag(std::string_view name, std::string_view meaning) { return {name, meaning, ParameterKind::kFlag}; }
inline Parameter moment(std::string_view name, std::string_view meaning) {
  return {name, meaning, ParameterKind::kTime};
}

}  // namespace freehold::api
