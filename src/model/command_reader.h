// Commands and environment values: words, captured paths, substitutions. Internal to model.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "model/reading.h"
#include "model/template.h"

namespace freehold::model {

// Which substitutions make sense where.
enum class TemplateUse { kRun, kPrepare, kExec, kEnvironment };

// What the commands of one service name, gathered while they are read.
struct Mentions {
  std::set<std::string> paths;  // captured, normalised
  bool port = false;
  struct VolumeName {
    std::string name;
    Place place;
  };
  std::vector<VolumeName> volumes;  // checked when all volumes of the service are known
};

// A string that is split into words, or a list of words.
std::vector<std::string> read_command(Reading& reading, const Value& value, const std::string& what,
                                      const std::string& service, TemplateUse use, Mentions& mentions);

// An environment value: any text, with substitutions.
std::optional<std::string> read_environment_value(Reading& reading, const Value& value, const std::string& what,
                                                  const std::string& service, Mentions& mentions);

}  // namespace freehold::model
