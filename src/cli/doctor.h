// doctor: what this machine can and cannot do for Freehold, and what each lack costs.
//
// Facts are gathered at the edge (doctor_facts.cc); judging them is a pure function, so that every finding has a test
// on machines that we do not have.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "base/units.h"
#include "codec/fields.h"

namespace freehold::cli {

struct Facts {
  bool root = false;
  std::string kernel;  // "6.1.0-18-amd64"
  bool cgroups_usable = false;
  std::string cgroups;  // what was found, for a person
  std::vector<std::string> cgroup_problems;
  std::optional<std::string> uring_problem;          // why io_uring is not there; nothing if it is
  uint16_t ports_first = 0, ports_last = 0;          // for ${PORT}
  uint16_t ephemeral_first = 0, ephemeral_last = 0;  // of the kernel; 0: unknown
  uint16_t privileged_below = 1024;
  std::vector<uint16_t> listen_ports;  // of the file, if there is one
  std::string state;
  Bytes state_free;
  std::string memory_folder;  // where secrets lie as files; empty: no file system in memory was found
  WallTime now{};
  bool clock_synchronised = false;
  uint64_t most_files = 0;  // hard limit of open files
  bool group_exists = false;
};

enum class Verdict { kGood, kLess, kBad };
inline std::span<const std::string_view> enum_names(Verdict) {
  static constexpr std::string_view kNames[] = {"good", "less", "bad"};
  return kNames;
}

struct Finding {
  std::string subject;
  Verdict verdict = Verdict::kGood;
  std::string found;
  std::string cost;    // what is lost; empty when nothing is
  std::string remedy;  // what to do about it
};
template <class Visitor>
void fields(Visitor& v, codec::Of<Visitor, Finding>& finding) {
  v("subject", finding.subject);
  v("verdict", finding.verdict);
  v("found", finding.found);
  v("cost", finding.cost);
  v("remedy", finding.remedy);
}

std::vector<Finding> judge(const Facts& facts);

// Asks the machine. `state` may not exist yet; `listen_ports` are those of the file.
Facts gather_facts(const std::string& state, std::vector<uint16_t> listen_ports);

}  // namespace freehold::cli
