// The lock that a change holds from its first step to its last.
#include "api/work.h"

namespace freehold::api {
namespace {

Result<control::Lock> lock(const Call& call) { return call.backend.controller.lock(); }

Result<control::Lock> release(const Call& call, const ReleaseRequest& request) {
  using Release = control::Controller::Release;
  return call.backend.controller.release_lock(request.force ? Release::kForced : Release::kIfGone, call.who);
}

}  // namespace

std::vector<Resource> resources_of_the_lock() {
  return {{.path = "/v1/lock",
           .name = "getLock",
           .group = "looking",
           .summary = "Who is changing something, since when, and what",
           .work = json<&lock>()},
          {.method = http::Method::kPost,
           .path = "/v1/lock/release",
           .name = "releaseLock",
           .group = "changing",
           .summary = "End what does not end by itself",
           .more = "Refused while the holder of the lock goes on, unless it is forced: then the rollout ends where it "
                   "stands, as failed.",
           .work = json<&release>(),
           .refusals = {409, 507}}};
}

}  // namespace freehold::api
