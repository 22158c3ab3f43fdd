#include "agent/journal.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"
#include "base/text.h"

namespace freehold::agent {
namespace {

constexpr Bytes kLargestJournal{64 << 20};

}  // namespace

Result<Journal> Journal::open(os::Disk& disk, os::Clock& clock, std::string path) {
  Journal journal(disk, clock, std::move(path));
  auto text = disk.read(journal.path_, kLargestJournal);
  if (!text && text.error().code() != ErrorCode::kNotFound) return text.error();
  if (text) {
    for (std::string_view line : split(*text, '\n')) {
      auto json = codec::Json::parse(line);
      if (!json) continue;
      auto event = codec::from_json<model::NodeEvent>(*json);
      if (!event) continue;
      journal.last_sequence_ = std::max(journal.last_sequence_, event->sequence);
      // An event without a kind only carries the number to go on from.
      if (!event->kind.empty()) journal.pending_.push_back(*std::move(event));
    }
  }
  // On a full disk too an agent must come up: what happens is held in memory until there is room.
  journal.start_anew();
  return journal;
}

Result<void> Journal::start_file() {
  model::NodeEvent mark;
  mark.sequence = last_sequence_;
  std::string text = codec::to_json(mark).dump() + "\n";
  for (const model::NodeEvent& event : pending_) text += codec::to_json(event).dump() + "\n";
  FH_TRY(disk_->write_durably(path_, text, 0600));
  FH_ASSIGN(file_, disk_->open_append(path_, 0600));
  return {};
}

void Journal::start_anew() {
  file_.reset();
  auto started = start_file();
  if (!started) log_warning("agent", "the event journal cannot be started anew: {}", started.error().message());
}

void Journal::add(std::string kind, std::string subject, std::string message) {
  model::NodeEvent event{++last_sequence_, clock_->wall(), std::move(kind), std::move(subject), std::move(message)};
  if (pending_.size() >= kMostPending) {
    size_t dropped = kMostPending / 2;
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(dropped));
    pending_.push_back({last_sequence_++, clock_->wall(), "events.dropped", "agent",
                        fmt::format("{} events were dropped because control did not take them", dropped)});
    event.sequence = last_sequence_;
    pending_.push_back(std::move(event));
    return start_anew();  // or the file would grow for as long as control is away
  }
  if (file_) write(event);
  pending_.push_back(std::move(event));
  if (!file_) start_anew();
}

void Journal::write(const model::NodeEvent& event) {
  auto written = file_->append(codec::to_json(event).dump() + "\n");
  if (written) return;
  // The event itself is not lost: it is still pending in memory, and goes to control from there.
  log_warning("agent", "the event journal cannot be written: {}", written.error().message());
  file_.reset();  // half a line may stand at its end
}

void Journal::acknowledge(uint64_t sequence) {
  if (pending_.empty()) return;
  while (!pending_.empty() && pending_.front().sequence <= sequence) pending_.pop_front();
  if (!pending_.empty()) return;
  start_anew();
}

}  // namespace freehold::agent
