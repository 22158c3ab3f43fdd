// The rules that no step of control may break, checked against what really runs on the simulated node.
//
// After every step that was committed:
//   1. Promise. A service that does not change, or changes by rolling, keeps what it promised: the smaller of its old
//      and new replicas. An instance that serves is told to stop only when, among those still wanted, that many are
//      seen to serve; and by that step no fewer truly serve than before, or than promised. Instances that failed or
//      recovered by themselves since the observation are not held against control.
//   2. Untouched. A service that is not part of the rollout has the same instances as before.
//   3. Names. An id is never given to a second instance, never changes its fingerprint, and once told to stop is never
//      told to run again.
//   4. Books. Every instance has its runtime, and there is no runtime without an instance.
//   5. Order. An instance of the wanted version is started only when all instances of every service that it needs were
//      healthy once, as far as that service changes too and was not given up. What goes is stopped when nothing that
//      goes too and needed it is alive.
//   6. Prepare. In one rollout, at most one prepare instance per service, and none but in an apply; where there is one,
//      it ended well before the first instance of that version is started.
//   7. Routes. They switch to the new generation only when every service of the rollout that they name was fully
//      healthy; a service that loses its routes is stopped only when the node has the new ones.
//   8. Batch. While it rolls, a service is asked for at most batch instances beyond the larger of old and new replicas.
//   9. Failure. No step that sees a new instance crash-loop, or end too often or become unhealthy before it ever
//   served,
//      leaves the rollout going forward.
//  10. Sight. Control that has heard nothing of the node since its start stops nothing.
// After everything that happens on the node:
//  11. One writer. A volume with one writer is held by at most one living process.
//  12. No orphan. The node is never told of a state in which an instance that is alive there is not mentioned.
// At the end of a rollout:
//  13. It ends in bounded time once faults cease: done, undone or failed, the last two with a reason.
//      One that was given up for a `down` is not asked; the `down` is.
//  14. Done and undone mean what they say: exactly the instances of that generation are asked for, and its routes.
#pragma once

#include "control/rollout.h"
#include "fake_node.h"

namespace freehold::sim {

class Rules {
 public:
  explicit Rules(const FakeNode& node) : node_(node) {}

  // A rollout begins; `target` and `previous` must live until it ends.
  void begin(const control::Rollout& rollout, const control::DesiredState& state, const control::Composed& target,
             const control::Composed* previous);
  void check_step(const control::DesiredState& before, const control::DesiredState& after,
                  const control::Rollout& rollout, const model::NodeObserved& observed);
  void check_node();
  void check_end(const control::DesiredState& state, const control::Rollout& rollout);
  void broken(std::string what) { broken_.push_back(std::move(what)); }
  const std::vector<std::string>& broken() const { return broken_; }

 private:
  struct Expectation {
    uint32_t promised = 0;
    uint32_t most = 0;
  };
  void check_promise(const std::string& service, const std::vector<control::PlacedInstance>& before,
                     const std::vector<control::PlacedInstance>& after, const model::NodeObserved& observed);
  void check_names(const control::DesiredState& after);
  void check_books(const control::DesiredState& after);
  void check_started(const control::PlacedInstance& placed, const control::DesiredState& after,
                     const control::Rollout& rollout);
  void check_stopped(const std::string& service, const control::Rollout& rollout);
  void check_failures(const control::DesiredState& after, const control::Rollout& rollout,
                      const model::NodeObserved& observed);
  void check_routes(const control::DesiredState& before, const control::DesiredState& after,
                    const control::Rollout& rollout);
  // Whether the service has all instances that it shall have, and all that this rollout started were healthy once. An
  // older one may be broken for its own reasons.
  bool is_complete(const control::ServiceRollout& part, const control::ServiceSpec& spec,
                   const control::DesiredState& state) const;

  const FakeNode& node_;
  const control::Composed* target_ = nullptr;
  const control::Composed* previous_ = nullptr;
  control::RolloutKind kind_ = control::RolloutKind::kApply;
  std::map<std::string, Expectation> expectations_;
  std::map<std::string, std::string> prepared_by_;      // service -> its prepare instance in this rollout
  std::map<std::string, model::DesiredInstance> ever_;  // every id that was ever told, as it was told last
  std::vector<std::string> broken_;
};

}  // namespace freehold::sim
