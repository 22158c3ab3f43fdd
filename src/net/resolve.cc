#include "net/resolve.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <deque>
#include <map>
#include <utility>

#include "base/text.h"
#include "net/dns_channel.h"

namespace freehold::net {
namespace {

constexpr size_t kLongestName = 253;  // RFC 1035, 2.3.4, without the root's dot
constexpr const char* kSettings = "/etc/resolv.conf";

struct Version {
  timespec changed{};
  ino_t inode = 0;
  bool operator==(const Version& other) const {
    return changed.tv_sec == other.changed.tv_sec && changed.tv_nsec == other.changed.tv_nsec && inode == other.inode;
  }
};

Version settings_version() {
  struct stat status{};
  if (stat(kSettings, &status) != 0) return {};
  return {status.st_mtim, status.st_ino};
}

bool is_host_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty() || name.size() > kLongestName || name.front() == '.' || name.find("..") != std::string_view::npos)
    return false;
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

}  // namespace

class Resolver::Implementation {
 public:
  Implementation(runtime::Loop& loop, const ResolverOptions& options, std::unique_ptr<DnsChannel> channel)
      : loop_(loop),
        options_(options),
        channel_(std::move(channel)),
        deliver_(loop, runtime::complete<&Implementation::on_deliver>(this)) {}
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;
  ~Implementation() {
    if (destroyed_ != nullptr) *destroyed_ = true;
  }

  Id resolve(std::string_view text, uint16_t port, Handler handler) {
    const Id id = ++last_id_;
    if (waiting_ >= options_.most_waiting) {
      // Not counted: else the answer that there are too many would keep them too many.
      finish({id, port, std::move(handler), false}, Error(ErrorCode::kExhausted, "too many names are being resolved"));
      return id;
    }
    ++waiting_;
    Waiting waiting{id, port, std::move(handler), true};
    const std::string name = to_lower(text);
    if (auto numeric = SocketAddress::parse_ip(text, port)) {
      finish(std::move(waiting), Addresses{*std::move(numeric)});
    } else if (!is_host_name(name)) {
      const auto shown = text.substr(0, kLongestName);
      finish(std::move(waiting), Error(ErrorCode::kInvalid, fmt::format("'{}' is no host name", shown)));
    } else {
      look_up(name, std::move(waiting));
    }
    return id;
  }

  void cancel(Id id) {
    const auto is_it = [id](const auto& each) { return each.id == id; };
    for (auto& [name, entry] : entries_) {
      waiting_ -= std::erase_if(entry.waiting, is_it);
    }
    for (auto done = finished_.begin(); done != finished_.end(); ++done) {
      if (done->first.id != id) continue;
      if (done->first.counted) --waiting_;
      finished_.erase(done);
      return;
    }
  }

 private:
  struct Waiting {
    Id id;
    uint16_t port;
    Handler handler;
    bool counted;
  };
  struct Entry {
    Result<Addresses> result = Addresses();
    MonotonicTime expires{};
    bool asking = false;
    std::vector<Waiting> waiting;
  };

  void look_up(const std::string& name, Waiting waiting) {
    auto found = entries_.find(name);
    if (found == entries_.end()) {
      make_room();
      found = entries_.try_emplace(name).first;
    }
    Entry& entry = found->second;
    if (!entry.asking && entry.expires > loop_.clock().monotonic()) {
      return finish(std::move(waiting), entry.result);
    }
    entry.waiting.push_back(std::move(waiting));
    if (entry.asking) return;
    entry.asking = true;
    read_settings_if_changed();
    channel_->ask(name, [this, name](Result<DnsAnswer> answer) { on_answer(name, std::move(answer)); });
  }

  void on_answer(const std::string& name, Result<DnsAnswer> answer) {
    Entry& entry = entries_.at(name);
    Duration ttl = options_.failure_ttl;
    if (answer) {
      ttl = std::clamp(answer->ttl, options_.least_ttl, options_.most_ttl);
      entry.result = std::move(answer->addresses);
    } else {
      entry.result = answer.error();
    }
    entry.asking = false;
    entry.expires = loop_.clock().monotonic() + ttl;
    for (Waiting& waiting : std::exchange(entry.waiting, {})) finish(std::move(waiting), entry.result);
  }

  // Handlers are called from a turn of their own: the library must not be entered again from within its callback.
  void finish(Waiting waiting, Result<Addresses> result) {
    if (result) {
      for (SocketAddress& address : *result) address.set_port(waiting.port);
    }
    finished_.emplace_back(std::move(waiting), std::move(result));
    deliver_.start(Duration::zero());
  }

  void on_deliver(int) {
    bool destroyed = false;
    destroyed_ = &destroyed;
    // One at a time: a handler may cancel another, or destroy the resolver.
    for (size_t left = finished_.size(); left > 0 && !finished_.empty(); --left) {
      auto [waiting, result] = std::move(finished_.front());
      finished_.pop_front();
      if (waiting.counted) --waiting_;
      waiting.handler(std::move(result));
      if (destroyed) return;
    }
    destroyed_ = nullptr;
    if (!finished_.empty()) deliver_.start(Duration::zero());
  }

  void make_room() {
    if (entries_.size() < options_.most_names) return;
    const MonotonicTime now = loop_.clock().monotonic();
    std::erase_if(entries_, [&](const auto& item) { return !item.second.asking && item.second.expires <= now; });
    if (entries_.size() < options_.most_names) return;
    // All are fresh: any one is as good as another to be asked again. Those being asked are bounded by most_waiting.
    const auto settled = std::ranges::find_if(entries_, [](const auto& item) { return !item.second.asking; });
    if (settled != entries_.end()) entries_.erase(settled);
  }

  void read_settings_if_changed() {
    const Version version = settings_version();
    if (version == version_ || channel_->busy()) return;
    version_ = version;
    // Settings that cannot be read leave the former ones in force.
    if (auto fresh = DnsChannel::create(loop_, options_)) channel_ = *std::move(fresh);
  }

  runtime::Loop& loop_;
  ResolverOptions options_;
  Version version_ = settings_version();
  std::map<std::string, Entry, std::less<>> entries_;
  std::deque<std::pair<Waiting, Result<Addresses>>> finished_;
  std::unique_ptr<DnsChannel> channel_;
  runtime::Timer deliver_;
  Id last_id_ = 0;
  size_t waiting_ = 0;
  bool* destroyed_ = nullptr;  // set while handlers run
};

Result<std::unique_ptr<Resolver>> Resolver::create(runtime::Loop& loop, const ResolverOptions& options) {
  FH_ASSIGN(auto channel, DnsChannel::create(loop, options));
  return std::unique_ptr<Resolver>(new Resolver(std::make_unique<Implementation>(loop, options, std::move(channel))));
}

Resolver::Resolver(std::unique_ptr<Implementation> implementation) : implementation_(std::move(implementation)) {}
Resolver::~Resolver() = default;

Resolver::Id Resolver::resolve(std::string_view name, uint16_t port, Handler handler) {
  return implementation_->resolve(name, port, std::move(handler));
}

void Resolver::cancel(Id id) { implementation_->cancel(id); }

}  // namespace freehold::net
