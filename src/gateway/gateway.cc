#include "gateway/gateway.h"

#include <fmt/core.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>

#include "base/log.h"

namespace freehold::gateway {
namespace {

constexpr uint32_t kMostCores = 64;

// The kernel's number of the socket behind a descriptor: whether two descriptors are the same socket.
uint64_t socket_cookie(int fd) {
  uint64_t cookie = 0;
  socklen_t length = sizeof(cookie);
  return ::getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length) == 0 ? cookie : 0;
}

void add(model::GatewayCounters& sum, const Counters& core) {
  for (size_t i = 0; i < core.requests.size(); ++i) sum.requests[i] += core.requests[i].get();
  sum.in_flight += core.in_flight.get();
  sum.connections += core.connections.get();
  sum.accepted += core.accepted.get();
  sum.shed += core.shed.get();
  sum.tunnels += core.tunnels.get();
  sum.retries += core.retries.get();
  sum.upstream_connects += core.upstream_connects.get();
  sum.upstream_failures += core.upstream_failures.get();
  sum.bytes_received += core.bytes_received.get();
  sum.bytes_sent += core.bytes_sent.get();
  sum.log_dropped += core.log_dropped.get();
}

// Shells and systemd give 1024 unless asked for more, which is little for connections that take two each.
void raise_most_files() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &files) != 0) {
    log_warning("gateway", "open files stay limited: {}", errno_error("setrlimit", errno).message());
  }
}

}  // namespace

struct Gateway::Thread {
  std::unique_ptr<Core> core;
  std::thread thread;
  uint64_t revision = 0;                     // applied
  std::map<std::string, uint64_t> draining;  // as last reported
};

Result<std::unique_ptr<Gateway>> Gateway::create(GatewayOptions options) {
  // The link is quiet; which engine it runs on matters to nobody.
  FH_ASSIGN(auto loop, runtime::Loop::create(runtime::Backend::kEpoll));
  return std::unique_ptr<Gateway>(new Gateway(std::move(options), std::move(loop)));
}

Gateway::Gateway(GatewayOptions options, std::unique_ptr<runtime::Loop> loop)
    : options_(std::move(options)), loop_(std::move(loop)), watchdog_(*loop_, options_.manager) {
  link_ = std::make_unique<AgentLink>(
      *loop_, options_.agent_socket,
      AgentLink::Handlers{[this](std::vector<int>& fds) { return hello(fds); },
                          [this](std::vector<HeldListener> listeners) { on_listeners(std::move(listeners)); },
                          [this](const model::GatewaySnapshot& snapshot) { on_snapshot(snapshot); }});
}

Gateway::~Gateway() {
  for (auto& thread : threads_) {
    thread->core->loop().stop();
    thread->thread.join();
  }
}

void Gateway::run() {
  link_->start();
  loop_->run();
}

void Gateway::stop() {
  loop_->post([this] { begin_stop(); });
}

void Gateway::stop_on(os::Fd signals) {
  signals_ = std::move(signals);
  signal_watcher_ =
      std::make_unique<runtime::Watcher>(*loop_, signals_.get(), runtime::complete<&Gateway::on_signal>(this));
}

void Gateway::on_signal(int /*result*/) {
  signal_watcher_.reset();
  begin_stop();
}

model::GatewayHello Gateway::hello(std::vector<int>& fds) {
  model::GatewayHello hello;
  hello.pid = ::getpid();
  hello.revision = acknowledged_;
  for (const HeldListener& listener : listeners_) {
    hello.listeners.push_back(listener.what);
    fds.push_back(listener.fd.get());
  }
  return hello;
}

void Gateway::on_listeners(std::vector<HeldListener> listeners) {
  if (stopping_) return;
  std::vector<HeldListener> before = std::move(listeners_);
  listeners_.clear();
  for (HeldListener& listener : listeners) {
    // The same socket under the descriptor that we have: connections waiting on it need not be accepted anew.
    auto same = std::ranges::find_if(before, [&listener](const HeldListener& held) {
      return held.fd && held.what == listener.what && socket_cookie(held.fd.get()) == socket_cookie(listener.fd.get());
    });
    listeners_.push_back(same == before.end() ? std::move(listener) : std::move(*same));
  }
  // Descriptors that are left over must stay open until every core has stopped to accept from them.
  auto left = std::make_shared<std::vector<HeldListener>>();
  for (HeldListener& held : before) {
    if (held.fd) left->push_back(std::move(held));
  }
  share_listeners();
  for (auto& thread : threads_) thread->core->loop().post([left] {});
}

void Gateway::share_listeners() {
  std::vector<CoreListener> all;
  for (const HeldListener& listener : listeners_) all.push_back({listener.fd.get(), listener.what.service});
  for (auto& thread : threads_) {
    Core* core = thread->core.get();
    core->loop().post([core, all] { core->set_listeners(all); });
  }
}

void Gateway::on_snapshot(const model::GatewaySnapshot& snapshot) {
  if (stopping_) return;
  const uint32_t cores = std::clamp<uint32_t>(snapshot.routing.gateway.cores, 1, kMostCores);
  if (threads_.empty()) {
    start_cores(cores);
    if (threads_.empty()) return;
  } else if (threads_.size() != cores) {
    log_warning("gateway", "gateway.cores is {} now; it stays {} until the gateway is started again", cores,
                threads_.size());
  }
  revision_ = snapshot.revision;
  std::shared_ptr<const RouteTable> table = RouteTable::compile(snapshot);
  const model::LogFiles files = model::log_files(snapshot.routing.keep.logs, AccessLog::kUsualFiles);
  for (auto& thread : threads_) {
    Core* core = thread->core.get();
    core->loop().post([core, table, files] {
      core->apply(table);
      if (core->access_log() != nullptr) core->access_log()->bound(files);
    });
  }
  // After the first table, so that no connection is accepted before there is something to answer it.
  share_listeners();
}

void Gateway::start_cores(uint32_t count) {
  for (uint32_t index = 0; index < count; ++index) {
    CoreOptions core_options;
    core_options.limits = options_.limits;
    core_options.backend = options_.backend;
    core_options.index = index;
    if (!options_.access_log.empty()) core_options.access_log = fmt::format("{}.{}.log", options_.access_log, index);
    core_options.on_status = [this, index](uint64_t revision, std::map<std::string, uint64_t> draining) {
      loop_->post([this, index, revision, draining = std::move(draining)]() mutable {
        core_reported(index, revision, std::move(draining));
      });
    };
    auto core = Core::create(std::move(core_options));
    if (!core) {
      log_error("gateway", "core {} cannot start: {}", index, core.error().message());
      break;
    }
    threads_.push_back(std::make_unique<Thread>());
    Thread& thread = *threads_.back();
    thread.core = *std::move(core);
  }
  std::vector<Core*> all;
  for (auto& thread : threads_) all.push_back(thread->core.get());
  for (auto& thread : threads_) {
    Core* core = thread->core.get();
    std::vector<Core*> peers = all;
    std::erase(peers, core);
    core->set_peers(std::move(peers));
    watchdog_.also(core->loop());
    thread->thread = std::thread([core] { core->run(); });
  }
}

void Gateway::core_reported(size_t index, uint64_t revision, std::map<std::string, uint64_t> draining) {
  threads_[index]->revision = revision;
  threads_[index]->draining = std::move(draining);
  const bool all = std::ranges::all_of(threads_, [this](const auto& thread) { return thread->revision == revision_; });
  if (!all) return;
  if (acknowledged_ == 0) options_.manager.say("READY=1");
  acknowledged_ = revision_;
  link_->send(status());
}

model::GatewayStatus Gateway::status() const {
  model::GatewayStatus status;
  status.revision = acknowledged_;
  for (const auto& thread : threads_) {
    for (const auto& [instance, count] : thread->draining) status.in_flight[instance] += count;
    add(status.counters, thread->core->counters());
  }
  return status;
}

void Gateway::begin_stop() {
  if (stopping_) return;
  stopping_ = true;
  cores_draining_ = threads_.size();
  if (threads_.empty()) return loop_->stop();
  for (auto& thread : threads_) {
    Core* core = thread->core.get();
    core->loop().post(
        [this, core] { core->drain(options_.drain, [this] { loop_->post([this] { core_drained(); }); }); });
  }
}

void Gateway::core_drained() {
  if (--cores_draining_ == 0) loop_->stop();
}

Result<void> run_gateway(GatewayOptions options) {
  raise_most_files();
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGTERM);
  sigaddset(&ending, SIGINT);
  // Before any thread is started, so that all of them have them blocked.
  if (::pthread_sigmask(SIG_BLOCK, &ending, nullptr) != 0) return errno_error("cannot block signals", errno);
  os::Fd signals(::signalfd(-1, &ending, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals) return errno_error("cannot create a signal descriptor", errno);
  FH_ASSIGN(std::unique_ptr<Gateway> gateway, Gateway::create(std::move(options)));
  gateway->stop_on(std::move(signals));
  gateway->run();
  return {};
}

}  // namespace freehold::gateway
