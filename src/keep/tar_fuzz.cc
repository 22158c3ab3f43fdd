// Any bytes as the archive inside of a backup: what is accepted stays inside of its folder, and is exactly what would
// be written for it.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "base/text.h"
#include "keep/member_rules.h"
#include "keep/tar.h"

namespace {

using freehold::Result;
using freehold::keep::Member;

// Said apart from the code that it checks.
bool stays_inside(std::string_view path) {
  if (path.empty() || path.size() > 4096 || path.find('\0') != std::string_view::npos) return false;
  for (std::string_view part : freehold::split(path, '/')) {
    if (part.empty() || part == "." || part == "..") return false;
  }
  return true;
}

class Collector : public freehold::keep::TarReader::Handler {
 public:
  Result<void> on_member(const Member& member) override {
    if (!stays_inside(member.entry.path)) std::abort();
    if (member.entry.kind == freehold::os::TreeKind::kHardLink && !stays_inside(member.entry.target)) std::abort();
    members.emplace_back(member, "");
    return {};
  }
  Result<void> on_data(std::string_view bytes) override {
    members.back().second += bytes;
    return {};
  }
  Result<void> on_member_end() override {
    if (members.back().second.size() != members.back().first.entry.data_size()) std::abort();
    return {};
  }
  std::vector<std::pair<Member, std::string>> members;
};

void require(bool worked) {
  if (!worked) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  freehold::keep::MemberRules rules(nullptr);
  freehold::keep::TarReader ruled(rules);
  if (ruled.write(bytes) && ruled.finish()) (void)rules.finish().ok();

  Collector collector;
  freehold::keep::TarReader reader(collector);
  if (!reader.write(bytes) || !reader.finish()) return 0;
  std::string again;
  freehold::keep::TarWriter writer([&](std::string_view part) -> Result<void> {
    again += part;
    return {};
  });
  for (const auto& [member, content] : collector.members) {
    require(writer.begin(member).ok());
    if (!content.empty()) require(writer.write(content).ok());
  }
  require(writer.finish().ok() && again == bytes);
  return 0;
}
