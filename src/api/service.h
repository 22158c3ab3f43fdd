// ApiService: the REST API over a Controller, the event log and the services' logs. api/messages.h lists its resources.
//
// Who may: api.sock admits by peer credentials (root, the owner, members of the group `freehold`; never a hosted
// service); TCP needs the bearer token. Everything is refused unless admitted, before the body is read. Runs on
// control's loop; handlers answer at once, except those that follow.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "api/messages.h"
#include "auth/peer.h"
#include "contents/contents.h"
#include "control/controller.h"
#include "events/event_log.h"
#include "http/server.h"
#include "runtime/timer.h"

namespace freehold::api {

class Follower;

class ApiService : public http::Handler {
 public:
  struct Options {
    std::string logs_folder;
    std::string token;  // for TCP; empty: TCP is refused
    auth::PeerPolicy peers;
  };
  ApiService(runtime::Loop& loop, control::Controller& controller, contents::ContentStore& contents,
             events::EventLog& events, Options options);
  ~ApiService() override;

  void on_request(std::shared_ptr<http::Exchange> exchange) override;

 private:
  friend class Follower;
  struct Call;  // one request on its way: exchange, decoded path, who asks
  using Answer = Result<http::Response>;

  bool admit(http::Exchange& exchange, std::string& who) const;
  void dispatch(std::shared_ptr<Call> call);
  void get(Call& call);
  void post(std::shared_ptr<Call> call);
  Answer change(const Call& call, const codec::Json& body);
  void upload(Call& call);

  Answer status_answer();
  Answer generations_answer(const Call& call);
  Answer diff_answer(const Call& call);
  Answer metrics_answer();
  Answer readiness_answer();
  void follow_events(Call& call);
  void follow_logs(Call& call);

  runtime::Loop& loop_;
  control::Controller& controller_;
  contents::ContentStore& contents_;
  events::EventLog& events_;
  Options options_;
  std::set<std::shared_ptr<Follower>> followers_;
  std::map<std::string, uint64_t> requests_;  // by status class, for /metrics
};

// What `freehold status` shows, from what control knows. Pure.
Status make_status(const control::Controller& controller);
// Where the organisation is reached: one URL per route and path that a person would open.
std::vector<std::string> urls_of(const model::Organisation& organisation);

}  // namespace freehold::api
