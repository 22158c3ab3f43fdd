#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "model/sections.h"

namespace freehold::model {
namespace {

std::vector<std::string> near_hint(std::string_view name, const std::vector<std::string_view>& known) {
  std::string_view near = near_name(name, known);
  if (!near.empty()) return {fmt::format("did you mean '{}'?", near)};
  return {};
}

// What runs now and then can neither be reached nor waited for.
void check_no_job(Reading& reading, const ServiceUse& use) {
  auto service = reading.organisation.services.find(use.name);
  if (service == reading.organisation.services.end() || !service->second.job) return;
  std::string what = use.kind == ServiceUse::Kind::kNeeds     ? fmt::format("service '{}' cannot need", use.user)
                     : use.kind == ServiceUse::Kind::kAddress ? "there is no address of"
                                                              : "a route cannot lead to";
  reading.report.error(use.place, fmt::format("{} '{}': it has a schedule, so it is a job", what, use.name),
                       {"a job runs now and then; only a service is there all the time"});
}

void check_names(Reading& reading) {
  std::vector<std::string_view> known;
  for (const auto& [name, place] : reading.services) known.push_back(name);
  for (const ServiceUse& use : reading.service_uses) {
    if (reading.report.full()) return;
    if (reading.services.contains(use.name)) {
      check_no_job(reading, use);
      continue;
    }
    std::vector<std::string> hints = near_hint(use.name, known);
    if (hints.empty() && use.kind == ServiceUse::Kind::kRoute) {
      hints.emplace_back("an upstream outside is written http://host:port");
    }
    reading.report.error(use.place, fmt::format("there is no service {}", quote(use.name)), std::move(hints));
  }
}

// Depth first over `needs`, without recursion: chains may be as long as the file.
class CycleFinder {
 public:
  explicit CycleFinder(Reading& reading) : reading_(reading) {
    for (const ServiceUse& use : reading.service_uses) {
      if (use.kind == ServiceUse::Kind::kNeeds) places_.emplace(std::pair(use.user, use.name), use.place);
    }
  }

  void find() {
    for (const auto& [name, service] : reading_.organisation.services) {
      if (!seen_.contains(name)) walk(name);
    }
  }

 private:
  struct Step {
    std::string_view name;
    size_t next = 0;  // which of its needs is looked at
  };

  void walk(std::string_view start) {
    path_.push_back({start});
    seen_.insert(start);
    on_path_.insert(start);
    while (!path_.empty()) {
      Step& step = path_.back();
      const Service& service = reading_.organisation.services.find(std::string(step.name))->second;
      if (step.next == service.needs.size()) {
        on_path_.erase(step.name);
        path_.pop_back();
        continue;
      }
      const std::string& need = service.needs[step.next++];
      if (on_path_.contains(need)) {
        report(need, service.name);
      } else if (reading_.organisation.services.contains(need) && seen_.insert(need).second) {
        on_path_.insert(need);
        path_.push_back({need});
      }
    }
  }
  void report(const std::string& first, const std::string& last) {
    auto begin = std::ranges::find(path_, first, &Step::name);
    std::string cycle;
    for (auto step = begin; step != path_.end(); ++step) cycle += fmt::format("{} → ", step->name);
    reading_.report.error(places_.at({last, first}),
                          fmt::format("services need each other in a circle: {}{}", cycle, first),
                          {"none of them could start first"});
  }

  Reading& reading_;
  std::map<std::pair<std::string, std::string>, Place> places_;
  std::vector<Step> path_;
  std::set<std::string_view> seen_;
  std::set<std::string_view> on_path_;
};

bool lies_in(const std::string& path, const std::string& folder) {
  return path == folder || path.starts_with(folder + "/");
}

// Taking the store along would put every secret into the state, and maybe onto the web.
void check_captures(Reading& reading) {
  const std::string& store = reading.organisation.secret_store;
  if (store.empty()) return;
  for (const Capture& capture : reading.captures) {
    if (!lies_in(store, capture.path)) continue;
    reading.report.error(capture.place,
                         fmt::format("{} holds the secrets' store {}", quote(capture.path), quote(store)),
                         {"keep the store outside of what is taken along"});
  }
}

void check_volumes(Reading& reading) {
  std::map<std::string, const VolumePlace*> first;
  for (const VolumePlace& volume : reading.volumes) {
    auto [found, inserted] = first.emplace(volume.path, &volume);
    if (inserted) continue;
    const VolumePlace& other = *found->second;
    if (volume.writers == Writers::kMany && other.writers == Writers::kMany) continue;
    reading.report.error(
        volume.place, fmt::format("{} has the folder of {}, and one of them has one writer", volume.owner, other.owner),
        {fmt::format("see {}", at(other.place)), "use two folders, or writers: many in both"});
  }
}

}  // namespace

void check_references(Reading& reading) {
  check_names(reading);
  CycleFinder(reading).find();
  check_captures(reading);
  check_volumes(reading);
  if (!reading.organisation.routes.empty() && !reading.gateway_listen && reading.routes) {
    reading.report.error(*reading.routes, "there are routes, but gateway.listen does not say where they are reached",
                         {"expected: gateway: {listen: 80}"});
  }
  if (!reading.secret_uses.empty() && !reading.secret_store) {
    const SecretMention& use = reading.secret_uses.front();
    reading.report.error(use.place, fmt::format("the secret {} is used, but the file names no store", quote(use.name)),
                         {"expected: secrets: {store: ./secrets.yaml}"});
  }
}

void check_secrets(Reading& reading, const std::set<std::string>& names) {
  std::vector<std::string_view> known(names.begin(), names.end());
  for (const SecretMention& use : reading.secret_uses) {
    if (names.contains(use.name) || reading.report.full()) continue;
    std::vector<std::string> hints = near_hint(use.name, known);
    if (hints.empty() && reading.secret_store)
      hints.push_back(fmt::format("the store is named at {}", at(*reading.secret_store)));
    reading.report.error(use.place, fmt::format("there is no secret {} in the store", quote(use.name)),
                         std::move(hints));
  }
}

}  // namespace freehold::model
