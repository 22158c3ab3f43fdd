#include "leaving/ground.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "codec/hash.h"

namespace freehold::leaving {
namespace {

// What Freehold gives its instances by default; a service with one instance keeps its own stable address instead.
constexpr uint16_t kFirstPort = 20000;
constexpr uint16_t kLastPort = 29999;
// systemd-sysusers takes no longer names.
constexpr size_t kLongestUser = 31;

std::string shortened(const std::string& name) {
  constexpr size_t kDigits = 8;
  if (name.size() <= kLongestUser) return name;
  return name.substr(0, kLongestUser - kDigits - 1) + "-" + codec::sha256_hex(name).substr(0, kDigits);
}

class Ports {
 public:
  explicit Ports(const model::Routing& routing) {
    for (const auto& [service, port] : routing.addresses) taken_.insert(port);
    for (const model::Listen& listen : routing.gateway.http) taken_.insert(listen.port);
  }
  Result<uint16_t> next() {
    while (next_ <= kLastPort && taken_.contains(next_)) ++next_;
    if (next_ > kLastPort)
      return Error(ErrorCode::kExhausted,
                   fmt::format("there are more instances than the ports from {} to {}", kFirstPort, kLastPort));
    return next_++;
  }

 private:
  std::set<uint16_t> taken_;
  uint16_t next_ = kFirstPort;
};

Result<Place> place_for(const Given& given, const control::ComposedService& service, const std::string& base,
                        Ports& ports) {
  const std::string& organisation = given.composed.organisation;
  const model::Runtime& runtime = service.spec.runtime;
  Place place;
  place.unit = fmt::format("{}-{}", organisation, runtime.service);
  place.many = service.spec.replicas != 1 && !service.source.job;
  if (service.source.job) {
    place.timed = true;  // nothing connects to it
  } else if (!place.many) {
    place.ports.push_back(given.composed.routing.addresses.at(runtime.service));
    place.port = std::to_string(place.ports.front());
  } else {
    place.port = "%i";
    for (uint32_t i = 0; i < service.spec.replicas; ++i) {
      FH_ASSIGN(uint16_t port, ports.next());
      place.ports.push_back(port);
    }
  }
  place.own_user = runtime.user == "auto";
  place.user = place.own_user ? shortened(place.unit) : runtime.user;
  place.folder = runtime.release.empty() ? "/" : fmt::format("{}/programs/{}", base, runtime.service);
  for (const model::Volume& volume : runtime.volumes) {
    place.volumes[volume.name] = volume.path.empty()
                                     ? fmt::format("/var/lib/{}/{}/{}", organisation, runtime.service, volume.name)
                                     : volume.path;
  }
  return place;
}

// A folder's name that needs no quoting anywhere: "./public site" -> "public-site".
std::string plain_name(const std::string& folder, std::set<std::string>& taken) {
  std::string name;
  for (char c : folder) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    if (plain || (!name.empty() && name.back() != '-')) name += plain ? c : '-';
  }
  while (name.ends_with('-')) name.pop_back();
  if (name.empty()) name = "site";
  std::string out = name;
  for (int i = 2; !taken.insert(out).second; ++i) out = fmt::format("{}-{}", name, i);
  return out;
}

}  // namespace

std::vector<std::string> Place::units(std::string_view ending) const {
  if (!many) return {fmt::format("{}.{}", unit, ending)};
  std::vector<std::string> out;
  for (uint16_t one : ports) out.push_back(fmt::format("{}@{}.{}", unit, one, ending));
  return out;
}

bool Ground::is_used(const control::Composed& composed, const std::string& service) const {
  return std::ranges::any_of(composed.services,
                             [&](const auto& entry) { return entry.second->addresses.contains(service); });
}

Result<Ground> lay_out(const Given& given) {
  Ground ground;
  ground.name = given.composed.organisation;
  ground.base = "/opt/" + ground.name;
  Ports ports(given.composed.routing);
  for (const auto& [name, service] : given.composed.services) {
    FH_ASSIGN(ground.places[name], place_for(given, *service, ground.base, ports));
  }
  std::set<std::string> taken;
  for (const auto& [digest, folder] : given.composed.folders)
    ground.files[digest] = fmt::format("{}/files/{}", ground.base, plain_name(folder, taken));
  return ground;
}

}  // namespace freehold::leaving
