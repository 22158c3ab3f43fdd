#include "control/order.h"

#include <algorithm>
#include <unordered_map>

namespace freehold::control {
namespace {

struct Node {
  const std::string* name = nullptr;
  bool changing = false;
  bool done = false;
  uint32_t missing = 0;  // needs whose place is not known yet
  std::vector<size_t> needs;
  std::vector<size_t> needed_by;
  Place place;
};

// Everything that this node needs has its place: give it its own.
void settle(std::vector<Node>& nodes, Node& node) {
  uint32_t wave = 0;
  for (size_t at : node.needs) {
    const Node& need = nodes[at];
    if (!need.done) continue;
    wave = std::max(wave, need.place.wave);
    if (need.changing) {
      node.place.after.push_back(*need.name);
    } else {
      node.place.after.insert(node.place.after.end(), need.place.after.begin(), need.place.after.end());
    }
  }
  std::sort(node.place.after.begin(), node.place.after.end());
  node.place.after.erase(std::unique(node.place.after.begin(), node.place.after.end()), node.place.after.end());
  node.place.wave = wave + (node.changing ? 1 : 0);
  node.done = true;
}

}  // namespace

std::map<std::string, Place> start_order(const std::map<std::string, std::vector<std::string>>& needs,
                                         const std::set<std::string>& changing) {
  std::vector<Node> nodes(needs.size());
  std::unordered_map<std::string_view, size_t> index;
  index.reserve(needs.size());
  for (const auto& [name, list] : needs) {
    Node& node = nodes[index.size()];
    node.name = &name;
    node.changing = changing.contains(name);
    index.emplace(name, index.size());
  }
  std::vector<size_t> ready;
  for (size_t i = 0; const auto& [name, list] : needs) {
    for (const std::string& need : list) {
      auto found = index.find(need);
      if (found == index.end()) continue;
      nodes[i].needs.push_back(found->second);
      nodes[found->second].needed_by.push_back(i);
      ++nodes[i].missing;
    }
    if (nodes[i].missing == 0) ready.push_back(i);
    ++i;
  }
  uint32_t last = 0;
  while (!ready.empty()) {
    size_t at = ready.back();
    ready.pop_back();
    settle(nodes, nodes[at]);
    last = std::max(last, nodes[at].place.wave);
    for (size_t dependent : nodes[at].needed_by) {
      if (--nodes[dependent].missing == 0) ready.push_back(dependent);
    }
  }
  std::map<std::string, Place> out;
  for (Node& node : nodes) {
    if (!node.changing) continue;
    if (!node.done) node.place.wave = last + 1;
    out.emplace_hint(out.end(), *node.name, std::move(node.place));
  }
  return out;
}

}  // namespace freehold::control
