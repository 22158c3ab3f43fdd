// What a backup says of itself, in its last member: known once everything before it was read.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "codec/fields.h"

namespace freehold::keep {

using codec::Of;

struct KeptVolume {
  std::string service;
  std::string name;
  std::string path;  // empty: below the state directory
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, KeptVolume>& volume) {
  v("service", volume.service);
  v("name", volume.name);
  v("path", volume.path);
}

// Names of files, the first of them; all are counted.
struct Noted {
  static constexpr size_t kMostNames = 100;
  uint64_t count = 0;
  std::vector<std::string> names;
  void add(std::string name) {
    if (++count <= kMostNames) names.push_back(std::move(name));
  }
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, Noted>& noted) {
  v("count", noted.count);
  v("names", noted.names);
}

struct Summary {
  std::string made_by;  // "freehold 0.1.0"
  WallTime created{};   // the moment of its state
  std::string organisation;
  uint64_t generation = 0;                // the current one
  uint64_t generations = 0;               // that can be gone back to
  std::string state;                      // the directory that it was made of
  bool rootless = false;                  // everything belonged to one user
  std::map<std::string, uint64_t> users;  // ids that this platform had given to services and daemons
  std::vector<KeptVolume> volumes;
  uint64_t contents = 0;
  uint64_t members = 0;  // without this one
  Bytes bytes;           // of all files, without holes
  Noted changed;         // files of volumes that were written to while they were read
  Noted special;         // sockets, pipes and devices
  Noted lost;            // what could not be read: the backup is incomplete
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, Summary>& summary) {
  v("made_by", summary.made_by);
  v("created", summary.created);
  v("organisation", summary.organisation);
  v("generation", summary.generation);
  v("generations", summary.generations);
  v("state", summary.state);
  v("rootless", summary.rootless);
  v("users", summary.users);
  v("volumes", summary.volumes);
  v("contents", summary.contents);
  v("members", summary.members);
  v("bytes", summary.bytes);
  v("changed", summary.changed);
  v("special", summary.special);
  v("lost", summary.lost);
}

}  // namespace freehold::keep
