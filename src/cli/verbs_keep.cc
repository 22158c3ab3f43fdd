// The verbs that keep a platform, and bring it back.
#include <fmt/core.h>

#include <algorithm>
#include <csignal>

#include "base/display.h"
#include "cli/daemons.h"
#include "cli/rollout_watch.h"
#include "cli/screen.h"
#include "cli/secret_input.h"
#include "cli/state_directory.h"
#include "cli/state_view.h"
#include "cli/verbs.h"
#include "keep/restore.h"
#include "model/names.h"
#include "os/clock.h"

namespace freehold::cli {
namespace {

constexpr Duration kRedraw = std::chrono::milliseconds(200);
constexpr size_t kMostNamed = 10;

// One call: its signals, its progress, and how it ends.
class Work {
 public:
  explicit Work(const Invocation& invocation)
      : invocation_(invocation), live_(invocation.output == OutputForm::kHuman && Screen::is_there()) {}

  const Invocation& invocation() const { return invocation_; }
  const std::string& file() const { return invocation_.arguments[0]; }
  Result<keep::Key> key(Asked asked) { return read_key(invocation_, asked, signals_, ended_by_); }

  keep::Progress progress(std::string what) {
    return [this, what = std::move(what)](uint64_t bytes) -> Result<void> {
      ended_by_ = signals_.take();
      if (ended_by_) return Error(ErrorCode::kCancelled, "interrupted: nothing is left of it");
      MonotonicTime now = os::system_clock().monotonic();
      if (!live_ || now - drawn_ < kRedraw) return {};
      drawn_ = now;
      screen_.draw({fmt::format("{} {}", what, format_short(Bytes{bytes}))});
      return {};
    };
  }
  void clear() {
    if (live_) screen_.draw({});
  }
  int fail(const Error& error) {
    clear();
    int code = cli::fail(invocation_, error);
    if (ended_by_) end_by(*ended_by_);
    return code;
  }

 private:
  const Invocation& invocation_;
  bool live_;
  Signals signals_{SIGINT, SIGTERM, SIGHUP};
  std::optional<int> ended_by_;
  Screen screen_;
  MonotonicTime drawn_{};
};

std::string counted(uint64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

std::string what_is_in(const keep::Summary& summary) {
  return fmt::format("{}, generation {}, as of {}\n  {}, {}, {}, {} of files\n", summary.organisation,
                     summary.generation, format_time(summary.created),
                     counted(summary.generations, "generation", "generations"),
                     counted(summary.contents, "content", "contents"),
                     counted(summary.volumes.size(), "volume", "volumes"), format_short(summary.bytes));
}

void note(std::string_view what, const keep::Noted& noted) {
  if (noted.count == 0) return;
  talk(fmt::format("{} {}\n", noted.count, what));
  for (size_t i = 0; i < std::min(kMostNamed, noted.names.size()); ++i)
    talk(fmt::format("  {}\n", printable(noted.names[i])));
  if (noted.count > kMostNamed) talk("  ...; all that are kept of the names: -o json\n");
}

void show_notes(const keep::Summary& summary) {
  note("written to while they were read: they may be of several moments", summary.changed);
  note("left out, being sockets, pipes or devices", summary.special);
  note("NOT in the backup", summary.lost);
}

int show(Work& work, const keep::Summary& summary, std::string_view done) {
  work.clear();
  if (work.invocation().output != OutputForm::kHuman) {
    codec::Json json = codec::to_json(summary);
    json.set("file", work.file());
    if (auto info = os::system_disk().info(work.file())) json.set("size", info->size);
    print(json.dump() + "\n");
    return kDone;
  }
  print(fmt::format("{}{}", what_is_in(summary), done));
  show_notes(summary);
  return kDone;
}

Result<keep::Summary> back_up(Work& work) {
  const Invocation& invocation = work.invocation();
  os::Disk& disk = os::system_disk();
  FH_ASSIGN(model::Layout layout, layout_of(invocation));
  keep::BackupOptions options;
  options.layout = layout;
  options.file = work.file();
  options.replace = invocation.force;
  options.made_by = "freehold " FREEHOLD_VERSION;
  options.look = [&](const std::string& database) { return look_at_state(disk, layout, database); };
  options.written = work.progress("written");
  options.verified = work.progress("verified");
  FH_TRY(keep::check_before_backup(disk, options));
  FH_ASSIGN(keep::Key key, work.key(Asked::kTwice));
  return keep::back_up(disk, os::system_random(), os::system_clock().wall(), key, options);
}

Result<keep::Checked> check(Work& work) {
  // Nobody is asked for a key to nothing.
  FH_TRY(os::system_disk().info(work.file()));
  FH_ASSIGN(keep::Key key, work.key(Asked::kOnce));
  return keep::check_backup(os::system_disk(), work.file(), key, work.progress("verified"));
}

struct Restored {
  keep::Summary summary;
  model::Layout layout;
};

Result<Restored> bring_back(Work& work) {
  os::Disk& disk = os::system_disk();
  FH_ASSIGN(keep::Checked checked, check(work));
  const std::string& name = checked.summary.organisation;
  if (!model::is_name(name)) return Error(ErrorCode::kCorrupt, "the backup is of an organisation without a name");
  keep::RestoreOptions options;
  FH_ASSIGN(options.state, find_state_directory(disk, work.invocation().state, name));
  options.progress = work.progress("restored");
  FH_TRY(keep::restore(disk, work.file(), checked, options));
  return Restored{std::move(checked.summary), model::Layout{options.state}};
}

}  // namespace

int run_backup(const Invocation& invocation) {
  Work work(invocation);
  auto summary = back_up(work);
  if (!summary) return work.fail(summary.error());
  show(work, *summary, fmt::format("{} is written, and was read again to its end\n", work.file()));
  return summary->lost.count == 0 ? kDone : kFailed;
}

int run_verify(const Invocation& invocation) {
  Work work(invocation);
  auto checked = check(work);
  if (!checked) return work.fail(checked.error());
  return show(work, checked->summary, fmt::format("every byte of {} is as it was written\n", work.file()));
}

int run_restore(const Invocation& invocation) {
  model::Layout layout;
  {
    Work work(invocation);
    auto restored = bring_back(work);
    if (!restored) return work.fail(restored.error());
    layout = restored->layout;
    std::string next = invocation.start ? "" : "; nothing runs yet: `freehold up` in the folder of its file starts it";
    show(work, restored->summary, fmt::format("restored to {}{}\n", layout.root, next));
  }
  if (!invocation.start) return kDone;
  Session session(invocation, layout);
  auto started = ensure_daemons(session);
  if (!started) return fail(invocation, started.error());
  if (invocation.output == OutputForm::kHuman) print(fmt::format("started; freehold status{}\n", options_of(session)));
  return kDone;
}

int run_keygen(const Invocation& invocation) {
  const std::string& file = invocation.arguments[0];
  os::Disk& disk = os::system_disk();
  if (disk.exists(file))
    return fail(invocation, Error(ErrorCode::kConflict, fmt::format("{} is there already; a key that was lost opens "
                                                                    "nothing any more, so it is not replaced",
                                                                    file)));
  keep::Key key = keep::Key::generate(os::system_random());
  std::string text = fmt::format("# created: {}\n{}", format_time(os::system_clock().wall()), key.file_text());
  auto written = disk.write_durably(file, text, 0600);
  if (!written) return fail(invocation, written.error());
  if (invocation.output == OutputForm::kHuman) {
    print(key.public_text() + "\n");
  } else {
    print(codec::Json::object().set("public_key", key.public_text()).dump() + "\n");
  }
  return kDone;
}

}  // namespace freehold::cli
