#include "agent/prober.h"

#include <fcntl.h>
#include <fmt/core.h>

#include <cstring>

#include "net/address.h"
#include "net/connect.h"

namespace freehold::agent {

class HealthProber::Probe {
 public:
  Probe(HealthProber& owner, const ProbeRequest& request, Answer done)
      : id(request.id), answer(std::move(done)), owner_(owner) {}
  virtual ~Probe() = default;
  virtual bool may_go() const { return true; }
  virtual void stop() {}

  std::string id;
  Answer answer;

 protected:
  void tell(bool well, std::string reason) { owner_.answered(*this, well, std::move(reason)); }
  HealthProber& owner_;
};

class HealthProber::HttpProbe : public Probe {
 public:
  HttpProbe(HealthProber& owner, const ProbeRequest& request, Answer done) : Probe(owner, request, std::move(done)) {
    http::FetchOptions options;
    options.address = net::SocketAddress::loopback(request.port);
    options.request.target = request.health.path;
    options.request.fields = {{"User-Agent", "freehold-health"}};
    options.deadline = request.health.timeout;
    options.most_body = 1024;
    fetch_ = std::make_unique<http::Fetch>(
        owner.loop_, std::move(options), [this, path = request.health.path](Result<http::ClientResponse> got) {
          if (!got) return tell(false, fmt::format("health: {}", got.error().message()));
          bool well = got->status >= 200 && got->status < 400;
          tell(well, well ? "" : fmt::format("health: {} from {}", got->status, path));
        });
  }

 private:
  std::unique_ptr<http::Fetch> fetch_;
};

class HealthProber::TcpProbe : public Probe {
 public:
  TcpProbe(HealthProber& owner, const ProbeRequest& request, Answer done)
      : Probe(owner, request, std::move(done)),
        deadline_(owner.loop_, runtime::complete<&TcpProbe::on_deadline>(this)) {
    net::SocketAddress address = net::SocketAddress::loopback(request.port);
    deadline_.start(request.health.timeout);
    auto socket = net::create_stream_socket(address);
    if (!socket) return;  // out of descriptors: the deadline answers
    stream_ = std::make_unique<runtime::Stream>(owner.loop_, *std::move(socket));
    sockaddr_storage storage{};
    socklen_t length = address.to_kernel(storage);
    stream_->connect(reinterpret_cast<const sockaddr*>(&storage), length,
                     runtime::complete<&TcpProbe::on_connected>(this));
  }
  bool may_go() const override { return !stream_ || stream_->idle(); }
  void stop() override {
    deadline_.cancel();
    if (stream_) stream_->close();
  }

 private:
  void on_connected(int result) {
    if (result == -ECANCELED) return;
    tell(result == 0, result == 0 ? "" : fmt::format("health: cannot connect: {}", strerror(-result)));
  }
  void on_deadline(int) { tell(false, "health: no connection in time"); }

  std::unique_ptr<runtime::Stream> stream_;
  runtime::Timer deadline_;
};

class HealthProber::ExecProbe : public Probe {
 public:
  ExecProbe(HealthProber& owner, const ProbeRequest& request, Answer done)
      : Probe(owner, request, std::move(done)),
        deadline_(owner.loop_, runtime::complete<&ExecProbe::on_deadline>(this)) {
    deadline_.start(request.health.timeout);
    auto command = owner.start_command_(request.id, request.health.command);
    if (!command) {
      failure_ = command.error().message();
      deadline_.start(Duration::zero());
      return;
    }
    command_ = *std::move(command);
    watcher_ = std::make_unique<runtime::Watcher>(owner.loop_, command_->pidfd.get(),
                                                  runtime::complete<&ExecProbe::on_ended>(this));
  }
  void stop() override {
    deadline_.cancel();
    watcher_.reset();
    if (!command_) return;
    owner_.kill_command_(*std::move(command_));
    command_.reset();
  }

 private:
  void on_ended(int) {
    auto exit = Launcher::finished(*command_);
    if (!exit) return;
    watcher_.reset();
    command_.reset();
    bool well = exit->code == 0 && exit->signal == 0;
    tell(well, well ? ""
                    : fmt::format("health: the command ended with {} {}", exit->signal != 0 ? "signal" : "exit code",
                                  exit->signal != 0 ? exit->signal : exit->code));
  }
  void on_deadline(int) { tell(false, failure_.empty() ? "health: the command took too long" : "health: " + failure_); }

  std::optional<Command> command_;
  std::unique_ptr<runtime::Watcher> watcher_;
  runtime::Timer deadline_;
  std::string failure_;
};

HealthProber::HealthProber(runtime::Loop& loop, StartCommand start_command, KillCommand kill_command)
    : loop_(loop), start_command_(std::move(start_command)), kill_command_(std::move(kill_command)) {}
HealthProber::~HealthProber() = default;

void HealthProber::probe(const ProbeRequest& request, Answer answer) {
  std::erase_if(ending_, [](const auto& probe) { return probe->may_go(); });
  cancel(request.id);
  std::unique_ptr<Probe> probe;
  switch (request.health.kind) {
    case model::HealthKind::kHttp:
      probe = std::make_unique<HttpProbe>(*this, request, std::move(answer));
      break;
    case model::HealthKind::kTcp:
      probe = std::make_unique<TcpProbe>(*this, request, std::move(answer));
      break;
    case model::HealthKind::kExec:
      probe = std::make_unique<ExecProbe>(*this, request, std::move(answer));
      break;
    case model::HealthKind::kNone:
      return;
  }
  probes_[request.id] = std::move(probe);
}

void HealthProber::cancel(const std::string& id) {
  auto found = probes_.find(id);
  if (found == probes_.end()) return;
  found->second->stop();
  ending_.push_back(std::move(found->second));
  probes_.erase(found);
}

void HealthProber::answered(Probe& probe, bool well, std::string reason) {
  Answer answer = std::move(probe.answer);
  cancel(probe.id);  // keeps the object: it is in the middle of a call
  answer(well, std::move(reason));
}

}  // namespace freehold::agent
