#include "cli/daemons.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

#include "base/text.h"
#include "cli/machine.h"
#include "link/exec_link.h"
#include "net/address.h"
#include "net/connect.h"
#include "net/frame.h"
#include "os/clock.h"
#include "os/disk.h"
#include "os/spawn.h"

namespace freehold::cli {
namespace {

constexpr Duration kStartTime = std::chrono::seconds(20);
constexpr Duration kStep = std::chrono::milliseconds(20);
constexpr Duration kPatience = std::chrono::seconds(2);  // errors before are those of a start that may still succeed
constexpr Duration kConnectTime = std::chrono::seconds(2);
constexpr Bytes kLargestLog{8 << 20};

// What the daemons may inherit from whoever starts them: nothing that would reach a service.
std::vector<std::string> environment_of_daemons() {
  std::vector<std::string> out = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"};
  for (const char* name : {"HOME", "USER", "XDG_RUNTIME_DIR", "FREEHOLD_BOOT_ID", "FREEHOLD_IO", "FREEHOLD_API_LISTEN",
                           "ASAN_OPTIONS", "UBSAN_OPTIONS"}) {
    if (const char* value = std::getenv(name)) out.push_back(fmt::format("{}={}", name, value));
  }
  return out;
}

std::string last_lines(const std::string& path, size_t count) {
  auto text = os::system_disk().read(path, kLargestLog);
  if (!text) return "";
  auto lines = split(trim(*text), '\n');
  std::string out;
  for (size_t i = lines.size() - std::min(lines.size(), count); i < lines.size(); ++i)
    out += fmt::format("  {}\n", lines[i]);
  return out;
}

// Held by the agent for as long as it lives.
bool lock_is_free(const std::string& path) {
  os::Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return errno == ENOENT;
  return flock(file.get(), LOCK_EX | LOCK_NB) == 0;
}

// The last error that a daemon wrote since `began`; its log holds its own JSON lines in the keeper's.
std::string last_error(const std::string& path, WallTime began) {
  std::string out;
  auto text = os::system_disk().read(path, kLargestLog);
  if (!text) return out;
  for (std::string_view line : split(*text, '\n')) {
    auto outer = codec::Json::parse(line);
    auto inner = outer ? codec::Json::parse((*outer)["line"].as_string()) : outer;
    if (!inner || (*inner)["level"].as_string() != "error") continue;
    auto time = parse_time((*inner)["time"].as_string());
    if (time && *time >= began) out = (*inner)["message"].as_string();
  }
  return out;
}

template <class Condition>
bool wait_for(Duration most, Condition condition) {
  MonotonicTime until = os::system_clock().monotonic() + most;
  while (!condition()) {
    if (os::system_clock().monotonic() >= until) return false;
    std::this_thread::sleep_for(kStep);
  }
  return true;
}

// The kernel says this of everybody whom it cannot name, so nobody who comes as this user is believed to be us.
constexpr uid_t kNobody = 65534;

Result<void> check_user_and_state(const std::string& state) {
  if (geteuid() == kNobody) {
    return Error(ErrorCode::kDenied,
                 "the daemons cannot run as the user nobody (65534), whom they could not tell from strangers; "
                 "use root or a user of their own");
  }
  if (geteuid() == 0 && (state == "/tmp" || state.starts_with("/tmp/"))) {
    return Error(
        ErrorCode::kInvalid,
        fmt::format("the state may not be in {}: services get a /tmp of their own and would not see their programs; "
                    "use --state /var/lib/freehold/NAME",
                    state));
  }
  return {};
}

// They may be starting just now.
Result<void> await_units(Session& session) {
  bool coming = session.answers(Session::Need::kAlive);
  if (coming && wait_for(kStartTime, [&] { return session.answers(Session::Need::kReady) || !session.attend(); }))
    return session.attend();
  return Error(ErrorCode::kUnavailable,
               coming ? "control answers, but has no agent; see: systemctl status freehold-agent"
                      : "the daemons of this machine do not run; start them: systemctl start freehold");
}

}  // namespace

Result<void> ensure_daemons(Session& session) {
  if (session.answers(Session::Need::kReady)) return {};
  const model::Layout& layout = session.layout();
  if (is_machine_state(layout)) return await_units(session);
  FH_TRY(check_user_and_state(layout.root));
  os::Disk& disk = os::system_disk();
  FH_TRY(disk.make_directories(os::parent_path(layout.root), 0755));
  FH_TRY(disk.make_directories(layout.root, 0755));
  FH_TRY(disk.make_directories(layout.platform_logs(), 0750));
  std::string log = layout.platform_logs() + "/agent.log";
  bool started = false;
  if (lock_is_free(layout.agent_lock())) {
    FH_ASSIGN(std::string program, os::own_executable());
    // Where it is now may not be where the caller's relative paths lead from later.
    os::SpawnOptions options;
    options.words = {program, "daemon", "watcher", layout.root};
    options.environment = environment_of_daemons();
    options.standard_output = log;
    options.new_session = true;
    FH_TRY(os::spawn(options));
    started = true;
  }
  WallTime began = os::system_clock().wall();
  MonotonicTime patience = os::system_clock().monotonic() + kPatience;
  std::string refusal;
  bool up = wait_for(kStartTime, [&] {
    if (session.answers(Session::Need::kReady)) return true;
    if (os::system_clock().monotonic() > patience)
      refusal = last_error(layout.platform_logs() + "/freehold.control.log", began);
    return !refusal.empty() || !session.attend();
  });
  auto attended = session.attend();
  if (attended && up && refusal.empty()) return {};
  // What we started for nothing goes again; what runs already is left alone.
  Instances instances = !attended && session.invocation().foreground ? Instances::kStop : Instances::kLeave;
  if (started) wait_for(kPatience, [&] { return finish_by_agent(session, instances).ok(); });
  FH_TRY(std::move(attended));
  if (!refusal.empty()) return Error(ErrorCode::kInternal, fmt::format("control does not start: {}", refusal));
  return Error(ErrorCode::kInternal, fmt::format("the daemons did not come up within {}; the last lines of {}:\n{}",
                                                 format_short(kStartTime), log, last_lines(log, 10)));
}

Result<void> finish_by_agent(Session& session, Instances instances) {
  FH_ASSIGN(net::SocketAddress address, net::SocketAddress::unix_path(session.layout().agent_socket()));
  auto socket = net::connect_blocking(address, kConnectTime);
  if (!socket) return Error(ErrorCode::kUnavailable, fmt::format("nothing answers at {}", session.layout().root));
  link::Hello hello;
  hello.role = "cli";
  std::string bytes;
  for (const std::string& message :
       {link::encode(link::kHello, hello), link::encode(link::kFinish, link::Finish{instances == Instances::kLeave})}) {
    net::FrameHeader header = net::encode_frame_header(static_cast<uint32_t>(message.size()), 0);
    bytes.append(header.begin(), header.end());
    bytes += message;
  }
  ssize_t sent = send(socket->get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(bytes.size())) return errno_error("cannot speak to the agent", errno);
  // The agent closes when it is done, or says why not, and then it does not close.
  net::FrameDecoder decoder;
  char answer[4096];
  for (ssize_t got = 0; (got = recv(socket->get(), answer, sizeof answer, 0)) > 0;) {
    std::string_view input(answer, static_cast<size_t>(got));
    FH_ASSIGN(std::optional<net::Frame> frame, decoder.decode(input));
    if (!frame) continue;
    FH_ASSIGN(link::Message message, link::decode(frame->bytes));
    FH_ASSIGN(link::Refused refused, codec::from_json<link::Refused>(message.body));
    return Error(ErrorCode::kDenied, fmt::format("the agent refuses: {}", refused.message));
  }
  return {};
}

bool is_gone(Session& session) {
  return lock_is_free(session.layout().agent_lock()) && !session.answers(Session::Need::kAlive);
}

bool has_stopped(Session& session) {
  return !wait_for(kPatience, [&] { return !is_gone(session) || !session.attend(); });
}

Result<void> wait_until_gone(Session& session, Duration most) {
  const model::Layout& layout = session.layout();
  bool gone = wait_for(most, [&] { return is_gone(session) || !session.attend(); });
  FH_TRY(session.attend());
  if (gone) return {};
  return Error(ErrorCode::kTimeout, fmt::format("the daemons were still there after {}; see {}", format_short(most),
                                                layout.platform_logs()));
}

}  // namespace freehold::cli
