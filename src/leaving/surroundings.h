// What a service finds around it when it starts: substitutions filled in, its environment, user, limits, folders and
// secrets. Internal to leaving.
#pragma once

#include <functional>
#include <set>

#include "leaving/ground.h"

namespace freehold::leaving {

class Surroundings {
 public:
  // `values`: of the secrets; none: what stands for them in an example.
  Surroundings(const Ground& ground, const model::Runtime& runtime,
               const std::optional<std::map<std::string, std::string>>& values);

  enum class Of { kService, kPrepare };
  // Lines of [Service].
  std::string lines(Of of) const;
  // A command line of a unit, its words quoted.
  std::string command(const std::vector<std::string>& words) const;
  // NAME=value for what must not stand in a unit, and where it belongs; empty if there is none.
  const std::string& secret_environment() const { return secret_environment_; }
  std::string environment_file() const;
  // Variables that cannot be expressed.
  const std::vector<std::string>& lost() const { return lost_; }

 private:
  using Escape = std::function<std::string(const std::string&)>;
  std::string filled(const std::string& text, const Escape& escape) const;
  std::string value_of(const std::string& secret) const;
  void sort_environment();
  std::string limits() const;
  std::string volumes() const;

  const Ground& ground_;
  const model::Runtime& runtime_;
  const Place& place_;
  const std::optional<std::map<std::string, std::string>>& values_;
  std::map<std::string, std::string> plain_;  // escaped
  std::set<std::string> of_an_instance_;      // variables that what prepares does not have
  std::string secret_environment_;
  std::vector<std::string> lost_;
};

}  // namespace freehold::leaving
