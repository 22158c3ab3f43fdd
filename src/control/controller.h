// Controller: the loop around the pure decisions. It takes what people want (apply, rollback, scale, restart, drain,
// down), writes it down, lets a rollout step whenever the node reports or a time comes, and tells the node what is
// wanted.
//
// One rollout at a time, guarded by the lease "apply"; whoever comes meanwhile is refused and told by whom and since
// when. After a crash the next Controller goes on with the stored rollout. Lives on control's loop; not thread safe.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "contents/contents.h"
#include "control/draft.h"
#include "control/lock.h"
#include "control/plan.h"
#include "control/ports.h"
#include "control/progress.h"
#include "model/submission.h"
#include "runtime/timer.h"

namespace freehold::control {

// What events of a rollout carry: {"rollout": 7, "generation": 4}.
codec::Json detail_of(const Rollout& rollout);

// A change that was accepted.
struct Accepted {
  uint64_t rollout = 0;     // 0: there was nothing to do
  uint64_t generation = 0;  // that it leads to
  uint64_t event = 0;       // its events have greater ids
  bool undoes = false;      // it is the rollout that was under way, going back: ending as undone is what was asked for
  std::string text;         // for a person: what was chosen, and why
};

class Controller {
 public:
  struct Options {
    std::string boot_id;
    std::string owner;  // of leases: unique to this process
    AddressRange addresses{};
    size_t keep_generations = 20;
  };
  struct Parts {
    runtime::Loop& loop;
    store::Store& store;
    contents::ContentStore& contents;
    EventSink& events;
    NodePort& node;
    SecretBox& secrets;
  };

  // Reads the ledger and resumes the rollout that was under way.
  static Result<std::unique_ptr<Controller>> open(Parts parts, Options options);
  ~Controller();

  // ---- people (who: for events and history)
  Result<Plan> plan(const model::Submission& submission, const std::string& who);
  Result<Accepted> apply(const model::Submission& submission, const std::string& who);
  // Without a number during an apply: that apply is taken back.
  Result<Accepted> rollback(std::optional<uint64_t> number, const std::string& who);
  Result<Accepted> restart(const std::string& service, const std::string& who);
  Result<Accepted> scale(const std::string& service, uint32_t replicas, const std::string& who);
  Result<Accepted> drain(const std::string& subject, bool off, const std::string& who);
  Result<Accepted> down(const std::string& who);
  // What the lock was; not held if there was none to release. kConflict while what holds it goes on.
  enum class Release { kIfGone, kForced };
  Result<Lock> release_lock(Release release, const std::string& who);
  Result<Plan> diff(uint64_t from, uint64_t to);

  // ---- the node
  void node_connected();
  void node_lost();
  void node_observed(model::NodeObserved observed);
  Result<void> node_events(const std::vector<model::NodeEvent>& events) { return parts_.events.append(events); }

  // ---- looking
  // Called, from inside, whenever what there is to see may be another. One listener.
  void when_changed(std::function<void()> listener) { changed_ = std::move(listener); }
  Result<Lock> lock();
  uint64_t current() const { return ledger_.current; }
  const std::optional<Rollout>& rollout() const { return ledger_.rollout; }
  const std::optional<Generation>& current_generation() const { return generation_; }
  const Composed* composed() const { return composed_ ? &*composed_ : nullptr; }
  const model::NodeObserved& observed() const { return observed_; }
  const Overrides& overrides() const { return ledger_.overrides; }
  const Allocations& allocations() const { return ledger_.allocations; }
  const DesiredState& desired() const { return ledger_.desired; }
  bool connected() const { return connected_; }
  Result<std::vector<GenerationHead>> history() { return ledger_.heads(options_.keep_generations * 2); }
  Result<Generation> generation(uint64_t number) { return ledger_.generation(number); }
  std::vector<Departure> departures() const;
  // Of the last rollout, running or ended.
  std::vector<ServiceProgress> progress() const;
  Now now() const { return {parts_.loop.clock().wall(), parts_.loop.clock().monotonic()}; }

 private:
  // What a step decided and the disk has not taken yet. Nothing is decided on top of it.
  struct Unwritten {
    bool any = false;
    bool ended = false;  // the rollout
    std::vector<RolloutEvent> events;
  };

  Controller(Parts parts, Options options, Ledger ledger);
  Result<void> recompose();
  const Composed* composed_or_null() const { return composed_ ? &*composed_ : nullptr; }
  const model::NodeObserved* observed_or_null() const { return connected_ ? &observed_ : nullptr; }
  DraftBase base() const { return {ledger_, composed_or_null(), options_.addresses, now().wall}; }
  bool is_asked_for(const Composed& composed) const;
  Rollout rollout_to(const Composed& target, const Overrides& overrides, RolloutKind kind,
                     const std::string& who) const;
  Result<Accepted> begin(RolloutKind kind, Draft draft, const std::string& who);
  Result<Accepted> begin_override(RolloutKind kind, Overrides overrides, const std::string& who,
                                  const std::string& what);
  Result<Accepted> take_back(const std::string& who);
  Result<Accepted> down_before_first_generation(const std::string& who);
  Result<void> require_service(const std::string& service) const;
  Result<void> refuse_while_unwritten();
  Result<void> refuse_while_rolling();
  Result<void> take_lease(const std::string& what);
  void advance();
  bool write_down();
  Result<void> commit_step();
  Result<void> commit_end();
  void finish_rollout();
  void see_to_the_end();
  bool announce_end();
  void collect_garbage();
  void send_desired();
  bool record(Occurrence occurrence);
  void tell_changed() const {
    if (changed_) changed_();
  }
  void on_timer(int) { advance(); }
  void on_heartbeat(int);

  Parts parts_;
  Options options_;
  Ledger ledger_;
  store::Leases leases_;
  std::optional<store::Lease> lease_;
  std::optional<Generation> generation_;  // the current one
  std::optional<Composed> composed_;      // with the overrides in force
  model::NodeObserved observed_;
  bool connected_ = false;
  bool finishing_ = false;     // down is done, the node was told
  bool unsent_ = false;        // the node was not told of what is wanted now
  bool end_recorded_ = false;  // the event of the rollout's end is in the log; the ledger may not know it yet
  Unwritten unwritten_;
  std::optional<Error> unwritable_;  // why not yet
  std::function<void()> changed_;
  runtime::Timer timer_;
  runtime::Timer heartbeat_;
};

}  // namespace freehold::control
