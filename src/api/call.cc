#include "api/call.h"

#include <fmt/core.h>
#include <grp.h>
#include <pwd.h>

#include <charconv>

#include "http/path.h"

namespace freehold::api {

void ApiService::Call::respond(Answer answer) {
  exchange->respond(answer ? *std::move(answer) : problem_response(answer.error()));
}

std::string ApiService::Call::text(std::string_view name) const { return http::query_value(query, name).value_or(""); }

bool ApiService::Call::has(std::string_view name) const { return http::query_value(query, name).has_value(); }

Result<uint64_t> ApiService::Call::number(std::string_view name) const {
  auto value = parse_number(text(name));
  if (!value) return value.error().with_context(name);
  return value;
}

Result<uint64_t> parse_number(std::string_view text) {
  uint64_t number = 0;
  auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || stop != text.data() + text.size())
    return Error(ErrorCode::kInvalid, fmt::format("'{}' is not a number", text));
  return number;
}

Result<std::optional<uint64_t>> base_of(const http::RequestHead& head) {
  const http::Header* header = head.find("If-Match");
  if (header == nullptr || header->value() == "*") return std::optional<uint64_t>();
  std::string_view tag = header->value();
  if (tag.size() < 2 || tag.front() != '"' || tag.back() != '"')
    return Error(ErrorCode::kInvalid, "If-Match is no generation such as \"4\"");
  FH_ASSIGN(uint64_t number, parse_number(tag.substr(1, tag.size() - 2)));
  return std::optional(number);
}

std::vector<gid_t> groups_of(uid_t uid, gid_t primary) {
  passwd entry{};
  passwd* found = nullptr;
  std::string buffer(4096, '\0');
  if (getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return {primary};
  std::vector<gid_t> groups(256);
  auto count = static_cast<int>(groups.size());
  if (getgrouplist(found->pw_name, primary, groups.data(), &count) < 0) return {primary};
  groups.resize(static_cast<size_t>(count));
  return groups;
}

}  // namespace freehold::api
