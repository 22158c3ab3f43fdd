#include "agent/record.h"

namespace freehold::agent {
namespace {

constexpr Bytes kLargestRecord{4 << 20};

}  // namespace

std::string record_path(const std::string& folder, const std::string& id) {
  return folder + "/instances/" + id + "/record.json";
}

Result<Record> read_record(os::Disk& disk, const std::string& path) {
  FH_ASSIGN(std::string text, disk.read(path, kLargestRecord));
  FH_ASSIGN(codec::Json json, codec::Json::parse(text));
  return codec::from_json<Record>(json);
}

Result<void> write_record(os::Disk& disk, const std::string& path, const Record& record) {
  FH_TRY(disk.make_directories(os::parent_path(path), 0711));
  return disk.write_durably(path, codec::to_json(record).dump(), 0600);
}

}  // namespace freehold::agent
