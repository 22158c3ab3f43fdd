// RequestRecord: what stays known of a request while its bytes are overwritten: how to answer it, and what is logged.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/time.h"
#include "http/head.h"

namespace freehold::gateway {

struct RequestRecord {
  MonotonicTime began{};
  http::Method method = http::Method::kOther;
  bool http_1_0 = false;
  bool keep_alive = false;
  bool expect_continue = false;
  bool upgrade = false;
  uint16_t status = 0;  // sent, or 0
  uint32_t retries = 0;
  uint64_t bytes_received = 0;  // of body
  uint64_t bytes_sent = 0;      // head and body
  std::array<char, 32> id{};
  // Filled only if there is an access log. The query is left out: queries carry secrets.
  std::string method_text;
  std::string host;
  std::string path;
  std::string service;
  std::string instance;

  std::string_view id_text() const { return {id.data(), id.size()}; }
};

}  // namespace freehold::gateway
