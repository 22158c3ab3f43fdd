// ApiToken: the bearer token (RFC 6750) that requests over TCP must carry.
//
// Made at first start and kept in a file of mode 0600, for the CLI of the same person to read. It is compared in
// constant time. To replace it: remove the file and start again.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "os/disk.h"
#include "os/random.h"

namespace freehold::auth {

class ApiToken {
 public:
  // kNotFound if there is none; kDenied if others may read it; kCorrupt if it is too short to be one.
  static Result<ApiToken> load(os::Disk& disk, const std::string& path);
  static Result<ApiToken> load_or_create(os::Disk& disk, os::Random& random, const std::string& path);

  const std::string& text() const { return text_; }
  // Whether the value of an Authorization header is "Bearer <this token>".
  bool admits(std::string_view authorization) const;

 private:
  explicit ApiToken(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

}  // namespace freehold::auth
