// ApiService: the REST API over a Controller, the event log and the services' logs. api/messages.h lists its resources.
//
// Who may: api.sock admits by peer credentials (root, the owner, members of the group `freehold`; never a hosted
// service); TCP needs the bearer token. Everything is refused unless admitted, before the body is read. Runs on
// control's loop; handlers answer at once, except those that follow.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/messages.h"
#include "auth/peer.h"
#include "auth/token.h"
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
    const auth::ApiToken* token = nullptr;  // for TCP; null: TCP is refused
    auth::PeerPolicy peers;
  };
  ApiService(runtime::Loop& loop, control::Controller& controller, contents::ContentStore& contents,
             events::EventLog& events, Options options);
  ~ApiService() override;

  void on_request(std::shared_ptr<http::Exchange> exchange) override;
  // Who is admitted by what the kernel says of them.
  bool is_known(const http::Peer& peer) const override;

 private:
  friend class Follower;
  struct Call;  // one request on its way: exchange, decoded path, who asks
  using Answer = Result<http::Response>;

  // The name of who asks, or why they may not.
  Result<std::string> admit(const http::Exchange& exchange) const;
  Result<std::string> admit(const net::PeerCredentials& credentials) const;
  void get(Call& call);
  void post(const std::shared_ptr<Call>& call);
  Answer change(const Call& call, const codec::Json& body);
  Answer apply(const Call& call, const codec::Json& body);
  void upload(Call& call);

  Answer status_answer();
  Answer generations_answer(const Call& call);
  Answer generation_answer(const Call& call, const std::string& number);
  Answer diff_answer(const Call& call);
  Answer rollout_answer();
  Answer metrics_answer();
  Answer readiness_answer();
  void follow(std::unique_ptr<Follower> follower);
  void end_follower(Follower* follower);
  void tell_followers();
  void follow_status(Call& call);
  void follow_events(Call& call);
  void follow_logs(Call& call);
  std::vector<std::string> services_with_logs() const;

  runtime::Loop& loop_;
  control::Controller& controller_;
  contents::ContentStore& contents_;
  events::EventLog& events_;
  Options options_;
  std::vector<std::unique_ptr<Follower>> followers_;
  std::vector<std::unique_ptr<Follower>> ended_followers_;
  std::map<std::string, uint64_t> requests_;  // by method, for /metrics
};

// What `freehold status` shows, from what control knows. Pure.
Status make_status(const control::Controller& controller);
// Where the organisation is reached: one URL per route and path that a person would open.
std::vector<std::string> urls_of(const model::Organisation& organisation);

}  // namespace freehold::api
