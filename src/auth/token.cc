#include "auth/token.h"

#include <fmt/core.h>

#include "auth/key_file.h"
#include "base/text.h"
#include "codec/hash.h"

namespace freehold::auth {
namespace {

constexpr size_t kTokenBytes = 32;
// So that a token that somebody chose, or an empty file, does not open the door to guessing.
constexpr size_t kLeastTextBytes = 32;
constexpr std::string_view kScheme = "bearer ";

}  // namespace

Result<ApiToken> ApiToken::load(os::Disk& disk, const std::string& path) {
  FH_ASSIGN(std::string file, read_key_file(disk, path));
  std::string text(trim(file));
  if (text.size() < kLeastTextBytes) {
    return Error(ErrorCode::kCorrupt,
                 fmt::format("{} holds no token: remove it, and a new one is made at the next start", path));
  }
  return ApiToken(std::move(text));
}

Result<ApiToken> ApiToken::load_or_create(os::Disk& disk, os::Random& random, const std::string& path) {
  auto loaded = load(disk, path);
  if (loaded) FH_TRY(settle_key_file(disk, path));
  if (loaded || loaded.error().code() != ErrorCode::kNotFound) return loaded;
  FH_TRY(write_key_file(disk, path, fmt::format("fht_{}\n", to_hex(random.bytes(kTokenBytes)))));
  return load(disk, path);
}

bool ApiToken::admits(std::string_view authorization) const {
  if (!equals_ignoring_case(authorization.substr(0, kScheme.size()), kScheme)) return false;
  return codec::equal_in_constant_time(trim(authorization.substr(kScheme.size())), text_);
}

}  // namespace freehold::auth
