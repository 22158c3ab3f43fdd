// Holds the members of an archive to the rules of archive.h, and passes on those of state and volumes. Internal to
// archive.
#pragma once

#include <optional>

#include "codec/hash.h"
#include "keep/archive.h"

namespace freehold::keep {

inline constexpr std::string_view kFormatWords = "freehold backup ";

class MemberRules : public TarReader::Handler {
 public:
  explicit MemberRules(TarReader::Handler* receiver) : receiver_(receiver) {}

  Result<void> on_member(const Member& member) override;
  Result<void> on_data(std::string_view bytes) override;
  Result<void> on_member_end() override;
  // kCorrupt if the last member was not the summary, or does not fit what came before it.
  Result<Summary> finish() const;

 private:
  enum class Place { kFirst, kLast, kOther };
  static constexpr size_t kMostFormat = 64;
  static constexpr size_t kMostSummary = 16 << 20;

  Result<void> read_format();
  Result<void> read_summary();

  TarReader::Handler* receiver_;
  Place place_ = Place::kOther;
  bool begun_ = false;  // the format was there
  std::optional<Summary> summary_;
  std::string text_;
  std::string expected_;  // digest of the content that is being read
  codec::Sha256 hash_;
  uint64_t members_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace freehold::keep
