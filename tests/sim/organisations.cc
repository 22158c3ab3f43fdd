#include "organisations.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace freehold::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::string_view, 6> kNames = {"a", "b", "c", "d", "e", "f"};

}  // namespace

void OrganisationMaker::new_version(model::Service& service) {
  constexpr std::array<std::string_view, 4> kBad = {"crash", "sick", "hang", "flap"};
  service.env["VERSION"] = fmt::format("{}", ++versions_);
  service.env["BEHAVIOUR"] = chance(percent_bad_) ? std::string(kBad[random_.below(kBad.size())]) : "good";
  service.prepare.clear();
  service.env.erase("PREPARE");
  if (!chance(25)) return;
  service.prepare = {"./bin/prepare"};
  service.env["PREPARE"] = chance(percent_bad_) ? "fail" : "well";
}

model::Service OrganisationMaker::service(const std::string& name) {
  model::Service service;
  service.name = name;
  service.run = {"./bin/" + name};
  service.replicas = 1 + static_cast<uint32_t>(random_.below(4));
  if (chance(20)) {
    service.volumes = {{"data", "", model::Writers::kOne}};
    service.replicas = 1;
  }
  service.deploy.batch = 1 + static_cast<uint32_t>(random_.below(3));
  service.deploy.drain = random_.below(4) * 1s;
  service.deploy.deadline = 30s + random_.below(30) * 1s;
  service.deploy.on_failure = chance(15) ? model::OnFailure::kHold : model::OnFailure::kRollback;
  service.stop.grace = 1s + random_.below(3) * 1s;
  new_version(service);
  return service;
}

// Only on services with a smaller name: no cycles.
void OrganisationMaker::choose_needs(model::Organisation& organisation) {
  for (auto& [name, service] : organisation.services) {
    service.needs.clear();
    for (auto& [other, needed] : organisation.services) {
      if (other < name && !needed.job && chance(30)) service.needs.push_back(other);
    }
  }
}

void OrganisationMaker::choose_routes(model::Organisation& organisation) {
  organisation.routes = {{"coop.example", {}}};
  for (auto& [name, service] : organisation.services) {
    if (!service.job && chance(60))
      organisation.routes[0].paths.push_back({.pattern = "/" + name, .prefix = true, .service = name});
  }
}

void OrganisationMaker::move_shared_volume(model::Organisation& organisation) {
  for (auto& [name, service] : organisation.services) {
    std::erase_if(service.volumes, [](const model::Volume& volume) { return volume.name == "shared"; });
  }
  auto at = std::next(organisation.services.begin(), static_cast<int64_t>(random_.below(organisation.services.size())));
  at->second.volumes.push_back({"shared", "/srv/shared", model::Writers::kOne});
  at->second.replicas = std::min(at->second.replicas, 1u);
}

model::Organisation OrganisationMaker::first() {
  model::Organisation organisation;
  organisation.name = "coop";
  for (std::string_view name : kNames) {
    if (chance(60)) organisation.services.emplace(name, service(std::string(name)));
  }
  if (organisation.services.empty()) organisation.services.emplace("a", service("a"));
  choose_needs(organisation);
  choose_routes(organisation);
  return organisation;
}

void OrganisationMaker::change(model::Organisation& organisation) {
  for (uint64_t i = 0, count = 1 + random_.below(3); i < count; ++i) {
    std::string name(kNames[random_.below(kNames.size())]);
    auto at = organisation.services.find(name);
    if (at == organisation.services.end()) {
      organisation.services.emplace(name, service(name));
      continue;
    }
    switch (random_.below(10)) {
      case 0:
      case 1:
      case 2:
        new_version(at->second);
        break;
      case 3:
        if (!at->second.single_writer()) at->second.replicas = static_cast<uint32_t>(random_.below(5));
        break;
      case 4:
        at->second.health.every = 1s + random_.below(20) * 1s;
        break;
      case 5:
        choose_needs(organisation);
        break;
      case 6:
        choose_routes(organisation);
        break;
      case 7:
        move_shared_volume(organisation);
        break;
      case 8:
        // A service becomes a job, which has no instances, or a job a service.
        at->second.job = at->second.job ? std::nullopt : std::optional(model::Job{.schedule = "hourly"});
        break;
      default:
        if (organisation.services.size() > 1) organisation.services.erase(at);
    }
  }
  auto is_no_service = [&](const std::string& name) {
    auto found = organisation.services.find(name);
    return found == organisation.services.end() || found->second.job;
  };
  for (auto& [name, service] : organisation.services) std::erase_if(service.needs, is_no_service);
  for (model::Route& route : organisation.routes)
    std::erase_if(route.paths, [&](const model::PathRule& rule) { return is_no_service(rule.service); });
}

void give_addresses(const model::Organisation& organisation, control::Allocations& allocations) {
  for (const auto& [name, service] : organisation.services)
    allocations.addresses.try_emplace(name, static_cast<uint16_t>(7000 + allocations.addresses.size()));
}

}  // namespace freehold::sim
