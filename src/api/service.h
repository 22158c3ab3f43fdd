// ApiService: the REST API over a Controller, the event log and the services' logs. What it knows is one table of
// resources (resource.h), from which its OpenAPI description is written too (openapi.h, docs/operations/openapi.json).
//
// Who may: api.sock admits by peer credentials (root, the owner, members of the group `freehold`; never a hosted
// service); TCP needs the bearer token. Everything is refused unless admitted, before the body is read. Runs on
// control's loop; handlers answer at once, except those that follow.
#pragma once

#include <memory>
#include <string>

#include "api/messages.h"
#include "auth/peer.h"
#include "auth/token.h"
#include "contents/contents.h"
#include "control/controller.h"
#include "events/event_log.h"
#include "http/server.h"

namespace freehold::api {

struct Backend;

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
  // The name of who asks, or why they may not.
  Result<std::string> admit(const http::Exchange& exchange) const;
  Result<std::string> admit(const net::PeerCredentials& credentials) const;

  std::unique_ptr<Backend> backend_;
};

// What `freehold status` shows, from what control knows. Pure.
Status make_status(const control::Controller& controller);
// Of the last rollout; id 0 if there was none.
RolloutStatus make_rollout_status(const control::Controller& controller);
// Where the organisation is reached: one URL per route and path that a person would open.
std::vector<std::string> urls_of(const model::Organisation& organisation);

}  // namespace freehold::api
