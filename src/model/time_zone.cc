#include "model/time_zone.h"

#include <fmt/core.h>

#include <algorithm>

#include "model/posix_zone.h"

namespace freehold::model {
namespace {

using std::chrono::seconds;

constexpr seconds kLargestOffset = std::chrono::hours(26);
constexpr size_t kHeaderBytes = 44;

Error wrong(std::string_view what) {
  return Error(ErrorCode::kInvalid, fmt::format("this is no time zone file (RFC 8536): {}", what));
}

// Big-endian numbers, one after another; the caller has made sure that they are there.
class Numbers {
 public:
  explicit Numbers(std::string_view bytes) : bytes_(bytes) {}
  int64_t take(size_t width) {
    uint64_t value = 0;
    for (size_t i = 0; i < width; ++i) value = value << 8 | static_cast<uint8_t>(bytes_[at_++]);
    return width == 4 ? static_cast<int32_t>(static_cast<uint32_t>(value)) : static_cast<int64_t>(value);
  }

 private:
  std::string_view bytes_;
  size_t at_ = 0;
};

// Section 3.1.
struct Header {
  char version = 0;
  size_t utc_flags = 0, standard_flags = 0, leaps = 0, changes = 0, types = 0, name_bytes = 0;

  // Section 3.2, with times of `width` bytes.
  size_t body_bytes(size_t width) const {
    return changes * width + changes + types * 6 + name_bytes + leaps * (width + 4) + standard_flags + utc_flags;
  }
};

Result<Header> read_header(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes || !bytes.starts_with("TZif")) return wrong("it does not begin with a header");
  Header header;
  header.version = bytes[4];
  Numbers counts(bytes.substr(20, 24));
  for (size_t* count :
       {&header.utc_flags, &header.standard_flags, &header.leaps, &header.changes, &header.types, &header.name_bytes}) {
    int64_t value = counts.take(4);
    if (value < 0 || static_cast<size_t>(value) > TimeZone::kMostChanges) return wrong("it counts too many of a thing");
    *count = static_cast<size_t>(value);
  }
  return header;
}

}  // namespace

class ZoneReader {
 public:
  Result<TimeZone> read(std::string_view bytes) {
    if (bytes.size() > TimeZone::kLargest.count) return wrong("it is too large");
    FH_ASSIGN(Header first, read_header(bytes));
    if (first.version < '2') return wrong("its version is 1, which ends in 2037");
    size_t skipped = kHeaderBytes + first.body_bytes(4);
    if (skipped > bytes.size()) return wrong("its first part is cut off");
    bytes.remove_prefix(skipped);
    FH_ASSIGN(Header header, read_header(bytes));
    bytes.remove_prefix(kHeaderBytes);
    size_t size = header.body_bytes(8);
    if (size > bytes.size()) return wrong("its second part is cut off");
    FH_TRY(read_body(header, bytes.substr(0, size)));
    FH_TRY(read_footer(bytes.substr(size)));
    return std::move(zone_);
  }

 private:
  Result<void> read_body(const Header& header, std::string_view body) {
    if (header.types == 0) return wrong("it has no type of local time");
    Numbers times(body);
    std::string_view indices = body.substr(header.changes * 8, header.changes);
    std::string_view types = body.substr(header.changes * 9, header.types * 6);
    for (size_t i = 0; i < header.types; ++i) {
      seconds offset(Numbers(types.substr(i * 6)).take(4));
      if (offset > kLargestOffset || offset < -kLargestOffset) return wrong("it is more than 26 hours off UTC");
      offsets_.push_back(offset);
    }
    zone_.spans_.front().offset = offsets_.front();  // section 3.2: type 0 is before the first change
    for (size_t i = 0; i < header.changes; ++i) {
      SysSeconds at{seconds(times.take(8))};
      auto type = static_cast<uint8_t>(indices[i]);
      if (type >= offsets_.size()) return wrong("a change names a type that is not there");
      if (at <= last_) return wrong("its changes are not in order");
      add(at, offsets_[type]);
    }
    return {};
  }

  // Section 3.3: what goes on after the last change.
  Result<void> read_footer(std::string_view footer) {
    if (footer.size() < 2 || footer.front() != '\n') return wrong("its footer is missing");
    size_t end = footer.find('\n', 1);
    if (end == std::string_view::npos) return wrong("its footer does not end");
    footer = footer.substr(1, end - 1);
    if (footer.empty()) return {};
    FH_ASSIGN(PosixZone rule, PosixZone::parse(footer));
    if (!rule.changes()) return {};  // as the last change left it
    constexpr int kFirstYear = 1970;
    for (int year = kFirstYear; year <= TimeZone::kLastYear; ++year) {
      for (const PosixZone::Change& change : rule.changes_in(std::chrono::year(year))) {
        if (change.at > last_) add(change.at, change.offset);
      }
    }
    return {};
  }

  // A change that is none, as of a name alone, is left out.
  void add(SysSeconds at, seconds offset) {
    if (zone_.spans_.back().offset != offset) zone_.spans_.push_back({at, offset});
    last_ = at;
  }

  TimeZone zone_;
  std::vector<seconds> offsets_;
  SysSeconds last_ = SysSeconds::min();
};

Result<TimeZone> TimeZone::parse(std::string_view bytes) { return ZoneReader().read(bytes); }

size_t TimeZone::span_at(SysSeconds instant) const {
  auto after = std::ranges::upper_bound(spans_, instant, {}, &Span::at);
  return after == spans_.begin() ? 0 : static_cast<size_t>(after - spans_.begin()) - 1;
}

LocalSeconds TimeZone::local(SysSeconds instant) const {
  return LocalSeconds(instant.time_since_epoch() + spans_[span_at(instant)].offset);
}

SysSeconds TimeZone::resolve(LocalSeconds shown) const {
  SysSeconds as_utc(shown.time_since_epoch());
  // Whichever span it is in, it is this near.
  for (size_t i = span_at(as_utc - kLargestOffset); i < spans_.size(); ++i) {
    SysSeconds instant = as_utc - spans_[i].offset;
    // Where a leap took the clocks beyond it, the span begins later than that.
    if (instant < spans_[i].at) return spans_[i].at;
    if (i + 1 == spans_.size() || instant < spans_[i + 1].at) return instant;
  }
  return as_utc - spans_.back().offset;
}

}  // namespace freehold::model
