// Followers: answers that go on as ndjson, a line per event, log entry or status, until the client goes. A client that
// reads slowly is waited for: nothing is read from the source meanwhile, and no more than a batch is held for it.
// Internal to api.
#pragma once

#include <memory>
#include <string>

#include "api/call.h"

namespace freehold::api {

// Owned by the service; ends itself when the client is gone.
class Follower {
 public:
  Follower(ApiService& service, std::shared_ptr<http::Exchange> exchange, Duration rhythm);
  virtual ~Follower() = default;
  void begin();

 protected:
  // Writes what is new, as long as write() says that there is room; false to stop for good.
  virtual bool write_more() = 0;
  // False: the client has to read first. write_more() is called again when it has.
  bool write(std::string_view text);
  // There may be something new.
  void wake(Duration after = Duration::zero());
  ApiService& service_;
  std::shared_ptr<http::Exchange> exchange_;

 private:
  friend class ApiService;
  // Control's state has changed.
  virtual void on_change() {}
  void on_timer(int);
  Duration rhythm_;  // looks for more at least this often
  runtime::Timer timer_;
  bool ended_ = false;
  bool awake_ = false;  // the timer was started by wake()
  bool full_ = false;   // the client has to read first
};

codec::Json event_json(const events::Event& event);

}  // namespace freehold::api
