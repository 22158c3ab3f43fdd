#include "api/follower.h"

#include <fmt/core.h>

#include <algorithm>

namespace freehold::api {
namespace {

constexpr size_t kPage = 500;
constexpr Duration kSilence = std::chrono::seconds(15);
constexpr Duration kLeast = std::chrono::milliseconds(100);  // between two statuses

// Goes on after an id; woken by the log itself.
class EventFollower : public Follower {
 public:
  EventFollower(ApiService& service, events::EventLog& log, std::shared_ptr<http::Exchange> exchange,
                events::EventQuery query)
      : Follower(service, std::move(exchange), kSilence), log_(log), query_(std::move(query)) {
    subscription_ = log.subscribe([this](std::span<const events::Event>) { wake(); });
  }

 protected:
  bool write_more() override {
    for (;;) {
      auto page = log_.query(query_);
      if (!page) return false;
      for (const events::Event& event : page->events) {
        query_.after = event.id;
        if (!write(event_json(event).dump() + "\n")) return true;
      }
      if (!page->more) return true;
    }
  }

 private:
  events::EventLog& log_;
  events::EventQuery query_;
  store::Subscription subscription_;
};

// What `freehold status` shows, whole, each time that it is another.
class StatusFollower : public Follower {
 public:
  StatusFollower(ApiService& service, const control::Controller& controller, std::shared_ptr<http::Exchange> exchange)
      : Follower(service, std::move(exchange), kSilence), controller_(controller) {}

 protected:
  bool write_more() override {
    std::string text = codec::to_json(make_status(controller_)).dump() + "\n";
    if (text != last_) write(last_ = std::move(text));
    return true;
  }

 private:
  void on_change() override { wake(kLeast); }
  const control::Controller& controller_;
  std::string last_;
};

}  // namespace

codec::Json event_json(const events::Event& event) {
  codec::Json json = codec::Json::object();
  json.append("id", event.id.value);
  json.append("time", format_time(event.time));
  json.append("kind", event.kind);
  json.append("subject", event.subject);
  if (!event.cause.empty()) json.append("cause", event.cause);
  if (!event.actor.empty()) json.append("actor", event.actor);
  json.append("message", event.message);
  if (!event.detail.is_null()) json.append("detail", event.detail);
  return json;
}

Follower::Follower(ApiService& service, std::shared_ptr<http::Exchange> exchange, Duration rhythm)
    : service_(service),
      exchange_(std::move(exchange)),
      rhythm_(rhythm),
      timer_(service.loop_, runtime::complete<&Follower::on_timer>(this)) {}

void Follower::begin() {
  exchange_->when_gone([this] { service_.end_follower(this); });
  exchange_->start(http::response_of(200, "application/x-ndjson", ""));
  timer_.start(Duration::zero());
}

bool Follower::write(std::string_view text) {
  if (exchange_->write(text)) return true;
  full_ = true;
  return false;
}

void Follower::wake(Duration after) {
  if (ended_ || awake_ || full_) return;
  awake_ = true;
  timer_.start(after);
}

void Follower::on_timer(int) {
  awake_ = false;
  if (ended_) return;
  if (!write_more()) {
    exchange_->finish();
    service_.end_follower(this);
    return;
  }
  if (exchange_->gone()) return;
  if (!full_) return timer_.start(rhythm_);
  exchange_->when_writable([this] {
    full_ = false;
    wake();
  });
}

void ApiService::follow(std::unique_ptr<Follower> follower) {
  ended_followers_.clear();
  followers_.push_back(std::move(follower));
  followers_.back()->begin();
}

void ApiService::end_follower(Follower* follower) {
  auto found = std::ranges::find_if(followers_, [&](const auto& each) { return each.get() == follower; });
  if (found == followers_.end()) return;
  (*found)->ended_ = true;
  // It may be in the middle of a call of its own: it goes with the next one that begins.
  ended_followers_.push_back(std::move(*found));
  followers_.erase(found);
}

void ApiService::tell_followers() {
  for (const auto& follower : followers_) follower->on_change();
}

void ApiService::follow_status(Call& call) {
  follow(std::make_unique<StatusFollower>(*this, controller_, call.exchange));
}

void ApiService::follow_events(Call& call) {
  events::EventQuery query;
  query.subject = call.text("subject");
  query.kind = call.text("kind");
  query.limit = kPage;
  if (call.has("after")) {
    auto after = call.number("after");
    if (!after) return call.respond(after.error());
    query.after = events::EventId{*after};
  }
  bool follow = call.text("follow") == "1";
  if (call.has("last") || !call.has("after")) {
    auto last = call.has("last") ? call.number("last") : Result<uint64_t>(100);
    if (!last) return call.respond(last.error());
    events::EventQuery newest = query;
    newest.order = events::Order::kNewest;
    newest.limit = std::min<uint64_t>(std::max<uint64_t>(*last, 1), events::EventLog::kMostEvents);
    auto page = events_.query(newest);
    if (!page) return call.respond(page.error());
    if (!follow || *last == 0) {
      if (!follow) {
        std::string body;
        for (const events::Event& event : page->events) body += event_json(event).dump() + "\n";
        return call.respond(http::response_of(200, "application/x-ndjson", *last == 0 ? "" : std::move(body)));
      }
      if (!page->events.empty()) query.after = page->events.back().id;
    } else if (!page->events.empty()) {
      query.after = events::EventId{page->events.front().id.value - 1};
    }
  } else if (!follow) {
    query.limit = events::EventLog::kMostEvents;
    auto page = events_.query(query);
    if (!page) return call.respond(page.error());
    std::string body;
    for (const events::Event& event : page->events) body += event_json(event).dump() + "\n";
    return call.respond(http::response_of(200, "application/x-ndjson", std::move(body)));
  }
  this->follow(std::make_unique<EventFollower>(*this, events_, call.exchange, std::move(query)));
}

}  // namespace freehold::api
