// What the agent keeps of each instance on disk, for the agent after it.
#pragma once

#include <string>
#include <vector>

#include "model/instance.h"
#include "os/disk.h"

namespace freehold::agent {

struct Record {
  uint32_t version = 1;
  std::string boot_id;
  model::DesiredInstance instance;
  model::Runtime runtime;  // what it was started with
  model::Supervision supervision;
  uint16_t port = 0;
  bool healthy = false;
  uint32_t restarts = 0;
  std::vector<MonotonicTime> ends;  // comparable within one boot
};
template <class Visitor>
void fields(Visitor& v, codec::Of<Visitor, Record>& record) {
  v("version", record.version);
  v("boot_id", record.boot_id);
  v("instance", record.instance);
  v("runtime", record.runtime);
  v("supervision", record.supervision);
  v("port", record.port);
  v("healthy", record.healthy);
  v("restarts", record.restarts);
  v("ends", record.ends);
}

// folder/instances/<id>/record.json; the folder belongs to the instance and goes with it.
std::string record_path(const std::string& folder, const std::string& id);
Result<Record> read_record(os::Disk& disk, const std::string& path);
// Creates the instance's folder if it is missing.
Result<void> write_record(os::Disk& disk, const std::string& path, const Record& record);

}  // namespace freehold::agent
