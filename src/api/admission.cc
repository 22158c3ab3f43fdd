// Who comes in: decided before a request means anything.
#include <fmt/core.h>
#include <grp.h>
#include <pwd.h>

#include "api/call.h"

namespace freehold::api {
namespace {

std::string name_of_user(uid_t uid) {
  passwd entry{};
  passwd* found = nullptr;
  std::string buffer(4096, '\0');
  if (getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) return found->pw_name;
  return fmt::format("uid {}", uid);
}

// All groups of a user, for deciding whether one of them is `freehold`.
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

}  // namespace

Result<std::string> ApiService::admit(const net::PeerCredentials& credentials) const {
  auth::Peer peer{credentials.uid, credentials.gid, groups_of(credentials.uid, credentials.gid)};
  auth::PeerRule rule = auth::rule_for(backend_->options.peers, peer);
  if (!auth::is_admitted(rule)) return Error(ErrorCode::kDenied, auth::explain(rule, peer));
  return name_of_user(peer.uid);
}

bool ApiService::is_known(const http::Peer& peer) const { return peer.credentials && admit(*peer.credentials).ok(); }

Result<std::string> ApiService::admit(const http::Exchange& exchange) const {
  if (exchange.peer().credentials) return admit(*exchange.peer().credentials);
  const http::Header* header = exchange.head().find("Authorization");
  if (backend_->options.token == nullptr || header == nullptr || !backend_->options.token->admits(header->value())) {
    return Error(ErrorCode::kDenied, "the bearer token of this organisation is asked for");
  }
  return std::string("token");
}

}  // namespace freehold::api
