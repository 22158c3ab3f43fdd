// ServiceManager: what a daemon owes to systemd and is given by it, by the protocols of sd_notify(3),
// sd_watchdog_enabled(3) and sd_listen_fds(3). They are datagrams and environment variables, so no library is needed.
//
//   os::ServiceManager manager = os::ServiceManager::take_from_environment();
//   ... auto sockets = manager.take_sockets(); ... manager.say("READY=1");
//
// Where nobody asks (no NOTIFY_SOCKET), every call does nothing. Who pings the watchdog is runtime::Watchdog.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "os/fd.h"

namespace freehold::os {

class ServiceManager {
 public:
  // Takes the variables out of the environment, so that no child believes them its own. At the start, before threads.
  static ServiceManager take_from_environment();

  // One or more lines of NAME=VALUE. What cannot be sent is lost: there is nobody to tell.
  void say(std::string_view state) const;
  // How long it may be silent before it is killed; none: nobody watches.
  std::optional<Duration> watchdog() const { return watchdog_; }
  // The sockets that were opened for us, in the order of their unit, closed on exec and non-blocking. Once.
  std::vector<Fd> take_sockets() { return std::move(sockets_); }

 private:
  std::string address_;  // of sun_path; abstract ones begin with a NUL
  std::optional<Duration> watchdog_;
  std::vector<Fd> sockets_;
};

}  // namespace freehold::os
