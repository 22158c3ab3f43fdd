// What all sections share while one file is read, and the readers of single values. Internal to model.
//
// Every reader reports what is wrong itself and then returns nothing, so that the caller goes on and finds the rest.
// `what` names the field in messages: "replicas of service 'web'".
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "model/file.h"
#include "model/report.h"
#include "model/schema.h"

namespace freehold::model {

// A name that must turn out to be a service, found after all files are read.
struct ServiceUse {
  std::string user;  // the service that says so; empty for a route
  std::string name;
  Place place;
  enum class Kind { kNeeds, kRoute, kAddress } kind = Kind::kNeeds;
};
struct SecretMention {
  std::string name;
  Place place;
};
// A file or folder that is taken by content.
struct Capture {
  std::string path;
  Place place;
};
struct VolumePlace {
  std::string owner;  // "volume 'data' of service 'web'"
  std::string path;
  Writers writers = Writers::kOne;
  Place place;
};

struct Reading {
  explicit Reading(const FileInput& from) : input(from) {}

  const FileInput& input;
  Report report;
  Organisation organisation;
  std::map<std::string, std::string> environment;
  std::map<std::string, Place> services;  // each name seen, even if its service is wrong
  std::map<std::string, Place> hosts;
  std::vector<ServiceUse> service_uses;
  std::vector<SecretMention> secret_uses;
  std::vector<Capture> captures;
  std::vector<VolumePlace> volumes;
  std::optional<Place> secret_store;
  std::optional<Place> gateway_listen;
  std::optional<Place> routes;
};

// "replicas of service 'web' cannot be 'three'" with "expected: ...".
void refuse(Reading& reading, const Value& value, std::string_view what, std::string_view expected);
// "'scale' in service 'web' is known, but not built yet in this version".
void refuse_unbuilt(Reading& reading, const Place& place, std::string_view name, std::string_view where);

std::optional<std::string> read_text(Reading& reading, const Value& value, std::string_view what,
                                     std::string_view expected = "a text");
std::optional<uint64_t> read_count(Reading& reading, const Value& value, std::string_view what, uint64_t least,
                                   uint64_t most);
std::optional<double> read_number(Reading& reading, const Value& value, std::string_view what, double least,
                                  double most);
enum class Zero { kAllowed, kRefused };
std::optional<Duration> read_duration(Reading& reading, const Value& value, std::string_view what, Zero zero);
std::optional<Bytes> read_bytes(Reading& reading, const Value& value, std::string_view what, Bytes least);
std::optional<Rate> read_rate(Reading& reading, const Value& value, std::string_view what);
// The index of the word among `words`.
std::optional<size_t> read_choice(Reading& reading, const Value& value, std::string_view what,
                                  std::span<const Key> words);
// Entries of a mapping whose keys are names of the user's own; nothing if it is no mapping.
std::vector<std::pair<const codec::YamlEntry*, Value>> read_entries(Reading& reading, const Value& value,
                                                                    std::string_view what, std::string_view expected);

// A path beside the file: relative to the file that names it, rewritten relative to the root file's folder, normalised
// ("bin/web"). Refused if absolute, outside of that folder, or the folder itself. Messages quote `shown`.
std::optional<std::string> read_relative(Reading& reading, const Place& place, const std::string& path,
                                         std::string_view shown);
// "a/./b/../c" -> "a/c"; may start with "..", "." for nothing.
std::string normalise(std::string_view path);

template <class T, class From>
void assign(T& field, std::optional<From> value) {
  if (value) field = static_cast<T>(*std::move(value));
}

inline constexpr std::string_view kMergeKey = "<<";

// A mapping with known keys. Making one reports unknown and unbuilt keys.
class Section {
 public:
  Section(Reading& reading, const Value& value, std::string what, std::span<const Key> keys);

  bool valid() const { return value_.is_mapping(); }
  std::optional<Value> find(std::string_view key) const;
  // Of the key itself; the section's place if it is not there.
  Place key_place(std::string_view key) const;
  bool has(std::string_view key) const { return find(key).has_value(); }
  const std::string& what() const { return what_; }
  // "replicas of service 'web'"
  std::string name_of(std::string_view key) const;
  const Value& value() const { return value_; }

 private:
  Value value_;
  std::string what_;
};

}  // namespace freehold::model
