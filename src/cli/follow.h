// Streams of the API shown line by line, and going on where they were when control was away: no gap, nothing twice.
#pragma once

#include <deque>
#include <string>
#include <unordered_map>

#include "cli/session.h"

namespace freehold::cli {

// Where a stream is. Told of every line before it is shown.
class StreamPlace {
 public:
  virtual ~StreamPlace() = default;
  // What to ask for, to go on behind what was taken.
  virtual std::string target() const = 0;
  // False: it was shown already.
  virtual bool take(const codec::Json& line) = 0;
  // The stream is about to be asked for again.
  virtual void again() {}
};

// Events have ids.
class EventPlace : public StreamPlace {
 public:
  explicit EventPlace(std::string first) : target_(std::move(first)) {}
  std::string target() const override;
  bool take(const codec::Json& line) override;
  // "/v1/events?follow=1&subject=web": without what says where it begins.
  void resume_with(std::string base) { base_ = std::move(base); }

 private:
  std::string target_;
  std::string base_;
  uint64_t last_ = 0;
};

// Log lines have none: asked again for the last kOverlap, with what was shown of it left out. Enough for lines that
// reach their file late; memory is what came within it.
class LogPlace : public StreamPlace {
 public:
  static constexpr Duration kOverlap = std::chrono::seconds(10);
  LogPlace(std::string first, std::string base, WallTime now)
      : target_(std::move(first)), base_(std::move(base)), newest_(now) {}
  std::string target() const override;
  bool take(const codec::Json& line) override;
  void again() override;

 private:
  struct Shown {
    WallTime time;
    size_t hash;
  };
  std::string target_;
  std::string base_;
  WallTime newest_;  // of a line, or when it began
  bool resumed_ = false;
  std::deque<Shown> shown_;                      // within kOverlap of the newest
  std::unordered_map<size_t, size_t> expected_;  // hashes of those that come again, and how often
};

// Until the stream ends; with --follow until a signal ends us, or the platform has stopped.
int show_stream(const Invocation& invocation, StreamPlace& place, std::string (*render)(const codec::Json&, bool));

}  // namespace freehold::cli
