#include "api/follower.h"

#include <algorithm>

#include "api/call.h"

namespace freehold::api {

Follower::Follower(runtime::Loop& loop, std::shared_ptr<http::Exchange> exchange, Duration rhythm)
    : exchange_(std::move(exchange)), rhythm_(rhythm), timer_(loop, runtime::complete<&Follower::on_timer>(this)) {}

void Follower::begin(Followers& owner) {
  owner_ = &owner;
  exchange_->when_gone([this] { owner_->end(this); });
  exchange_->start(http::response_of(200, kLinesType, ""));
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
    owner_->end(this);
    return;
  }
  if (exchange_->gone()) return;
  if (!full_) return timer_.start(rhythm_);
  exchange_->when_writable([this] {
    full_ = false;
    wake();
  });
}

void Followers::begin(std::unique_ptr<Follower> follower) {
  ended_.clear();
  all_.push_back(std::move(follower));
  all_.back()->begin(*this);
}

void Followers::end(Follower* follower) {
  auto found = std::ranges::find_if(all_, [&](const auto& each) { return each.get() == follower; });
  if (found == all_.end()) return;
  (*found)->ended_ = true;
  // It may be in the middle of a call of its own: it goes with the next one that begins.
  ended_.push_back(std::move(*found));
  all_.erase(found);
}

void Followers::tell() {
  for (const auto& follower : all_) follower->on_change();
}

}  // namespace freehold::api
