// Stepper: one step of a rollout, cut into what each service does, what counts as failure, and the flow over all.
// Internal to rollout_*.cc.
#pragma once

#include <unordered_map>

#include "control/rollout.h"

namespace freehold::control {

class Stepper {
 public:
  Stepper(Rollout& rollout, DesiredState& state, const model::NodeObserved& observed, Now now);
  StepResult run();

 private:
  using Placed = PlacedInstance;
  struct Progress;

  // ---- rollout_step.cc: the flow
  void read_services();
  void count_time();
  void note_what_happened(ServiceRollout& service);
  bool advance(ServiceRollout& service);
  bool may_start(const ServiceRollout& service) const;
  bool may_leave(const ServiceRollout& service) const;
  bool switch_routes();
  bool is_done(const std::string& service) const;
  bool awaits_answer() const;
  void finish_if_done();
  void finish(Outcome outcome);
  std::optional<Duration> wake_after() const;

  // ---- rollout_service.cc: one service towards its goal
  void converge(ServiceRollout& service);
  void leave(ServiceRollout& service);
  void supervise(const ServiceRollout& service);
  bool make_room(ServiceRollout& service);
  bool prepare(ServiceRollout& service, bool has_room);
  void start_instances(ServiceRollout& service, bool has_room);
  void stop_surplus(ServiceRollout& service);
  void retire_old(ServiceRollout& service);
  void settle_if_complete(ServiceRollout& service);
  void stop(Placed& placed, std::string_view why);
  bool is_up(const Placed& placed) const;
  bool writer_is_free(const model::Runtime& runtime);

  // ---- rollout_failure.cc: when to turn back
  std::optional<std::string> unreachable() const;
  void look_for_failures();
  void give_up_if_late(ServiceRollout& service);
  std::optional<std::string> failure_of(const ServiceRollout& service) const;
  std::optional<std::string> failure_of(const ServiceRollout& service, const Placed& placed) const;

  Leg& goal(ServiceRollout& service) const { return forward() ? service.to : service.from; }
  const Leg& goal(const ServiceRollout& service) const { return forward() ? service.to : service.from; }
  const Leg& origin(const ServiceRollout& service) const { return forward() ? service.from : service.to; }
  bool forward() const { return rollout_.direction == Direction::kForward; }
  const model::ObservedInstance* seen(const std::string& id) const;
  void tell(std::string kind, std::string service, std::string instance, std::string text);
  Duration deadline(const ServiceRollout& service) const;
  Duration spent(const ServiceRollout& service) const { return rollout_.counted - service.rolling_since; }
  static bool is_done(const ServiceRollout& service) {
    return service.stage == Stage::kSettled || service.stage == Stage::kStuck;
  }

  Rollout& rollout_;
  const model::NodeObserved& observed_;
  Now now_;
  Change change_;
  StepResult result_;
  std::unordered_map<std::string, size_t> index_;                   // service -> its place in rollout_.services
  std::unordered_map<std::string, std::vector<size_t>> needed_by_;  // service -> those that needed it in the origin
  std::unordered_map<std::string_view, const model::ObservedInstance*> seen_;
  // Folder with one writer -> services with an instance that has it. Built when first asked for.
  std::optional<std::unordered_map<std::string, std::set<std::string>>> writers_;
};

// How an instance ended or why it is not well, for a person.
std::string describe(const model::ObservedInstance& instance);

// Also makes the rollout forget what it did in the other direction.
void point_back(Rollout& rollout, std::string reason);

}  // namespace freehold::control
