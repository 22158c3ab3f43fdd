// Filling in: from a Runtime, as control names it, to the words and the environment that one instance starts with.
// Pure: the caller brings ports, folders and unsealed secrets.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "model/instance.h"

namespace freehold::agent {

struct FillingContext {
  std::string instance;
  uint16_t port = 0;                                // 0: it has none, as a job
  std::map<std::string, std::string> volume_paths;  // by the volume's name
  std::function<Result<std::string>(const std::string& name)> secret;
  std::string secrets_folder;  // where secrets lie as files; empty: none do
  std::string temporary_folder;
};

Result<std::vector<std::string>> fill_command(const std::vector<std::string>& words, const FillingContext& context);
// What the service declares, over what every service gets: PATH, LANG, PORT, TMPDIR, FREEHOLD_SERVICE,
// FREEHOLD_INSTANCE, and CREDENTIALS_DIRECTORY where it has secrets as files (the name that systemd gave it).
Result<std::map<std::string, std::string>> fill_environment(const model::Runtime& runtime,
                                                            const FillingContext& context);
// A secret's variable when it is asked for as `env`: cookie-key is COOKIE_KEY.
std::string variable_of(const std::string& secret);

}  // namespace freehold::agent
