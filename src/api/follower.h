// Followers: answers that go on as ndjson, one line per event or log entry, until the client goes. Internal to api.
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
  // Writes what is new; false to stop for good.
  virtual bool write_more() = 0;
  // There may be something new now.
  void wake();
  ApiService& service_;
  std::shared_ptr<http::Exchange> exchange_;

 private:
  friend class ApiService;
  void on_timer(int);
  Duration rhythm_;  // looks for more at least this often
  runtime::Timer timer_;
  bool ended_ = false;
};

codec::Json event_json(const events::Event& event);

}  // namespace freehold::api
