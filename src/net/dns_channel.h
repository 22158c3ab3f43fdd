// DnsChannel: c-ares on a loop. Its sockets are watched, its timeouts are a Timer; questions end in a callback,
// possibly within the call that asks. Internal to net: resolve.h is for everybody.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "net/resolve.h"
#include "runtime/stream.h"
#include "runtime/timer.h"

struct ares_channeldata;  // NOLINT(readability-identifier-naming): not our name
struct ares_addrinfo;     // NOLINT(readability-identifier-naming): not our name

namespace freehold::net {

struct DnsAnswer {
  Resolver::Addresses addresses;  // port 0
  Duration ttl{};                 // the least of all
};

class DnsChannel {
 public:
  using Handler = std::function<void(Result<DnsAnswer>)>;

  static Result<std::unique_ptr<DnsChannel>> create(runtime::Loop& loop, const ResolverOptions& options);
  DnsChannel(const DnsChannel&) = delete;
  DnsChannel& operator=(const DnsChannel&) = delete;
  ~DnsChannel();  // drops what is being asked

  void ask(const std::string& name, Handler handler);
  bool busy() const { return asking_ > 0; }

 private:
  struct Question;
  // One of the library's sockets.
  struct Socket {
    Socket(DnsChannel& owner, int number, runtime::Interest wanted);
    void on_ready(int result);
    DnsChannel& channel;
    int fd;
    runtime::Interest interest;
    runtime::Watcher watcher;
  };

  explicit DnsChannel(runtime::Loop& loop)
      : loop_(loop), timeout_(loop, runtime::complete<&DnsChannel::on_timeout>(this)) {}
  static void on_socket(void* self, int fd, int readable, int writable);
  static void on_answer(void* argument, int status, int timeouts, ares_addrinfo* result);
  void on_timeout(int result);
  void process(int readable, int writable);
  void move_timeout();

  runtime::Loop& loop_;
  runtime::Timer timeout_;
  ares_channeldata* channel_ = nullptr;
  std::map<int, std::unique_ptr<Socket>> sockets_;
  size_t asking_ = 0;
  size_t most_addresses_ = 0;
};

}  // namespace freehold::net
