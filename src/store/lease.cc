#include "store/lease.h"

#include <fmt/core.h>

#include "codec/fields.h"

namespace freehold::store {
namespace {

// As it stands in the store.
struct Record {
  std::string owner;
  std::string message;
  Duration ttl{};
  std::string boot;
  MonotonicTime expires{};
  WallTime taken{};
  WallTime renewed{};
};
template <class Visitor>
void fields(Visitor& v, codec::Of<Visitor, Record>& record) {
  v("owner", record.owner);
  v("message", record.message);
  v("ttl", record.ttl);
  v("boot", record.boot);
  v("expires", record.expires);
  v("taken", record.taken);
  v("renewed", record.renewed);
}

Result<Record> parse(const Entry& entry) {
  auto corrupt = [&](const Error& error) {
    return Error(ErrorCode::kCorrupt, fmt::format("the lease '{}' cannot be read: {}", entry.key, error.message()));
  };
  auto json = codec::Json::parse(entry.value);
  if (!json) return corrupt(json.error());
  auto record = codec::from_json<Record>(*json);
  if (!record) return corrupt(record.error());
  return record;
}

}  // namespace

std::string Lease::lease_key(std::string_view name) { return fmt::format("leases/{}", name); }

Result<LeaseState> Leases::read(std::string_view name) {
  FH_ASSIGN(Entry entry, store_.get(Lease::lease_key(name)));
  FH_ASSIGN(Record record, parse(entry));
  MonotonicTime expires = record.expires;
  MonotonicTime now = clock_.monotonic();
  if (record.boot != options_.boot) {
    Sighting& seen = sightings_[std::string(name)];
    if (seen.revision != entry.revision) seen = {entry.revision, now};
    expires = options_.span == LeaseSpan::kOneMachine ? now : seen.at + record.ttl;
  }
  LeaseState state{.lease = {.name = std::string(name),
                             .owner = record.owner,
                             .message = record.message,
                             .ttl = record.ttl,
                             .taken = record.taken,
                             .renewed = record.renewed,
                             .revision = entry.revision},
                   .expired = expires <= now};
  if (!state.expired) state.left = expires - now;
  return state;
}

Result<Lease> Leases::write(Lease lease, Revision expected) {
  lease.renewed = clock_.wall();
  if (lease.taken == WallTime()) lease.taken = lease.renewed;
  Record record{.owner = lease.owner,
                .message = lease.message,
                .ttl = lease.ttl,
                .boot = options_.boot,
                .expires = clock_.monotonic() + lease.ttl,
                .taken = lease.taken,
                .renewed = lease.renewed};
  Write write;
  write.expect(lease.key(), expected).put(lease.key(), codec::to_json(record).dump());
  FH_ASSIGN(lease.revision, store_.commit(write));
  return lease;
}

Result<Lease> Leases::acquire(std::string_view name, std::string_view owner, Duration ttl, std::string_view message) {
  if (ttl <= Duration::zero() || ttl > std::chrono::hours(24)) {
    return Error(ErrorCode::kInvalid, "a lease is for more than nothing and at most a day");
  }
  Lease wanted{.name = std::string(name), .owner = std::string(owner), .message = std::string(message), .ttl = ttl};
  auto held = read(name);
  if (!held) {
    if (held.error().code() != ErrorCode::kNotFound) return held.error();
    return write(std::move(wanted), kAbsent);
  }
  if (!held->expired && held->lease.owner != owner) {
    return Error(ErrorCode::kConflict, fmt::format("'{}' is held by {} ({}), for {} more unless renewed", name,
                                                   held->lease.owner, held->lease.message, format_short(held->left)));
  }
  return write(std::move(wanted), held->lease.revision);
}

Result<Lease> Leases::heartbeat(const Lease& lease) {
  auto renewed = write(lease, lease.revision);
  if (renewed || renewed.error().code() != ErrorCode::kConflict) return renewed;
  auto held = read(lease.name);
  if (!held)
    return Error(ErrorCode::kConflict, fmt::format("the lease '{}' was released by somebody else", lease.name));
  return Error(ErrorCode::kConflict,
               fmt::format("the lease '{}' was lost to {} ({})", lease.name, held->lease.owner, held->lease.message));
}

Result<void> Leases::release(const Lease& lease) {
  auto released = store_.commit(Write().expect(lease.key(), lease.revision).remove(lease.key()));
  if (!released && released.error().code() != ErrorCode::kConflict) return released.error();
  return {};
}

Result<void> Leases::release(std::string_view name, std::string_view owner) {
  auto held = read(name);
  if (!held) return held.error().code() == ErrorCode::kNotFound ? Result<void>() : held.error();
  if (held->lease.owner != owner) {
    return Error(ErrorCode::kConflict, fmt::format("the lease '{}' is held by {}", name, held->lease.owner));
  }
  FH_TRY(store_.commit(Write().expect(held->lease.key(), held->lease.revision).remove(held->lease.key())));
  return {};
}

}  // namespace freehold::store
