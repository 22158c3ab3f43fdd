#include "leaving/surroundings.h"

#include <fmt/core.h>

#include <algorithm>

#include "agent/filling.h"
#include "leaving/quoting.h"
#include "model/template.h"

namespace freehold::leaving {
namespace {

bool holds(const std::string& text, model::PartKind kind) {
  auto parts = model::parse_template(text).parts;
  return std::ranges::any_of(parts, [&](const model::TemplatePart& part) { return part.kind == kind; });
}

// systemd takes tabs and line ends in a variable, and no other control character.
bool is_takeable(const std::string& value) {
  return std::ranges::none_of(value, [](char c) { return (c >= 0 && c < ' ' && c != '\n' && c != '\t') || c == 0x7F; });
}

std::string as_it_is(const std::string& text) { return text; }

}  // namespace

Surroundings::Surroundings(const Ground& ground, const model::Runtime& runtime,
                           const std::optional<std::map<std::string, std::string>>& values)
    : ground_(ground), runtime_(runtime), place_(ground.places.at(runtime.service)), values_(values) {
  sort_environment();
}

std::string Surroundings::value_of(const std::string& secret) const {
  if (!values_) return fmt::format("<the secret {}>", secret);
  auto found = values_->find(secret);
  return found == values_->end() ? std::string() : found->second;
}

std::string Surroundings::environment_file() const {
  return fmt::format("{}/secrets/{}.env", ground_.base, runtime_.service);
}

std::string Surroundings::filled(const std::string& text, const Escape& escape) const {
  std::string out;
  for (const model::TemplatePart& part : model::parse_template(text).parts) {
    switch (part.kind) {
      case model::PartKind::kText:
        out += escape(part.text);
        break;
      case model::PartKind::kPort:
        out += place_.port;
        break;
      case model::PartKind::kVolumePath:
        out += escape(place_.volumes.at(part.text));
        break;
      case model::PartKind::kSecret:
        out += escape(value_of(part.text));
        break;
      case model::PartKind::kServiceAddress:
      case model::PartKind::kEnvironment:
        break;  // replaced by compose, and when the file was read
    }
  }
  return out;
}

void Surroundings::sort_environment() {
  plain_ = {{"LANG", "C.UTF-8"}, {"HOME", "/tmp"}, {"TMPDIR", "/tmp"}, {"FREEHOLD_SERVICE", runtime_.service}};
  if (!place_.timed) plain_["PORT"] = place_.port;
  plain_["FREEHOLD_INSTANCE"] = place_.timed ? runtime_.service : fmt::format("{}.{}", runtime_.service, place_.port);
  of_an_instance_ = {"PORT", "FREEHOLD_INSTANCE"};
  auto add_secret = [this](const std::string& name, const std::string& value) {
    secret_environment_ += fmt::format("{}={}\n", name, environment_value(value));
  };
  for (const model::SecretUse& use : runtime_.secrets) {
    if (use.form == model::SecretForm::kEnv) add_secret(agent::variable_of(use.name), value_of(use.name));
  }
  for (const auto& [name, text] : runtime_.env) {
    plain_.erase(name);
    bool secret = holds(text, model::PartKind::kSecret);
    bool port = holds(text, model::PartKind::kPort);
    if (port) of_an_instance_.insert(name);
    // A file has no specifier, which is what names the port of one of several instances.
    if (!is_takeable(text) || (secret && port && place_.many)) {
      lost_.push_back(name);
    } else if (secret) {
      add_secret(name, filled(text, as_it_is));
    } else {
      plain_[name] = filled(text, unit_text);
    }
  }
}

std::string Surroundings::command(const std::vector<std::string>& words) const {
  std::string out;
  for (const std::string& word : words) {
    std::string text = filled(word, command_text);
    if (out.empty()) {
      // systemd wants the whole path of what lies in our own folder.
      if (text.starts_with("./")) text = place_.folder + text.substr(1);
      // Before a program's name these mean something to it.
      if (text.find_first_of("-@:+!") == 0) out = "/usr/bin/env --";
    }
    if (!out.empty()) out += ' ';
    out += quoted(text);
  }
  return out;
}

std::string Surroundings::limits() const {
  const model::Limits& limits = runtime_.limits;
  std::string out;
  if (limits.cpu) out += fmt::format("CPUQuota={:g}%\n", *limits.cpu * 100);
  if (limits.memory) out += fmt::format("MemoryMax={}\nMemorySwapMax=0\nOOMPolicy=kill\n", limits.memory->count);
  if (limits.pids) out += fmt::format("TasksMax={}\n", *limits.pids);
  if (limits.files) out += fmt::format("LimitNOFILE={}\n", *limits.files);
  return out + "LimitCORE=0\n";
}

std::string Surroundings::volumes() const {
  std::string out;
  for (const model::Volume& volume : runtime_.volumes) {
    const std::string& path = place_.volumes.at(volume.name);
    if (volume.path.empty()) {
      out += fmt::format("StateDirectory={}/{}/{}\nStateDirectoryMode=0700\n", ground_.name, runtime_.service,
                         volume.name);
    } else if (path.starts_with("/tmp/") || path.starts_with("/var/tmp/")) {
      // Its own /tmp would hide it.
      out += fmt::format("BindPaths={}\n", quoted(unit_text(path)));
    }
  }
  return out;
}

std::string Surroundings::lines(Of of) const {
  std::string out = fmt::format(
      "User={}\nWorkingDirectory={}\nUMask=0027\nPrivateTmp=yes\nNoNewPrivileges=yes\nCapabilityBoundingSet=\n",
      place_.user, place_.folder);
  out += limits() + volumes();
  for (const auto& [name, value] : plain_) {
    if (of == Of::kPrepare && of_an_instance_.contains(name)) continue;
    out += fmt::format("Environment={}\n", quoted(fmt::format("{}={}", name, value)));
  }
  if (!secret_environment_.empty()) out += fmt::format("EnvironmentFile={}\n", environment_file());
  for (const model::SecretUse& use : runtime_.secrets) {
    if (use.form == model::SecretForm::kFile)
      out += fmt::format("LoadCredential={0}:{1}/secrets/{0}\n", use.name, ground_.base);
  }
  return out;
}

}  // namespace freehold::leaving
