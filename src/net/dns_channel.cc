#include "net/dns_channel.h"

#include <ares.h>
#include <fmt/format.h>

#include <algorithm>

namespace freehold::net {
namespace {

using std::chrono::milliseconds;

Error dns_error(const std::string& name, int status) {
  switch (status) {
    case ARES_ENOTFOUND:
    case ARES_ENODATA:
      return Error(ErrorCode::kNotFound, fmt::format("the name '{}' has no address", name));
    case ARES_EBADNAME:
      return Error(ErrorCode::kInvalid, fmt::format("'{}' is no host name", name));
    case ARES_ETIMEOUT:
      return Error(ErrorCode::kTimeout, fmt::format("no name server answered for '{}'", name));
    default:
      return Error(ErrorCode::kUnavailable, fmt::format("cannot resolve '{}': {}", name, ares_strerror(status)));
  }
}

DnsAnswer answer_of(const ares_addrinfo& result, size_t most) {
  DnsAnswer answer;
  answer.ttl = Duration::max();
  for (const ares_addrinfo_node* node = result.nodes; node != nullptr; node = node->ai_next) {
    if (answer.addresses.size() == most) break;
    auto address = SocketAddress::from_kernel(node->ai_addr, node->ai_addrlen);
    if (!address) continue;
    const Duration ttl = std::chrono::seconds(std::max(node->ai_ttl, 0));
    answer.ttl = std::min(answer.ttl, ttl);
    answer.addresses.push_back(*std::move(address));
  }
  return answer;
}

}  // namespace

struct DnsChannel::Question {
  DnsChannel& channel;
  std::string name;
  Handler handler;
};

Result<std::unique_ptr<DnsChannel>> DnsChannel::create(runtime::Loop& loop, const ResolverOptions& options) {
  static const int ready = ares_library_init(ARES_LIB_INIT_ALL);
  if (ready != ARES_SUCCESS) return Error(ErrorCode::kInternal, "c-ares does not start");
  std::unique_ptr<DnsChannel> channel(new DnsChannel(loop));
  channel->most_addresses_ = options.most_addresses;
  std::string lookups = "fb";  // the file of hosts, then the servers
  ares_options settings{};
  settings.timeout = static_cast<int>(std::chrono::ceil<milliseconds>(options.timeout).count());
  settings.tries = options.tries;
  settings.lookups = lookups.data();
  settings.sock_state_cb = &DnsChannel::on_socket;
  settings.sock_state_cb_data = channel.get();
  const int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB;
  if (const int status = ares_init_options(&channel->channel_, &settings, mask); status != ARES_SUCCESS) {
    return Error(ErrorCode::kUnavailable,
                 fmt::format("cannot read the resolver's settings: {}", ares_strerror(status)));
  }
  if (!options.servers.empty()) {
    const int status = ares_set_servers_ports_csv(channel->channel_, options.servers.c_str());
    if (status != ARES_SUCCESS) {
      return Error(ErrorCode::kInvalid,
                   fmt::format("the name servers '{}': {}", options.servers, ares_strerror(status)));
    }
  }
  return channel;
}

DnsChannel::~DnsChannel() {
  if (channel_ != nullptr) ares_destroy(channel_);
}

void DnsChannel::ask(const std::string& name, Handler handler) {
  auto question = std::make_unique<Question>(Question{*this, name, std::move(handler)});
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  ++asking_;
  ares_getaddrinfo(channel_, name.c_str(), nullptr, &hints, &DnsChannel::on_answer, question.release());
  move_timeout();
}

void DnsChannel::on_answer(void* argument, int status, int, ares_addrinfo* result) {
  const std::unique_ptr<Question> question(static_cast<Question*>(argument));
  const std::unique_ptr<ares_addrinfo, void (*)(ares_addrinfo*)> owned(result, &ares_freeaddrinfo);
  --question->channel.asking_;
  if (status == ARES_EDESTRUCTION) return;
  if (status != ARES_SUCCESS || result == nullptr) return question->handler(dns_error(question->name, status));
  DnsAnswer answer = answer_of(*result, question->channel.most_addresses_);
  if (answer.addresses.empty()) return question->handler(dns_error(question->name, ARES_ENODATA));
  question->handler(std::move(answer));
}

// c-ares says so before it closes a socket, as the watcher needs.
void DnsChannel::on_socket(void* self, int fd, int readable, int writable) {
  auto& channel = *static_cast<DnsChannel*>(self);
  if (readable == 0 && writable == 0) {
    channel.sockets_.erase(fd);
    return;
  }
  const auto interest = readable != 0 && writable != 0 ? runtime::Interest::kBoth
                        : readable != 0                ? runtime::Interest::kRead
                                                       : runtime::Interest::kWrite;
  auto& socket = channel.sockets_[fd];
  if (!socket) {
    socket = std::make_unique<Socket>(channel, fd, interest);
  } else {
    socket->interest = interest;
    socket->watcher.set_interest(interest);
  }
}

DnsChannel::Socket::Socket(DnsChannel& owner, int number, runtime::Interest wanted)
    : channel(owner),
      fd(number),
      interest(wanted),
      watcher(owner.loop_, number, runtime::complete<&Socket::on_ready>(this), wanted) {}

void DnsChannel::Socket::on_ready(int) {
  const int readable = interest == runtime::Interest::kWrite ? ARES_SOCKET_BAD : fd;
  const int writable = interest == runtime::Interest::kRead ? ARES_SOCKET_BAD : fd;
  channel.process(readable, writable);  // may destroy this
}

void DnsChannel::on_timeout(int) { process(ARES_SOCKET_BAD, ARES_SOCKET_BAD); }

void DnsChannel::process(int readable, int writable) {
  ares_process_fd(channel_, readable, writable);
  move_timeout();
}

void DnsChannel::move_timeout() {
  timeval left{};
  if (ares_timeout(channel_, nullptr, &left) == nullptr) return timeout_.cancel();
  // A moment more: the library compares with a clock of its own and would be asked in vain.
  timeout_.start(std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec) + milliseconds(1));
}

}  // namespace freehold::net
