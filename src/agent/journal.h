// Journal: the agent's events that control has not acknowledged yet, kept across the agent's own death.
//
// One file of JSON lines, appended to as events happen and started anew when all are acknowledged. Not synced: what a
// power cut takes is at most the last seconds of news about processes that it took as well. Bounded: beyond
// kMostPending the oldest go, and an event says how many. What a full disk does not take is held in memory and written
// when there is room. Single thread.
#pragma once

#include <deque>
#include <memory>
#include <string>

#include "model/node_event.h"
#include "os/clock.h"
#include "os/disk.h"

namespace freehold::agent {

class Journal {
 public:
  static constexpr size_t kMostPending = 20'000;

  // Reads what an agent before this one left. A torn last line is dropped. Fails only if the file cannot be read.
  static Result<Journal> open(os::Disk& disk, os::Clock& clock, std::string path);

  void add(std::string kind, std::string subject, std::string message);
  void acknowledge(uint64_t sequence);
  const std::deque<model::NodeEvent>& pending() const { return pending_; }

 private:
  Journal(os::Disk& disk, os::Clock& clock, std::string path) : disk_(&disk), clock_(&clock), path_(std::move(path)) {}
  void start_anew();
  Result<void> start_file();
  void write(const model::NodeEvent& event);

  os::Disk* disk_;
  os::Clock* clock_;
  std::string path_;
  std::unique_ptr<os::WritableFile> file_;
  std::deque<model::NodeEvent> pending_;
  uint64_t last_sequence_ = 0;
};

}  // namespace freehold::agent
