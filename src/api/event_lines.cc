// GET /v1/events: what happened, from the newest or after an id, with or without an end.
#include <algorithm>

#include "api/going_on.h"

namespace freehold::api {
namespace {

constexpr size_t kPage = 500;
constexpr uint64_t kUsual = 100;
constexpr Duration kSilence = std::chrono::seconds(15);

std::string line_of(const events::Event& event) {
  EventLine line{.id = event.id.value,
                 .time = format_time(event.time),
                 .kind = event.kind,
                 .subject = event.subject,
                 .message = event.message};
  if (!event.cause.empty()) line.cause = event.cause;
  if (!event.actor.empty()) line.actor = event.actor;
  if (!event.detail.is_null()) line.detail = event.detail;
  return codec::to_json(line).dump() + "\n";
}

// Goes on after an id; woken by the log itself.
class EventFollower : public Follower {
 public:
  EventFollower(runtime::Loop& loop, std::shared_ptr<http::Exchange> exchange, events::EventLog& log,
                events::EventQuery query)
      : Follower(loop, std::move(exchange), kSilence), log_(log), query_(std::move(query)) {
    subscription_ = log.subscribe([this](std::span<const events::Event>) { wake(); });
  }

 protected:
  bool write_more() override {
    for (;;) {
      auto page = log_.query(query_);
      if (!page) return false;
      for (const events::Event& event : page->events) {
        query_.after = event.id;
        if (!write(line_of(event))) return true;
      }
      if (!page->more) return true;
    }
  }

 private:
  events::EventLog& log_;
  events::EventQuery query_;
  store::Subscription subscription_;
};

Answer answer_with(const events::EventPage& page) {
  std::string body;
  for (const events::Event& event : page.events) body += line_of(event);
  return http::response_of(200, kLinesType, std::move(body));
}

// What is asked for, whole.
Answer whole(const Call& call, events::EventQuery query, uint64_t last) {
  if (last == 0) return answer_with({});
  bool newest = call.has("last") || !call.has("after");
  query.order = newest ? events::Order::kNewest : events::Order::kOldest;
  query.limit = newest ? last : events::EventLog::kMostEvents;
  FH_ASSIGN(events::EventPage page, call.backend.events.query(query));
  return answer_with(page);
}

// Where a stream begins that starts with the last so many.
Result<events::EventId> begin_of_last(const Call& call, events::EventQuery query, uint64_t last) {
  events::EventId after = query.after;
  query.order = events::Order::kNewest;
  query.limit = std::max<uint64_t>(last, 1);
  FH_ASSIGN(events::EventPage page, call.backend.events.query(query));
  if (page.events.empty()) return after;
  return last == 0 ? page.events.back().id : events::EventId{page.events.front().id.value - 1};
}

}  // namespace

void event_lines(const std::shared_ptr<Call>& call) {
  events::EventQuery query;
  query.subject = call->text("subject");
  query.kind = call->text("kind");
  query.after = events::EventId{call->number("after").value_or(0)};
  uint64_t last = std::min<uint64_t>(call->number("last").value_or(kUsual), events::EventLog::kMostEvents);
  if (!call->flag("follow")) return call->respond(whole(*call, std::move(query), last));
  if (call->has("last") || !call->has("after")) {
    auto begin = begin_of_last(*call, query, last);
    if (!begin) return call->respond(begin.error());
    query.after = *begin;
  }
  query.limit = kPage;
  Backend& backend = call->backend;
  backend.followers.begin(
      std::make_unique<EventFollower>(backend.loop, call->exchange, backend.events, std::move(query)));
}

}  // namespace freehold::api
