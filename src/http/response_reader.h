// ResponseReader: turns received bytes into one response, its interim responses skipped, its body bounded.
// Internal to the clients.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>

#include "http/body.h"
#include "http/client_message.h"

namespace freehold::http {

class ResponseReader {
 public:
  enum class Excess : uint8_t { kFails, kIsDropped };  // a body longer than `most`
  // Gets each piece of a body; an error ends reading.
  using OnData = std::function<Result<void>(std::string_view)>;

  ResponseReader(Method asked, size_t most, Excess excess);
  // Bodies of 2xx answers go to `on_data` instead of being collected, without limit.
  void stream_to(OnData on_data) { on_data_ = std::move(on_data); }

  // Where to receive the next bytes; then say how many came. 0: the end of the connection.
  std::span<char> room();
  // True once the response is whole.
  Result<bool> received(size_t count);

  bool has_head() const { return response_.has_value(); }
  // Once whole.
  ClientResponse take() { return *std::move(response_); }

 private:
  Result<bool> read_head();
  Result<bool> read_body();
  Result<bool> take_data(std::string_view data);
  Result<bool> at_end() const;

  static constexpr size_t kBufferBytes = size_t{32} << 10;
  Method asked_;
  size_t most_;
  Excess excess_;
  OnData on_data_;
  std::string buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
  int interim_ = 0;
  ResponseHead head_;
  std::optional<ClientResponse> response_;
  BodyReader body_;
};

}  // namespace freehold::http
