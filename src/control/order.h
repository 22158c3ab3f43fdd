// The order in which services start: each after those that it needs.
//
// Only services that change count. One that does not change passes on what it waits for, so that a change two steps
// away still comes first. Pure; linear in services and needs.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace freehold::control {

struct Place {
  uint32_t wave = 1;               // 1 is first; all of one wave may go at the same time
  std::vector<std::string> after;  // changing services that must be done before, sorted
};

// `needs`: every service and what it needs; names that are no key of it are ignored. The result has the changing ones.
// Services on a cycle (which validation refuses) come last, and do not wait for each other.
std::map<std::string, Place> start_order(const std::map<std::string, std::vector<std::string>>& needs,
                                         const std::set<std::string>& changing);

}  // namespace freehold::control
