#include "app/control_process.h"

#include <fmt/core.h>
#include <grp.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>

#include "api/service.h"
#include "app/event_bridge.h"
#include "auth/seal.h"
#include "control/controller.h"
#include "control/node_link.h"
#include "http/server.h"
#include "model/layout.h"
#include "net/listen.h"
#include "os/process.h"
#include "os/user.h"
#include "runtime/watchdog.h"
#include "store/sqlite_store.h"

namespace freehold::app {
namespace {

constexpr Duration kDrain = std::chrono::seconds(2);

class SealedSecrets : public control::SecretBox {
 public:
  explicit SealedSecrets(auth::Sealer sealer) : sealer_(std::move(sealer)) {}
  Result<std::string> seal(const std::string& name, const std::string& value) override {
    return sealer_.seal(name, value);
  }
  Result<std::string> hash(const std::string& name, const std::string& value) override {
    return sealer_.hash(name, value);
  }

 private:
  auth::Sealer sealer_;
};

Result<auth::PeerPolicy> peer_policy(os::Disk& disk, const ControlOptions& options) {
  auth::PeerPolicy policy;
  const std::string& hosted = options.hosted;
  policy.owner = geteuid();
  if (const group* found = getgrnam("freehold")) policy.groups.push_back(found->gr_gid);
  if (hosted == ControlOptions::kRegistered) {
    FH_ASSIGN(os::UidBlock block, os::UserRange::block_of(disk, os::UserRange::kRegistry, options.state));
    policy.hosted = auth::UidRange{block.first, block.last};
    return policy;
  }
  size_t dash = hosted.find('-');
  if (dash != std::string::npos) {
    auth::UidRange range;
    std::from_chars(hosted.data(), hosted.data() + dash, range.first);
    std::from_chars(hosted.data() + dash + 1, hosted.data() + hosted.size(), range.last);
    policy.hosted = range;
  }
  return policy;
}

// systemd's, which outlives us and keeps those who knock meanwhile, or our own.
Result<os::Fd> api_socket(const model::Layout& layout, os::ServiceManager& manager) {
  std::vector<os::Fd> given = manager.take_sockets();
  if (given.size() == 1) return std::move(given.front());
  if (given.empty()) return net::listen_unix(layout.api_socket(), 0666);
  return Error(ErrorCode::kInvalid,
               fmt::format("control was given {} sockets; its unit needs one, the API's", given.size()));
}

// FREEHOLD_API_LISTEN=127.0.0.1:9443 adds TCP, for programs on this machine that have the token. Nothing else may be
// named: without TLS the token would cross the network in the open.
Result<void> listen_on_loopback(http::Server& server) {
  const char* text = std::getenv("FREEHOLD_API_LISTEN");
  if (text == nullptr) return {};
  FH_ASSIGN(net::SocketAddress address, net::SocketAddress::parse(text));
  if (!address.is_loopback()) {
    return Error(ErrorCode::kInvalid,
                 fmt::format("FREEHOLD_API_LISTEN={}: the API listens on loopback only, such as 127.0.0.1:9443", text));
  }
  FH_ASSIGN(os::Fd socket, net::listen_tcp(address));
  return server.listen(std::move(socket));
}

// Ends the loop when a signal asks for it.
class EndOnSignal {
 public:
  EndOnSignal(runtime::Loop& loop, http::Server& server)
      : loop_(loop),
        server_(server),
        signals_(block()),
        watcher_(loop, signals_.get(), runtime::complete<&EndOnSignal::on_signal>(this)) {}

 private:
  static int block() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  }
  void on_signal(int) {
    signalfd_siginfo info{};
    if (read(signals_.get(), &info, sizeof info) != sizeof info) return;
    server_.stop(kDrain, [this] { loop_.stop(); });
  }

  runtime::Loop& loop_;
  http::Server& server_;
  os::Fd signals_;
  runtime::Watcher watcher_;
};

}  // namespace

Result<void> run_control(const ControlOptions& options, os::ServiceManager manager) {
  os::Disk& disk = os::system_disk();
  os::Clock& clock = os::system_clock();
  model::Layout layout{options.state};
  FH_ASSIGN(std::string boot_id, os::boot_id());
  FH_ASSIGN(os::ProcessId self, os::identify(getpid()));

  FH_ASSIGN(std::unique_ptr<runtime::Loop> loop, runtime::Loop::create(runtime::Backend::kEpoll));
  FH_ASSIGN(std::unique_ptr<store::Store> store, store::open_sqlite_store(disk, layout.state_database(), {}));
  FH_ASSIGN(std::unique_ptr<events::EventLog> log, events::EventLog::open(disk, clock, layout.event_database(), {}));
  FH_ASSIGN(std::unique_ptr<contents::ContentStore> contents,
            contents::ContentStore::open(disk, clock, layout.contents(), {}));
  FH_ASSIGN(auth::Sealer sealer, auth::Sealer::load(disk, os::system_random(), layout.seal_key()));
  FH_ASSIGN(auth::ApiToken token, auth::ApiToken::load_or_create(disk, os::system_random(), layout.token()));

  EventBridge events(*log);
  SealedSecrets secrets(std::move(sealer));
  FH_ASSIGN(std::unique_ptr<control::NodeLink> link, control::NodeLink::open(*loop, layout.control_socket()));
  control::Controller::Options controller_options;
  controller_options.boot_id = boot_id;
  controller_options.owner = fmt::format("control {}/{}", self.pid, self.start);
  FH_ASSIGN(
      std::unique_ptr<control::Controller> controller,
      control::Controller::open({*loop, *store, *contents, events, *link, secrets}, std::move(controller_options)));
  link->serve(*controller);

  FH_ASSIGN(auth::PeerPolicy peers, peer_policy(disk, options));
  api::ApiService service(*loop, *controller, *contents, *log, {layout.logs(), &token, std::move(peers)});
  http::Server server(*loop, service, {});
  FH_ASSIGN(os::Fd socket, api_socket(layout, manager));
  FH_TRY(server.listen(std::move(socket)));
  FH_TRY(listen_on_loopback(server));
  EndOnSignal ending(*loop, server);
  (void)events.append({"control.started", "control", fmt::format("pid {}", getpid()), "", {}}).ok();
  runtime::Watchdog watchdog(*loop, manager);
  manager.say("READY=1");
  loop->run();
  return {};
}

}  // namespace freehold::app
