// Followers: answers that go on as ndjson, a line per event, log entry or status, until the client goes. A client that
// reads slowly is waited for: nothing is read from the source meanwhile, and no more than a batch is held for it.
// Internal to api.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "http/exchange.h"
#include "runtime/timer.h"

namespace freehold::api {

class Followers;

// Owned by its Followers; ends itself when the client is gone.
class Follower {
 public:
  Follower(runtime::Loop& loop, std::shared_ptr<http::Exchange> exchange, Duration rhythm);
  virtual ~Follower() = default;

 protected:
  // Writes what is new, as long as write() says that there is room; false to stop for good.
  virtual bool write_more() = 0;
  // False: the client has to read first. write_more() is called again when it has.
  bool write(std::string_view text);
  // There may be something new.
  void wake(Duration after = Duration::zero());

 private:
  friend class Followers;
  void begin(Followers& owner);
  // Control's state has changed.
  virtual void on_change() {}
  void on_timer(int);

  Followers* owner_ = nullptr;
  std::shared_ptr<http::Exchange> exchange_;
  Duration rhythm_;  // looks for more at least this often
  runtime::Timer timer_;
  bool ended_ = false;
  bool awake_ = false;  // the timer was started by wake()
  bool full_ = false;   // the client has to read first
};

class Followers {
 public:
  void begin(std::unique_ptr<Follower> follower);
  void end(Follower* follower);
  // Control's state has changed.
  void tell();

 private:
  std::vector<std::unique_ptr<Follower>> all_;
  std::vector<std::unique_ptr<Follower>> ended_;
};

}  // namespace freehold::api
