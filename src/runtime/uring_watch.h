// Acceptor and Watcher on io_uring. Internal to runtime.
#pragma once

#include <vector>

#include "runtime/uring_loop.h"

namespace freehold::runtime {

// One submission accepts again and again where the kernel can do that; its answers are descriptors.
class UringAcceptor final : public AcceptorState, public Submission {
 public:
  UringAcceptor(UringLoop& loop, int socket, Completion accepted);
  ~UringAcceptor() override;

  void abandon() override;
  void answered(int result) override;

 private:
  void start_accepting() override;
  void stop_accepting() override;
  bool referenced() const override { return in_flight_ || due_.queued() || busy_; }
  void submit();
  void on_due(int result);

  UringLoop& loop_;
  Operation due_;
  std::vector<int> results_;  // answers not passed on yet
  bool wanted_ = false;       // not closed and not pausing
  bool repeating_ = true;
  bool polling_ = false;  // what is in flight is a poll
  bool busy_ = false;     // within a call of the handler
};

// One poll at a time, submitted again after `ready` was called: that makes it level-triggered.
class UringWatcher final : public WatcherState, public Submission {
 public:
  UringWatcher(UringLoop& loop, int fd, Completion ready, Interest interest);
  ~UringWatcher() override;

  void set_interest(Interest interest) override;
  void abandon() override;
  void answered(int result) override;

 private:
  void submit();
  void on_due(int result);
  void delete_if_answered();

  UringLoop& loop_;
  int fd_;
  Completion ready_;
  Interest interest_;
  Operation due_;
  bool abandoned_ = false;
  bool busy_ = false;  // within a call of `ready`
};

}  // namespace freehold::runtime
