#include "cli/project.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "cli/machine.h"
#include "codec/yaml.h"

namespace freehold::cli {
namespace {

constexpr Bytes kLargestText{4 << 20};
constexpr size_t kPiece = 256 << 10;
constexpr mode_t kOthersMayRead = 0077;

bool timezone_exists(os::Disk& disk, const std::string& name) {
  auto info = disk.info("/usr/share/zoneinfo");
  // Without the database nothing can be checked, and nothing is refused.
  if (!info) return true;
  auto zone = disk.info("/usr/share/zoneinfo/" + name);
  return zone.ok() && zone->kind != os::FileKind::kDirectory;
}

Result<std::string> read_secrets(os::Disk& disk, const std::string& path) {
  // Of the file that is read, not of a link to it, nor of one that took its place meanwhile.
  FH_ASSIGN(std::unique_ptr<os::ReadableFile> file, disk.open(path));
  FH_ASSIGN(os::FileInfo info, file->info());
  if (info.kind != os::FileKind::kFile)
    return Error(ErrorCode::kInvalid, fmt::format("{} is not a regular file", path));
  if ((info.mode & kOthersMayRead) != 0)
    return Error(ErrorCode::kDenied, fmt::format("{} can be read by others; run: chmod 600 {}", path, path));
  std::string text;
  for (;;) {
    FH_ASSIGN(std::string piece, file->read(text.size(), kPiece));
    if (piece.empty()) return text;
    text += piece;
    if (text.size() > kLargestText.count)
      return Error(ErrorCode::kExhausted, fmt::format("{} is larger than {}", path, format_short(kLargestText)));
  }
}

// Words of `run` that begin with a path to a program of the system: there is nothing to take along, but it must be
// there.
std::optional<Error> missing_program(os::Disk& disk, const model::Service& service,
                                     const std::vector<std::string>& command) {
  if (command.empty()) return std::nullopt;
  const std::string& word = command.front();
  if (!word.starts_with('/') || disk.exists(word)) return std::nullopt;
  return Error(ErrorCode::kNotFound, fmt::format("service {}: there is no program {}", service.name, word));
}

class Loader {
 public:
  Loader(os::Disk& disk, std::string path) : disk_(disk), path_(std::move(path)), folder_(os::parent_path(path_)) {}

  LoadedProject load(Depth depth) {
    LoadedProject out;
    model::FileInput input;
    input.path = path_;
    input.load = [this](const std::string& path) -> Result<std::string> {
      if (path != path_) FH_TRY(check_inside(path));
      return disk_.read(path, kLargestText);
    };
    input.environment = [](const std::string& name) -> std::optional<std::string> {
      const char* value = std::getenv(name.c_str());
      return value == nullptr ? std::nullopt : std::optional<std::string>(value);
    };
    input.timezone_exists = [this](const std::string& name) { return timezone_exists(disk_, name); };
    input.load_secrets = [this](const std::string& path) { return read_secrets(disk_, path); };
    model::ParsedFile file = model::parse_file(input);
    out.diagnostics = file.diagnostics;
    if (!file.organisation) return out;

    Project project;
    project.organisation = *file.organisation;
    // Control knows no folders of ours: the root file is named alone, its includes relative to it.
    project.submission.file = std::filesystem::path(path_).filename().string();
    for (model::SourceFile& source : file.sources)
      project.submission.sources.push_back({source.path, std::move(source.text)});
    project.submission.environment = std::move(file.environment);
    // What no service uses stays where it is.
    for (const std::string& name : file.secrets_used) {
      auto value = file.secrets.find(name);
      if (value != file.secrets.end()) project.submission.secrets.insert(*value);
    }
    for (const auto& [name, service] : project.organisation.services) check_programs(service, out.problems);
    if (depth == Depth::kWithContents) take_contents(project, out.problems);
    if (out.problems.empty()) out.project = std::move(project);
    return out;
  }

 private:
  // A folder from somebody else may have a link among its includes: what is wrong there would be shown, line by line.
  Result<void> check_inside(const std::string& path) {
    std::error_code failure;
    std::filesystem::path folder = std::filesystem::canonical(folder_, failure);
    std::filesystem::path target = std::filesystem::canonical(path, failure);
    if (failure) return {};  // reading it says what is wrong
    auto [end, rest] = std::mismatch(folder.begin(), folder.end(), target.begin(), target.end());
    if (end == folder.end()) return {};
    return Error(ErrorCode::kInvalid, fmt::format("{} is a link that leads out of the folder of the file", path));
  }

  void check_programs(const model::Service& service, std::vector<Error>& problems) {
    for (const auto* command : {&service.run, &service.prepare}) {
      if (auto problem = missing_program(disk_, service, *command)) problems.push_back(*std::move(problem));
    }
  }

  // Named one by one, before the whole is read: what is missing is what a person mistypes.
  bool is_missing_any(const model::Service& service, std::vector<Error>& problems) {
    bool missing = false;
    for (const std::string& path : service.paths) {
      if (disk_.exists(os::join_path(folder_, path))) continue;
      problems.push_back(Error(ErrorCode::kNotFound, fmt::format("service {}: there is no file or folder {}",
                                                                 service.name, os::join_path(folder_, path))));
      missing = true;
    }
    return missing;
  }

  void take_contents(Project& project, std::vector<Error>& problems) {
    for (const auto& [name, service] : project.organisation.services) {
      if (service.paths.empty() || is_missing_any(service, problems)) continue;
      auto captured = contents::capture(disk_, folder_, service.paths, {});
      if (!captured) {
        problems.push_back(captured.error().with_context("service " + name));
        continue;
      }
      project.submission.releases[name] = codec::to_json(captured->manifest);
      project.captures.push_back(*std::move(captured));
    }
    for (const model::Route& route : project.organisation.routes) {
      for (const model::PathRule& rule : route.paths) {
        if (rule.kind != model::TargetKind::kFiles || project.submission.files.contains(rule.files)) continue;
        take_folder(project, rule.files, problems);
      }
    }
  }

  // A folder of a route is taken from within, so that the same folder elsewhere has the same digest.
  void take_folder(Project& project, const std::string& folder, std::vector<Error>& problems) {
    std::vector<std::string> everything = {"."};
    auto captured = contents::capture(disk_, os::join_path(folder_, folder), everything, {});
    if (!captured) {
      problems.push_back(captured.error().with_context("files: " + folder));
      return;
    }
    project.submission.files[folder] = codec::to_json(captured->manifest);
    project.captures.push_back(*std::move(captured));
  }

  os::Disk& disk_;
  std::string path_;
  std::string folder_;
};

}  // namespace

std::string config_path(const Invocation& invocation) {
  if (!invocation.file.empty()) return invocation.file;
  if (!invocation.config.empty()) return invocation.config;
  os::Disk& disk = os::system_disk();
  return !disk.exists("freehold.yaml") && disk.exists(kMachineFile) ? kMachineFile : "freehold.yaml";
}

LoadedProject load_project(os::Disk& disk, const std::string& path, Depth depth) {
  return Loader(disk, path).load(depth);
}

Outline outline_of(os::Disk& disk, const std::string& path) {
  Outline outline;
  auto text = disk.read(path, kLargestText);
  codec::YamlDocument document = text ? codec::parse_yaml(*text) : codec::YamlDocument();
  if (!document.root) return outline;
  for (const codec::YamlEntry& entry : document.root->entries) {
    const codec::YamlNode& value = entry.value;
    if (entry.key == "name" && value.kind == codec::YamlKind::kScalar && value.text.find('/') == std::string::npos)
      outline.name = value.text;
    if (entry.key != "services") continue;
    for (const codec::YamlEntry& service : value.entries) outline.services.push_back(service.key);
  }
  return outline;
}

}  // namespace freehold::cli
