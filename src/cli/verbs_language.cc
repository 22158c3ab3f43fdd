// init, fmt, explain, schema: the verbs that help with writing the file.
#include <fmt/core.h>

#include "api/openapi.h"
#include "base/text.h"
#include "cli/line_diff.h"
#include "cli/project.h"
#include "cli/verbs.h"
#include "codec/yaml.h"
#include "codec/yaml_layout.h"
#include "model/language.h"
#include "os/disk.h"

namespace freehold::cli {
namespace {

constexpr Bytes kLargestFile{4 << 20};
constexpr size_t kLongestName = 39;
constexpr int kMostLinks = 8;

// The organisation's name, made from that of the folder.
std::string name_from(std::string_view folder) {
  std::string name;
  for (char c : to_lower(folder)) {
    bool letter = c >= 'a' && c <= 'z';
    bool fits = letter || (!name.empty() && ((c >= '0' && c <= '9') || c == '-'));
    if (fits)
      name += c;
    else if (!name.empty() && !name.ends_with('-'))
      name += '-';
  }
  name = name.substr(0, kLongestName);
  while (name.ends_with('-')) name.pop_back();
  return name.empty() ? "coop" : name;
}

std::string starter(const std::string& name) {
  return fmt::format(R"(# What runs here, and how it is reached.
#   freehold plan              what a change would do
#   freehold up                does it, without losing a request
#   freehold explain KEY       what a word of this file means
freehold: 1
name: {}

# Programs. Freehold starts them, watches them, replaces them one by one.
# services:
#   web:
#     run: ./bin/web --port ${{PORT}}   # a program beside this file; PORT is chosen for each instance
#     replicas: 2
#     env: {{GREETING: hello}}
#     health: {{http: /health}}         # it gets requests once this answers
#     limits: {{memory: 256MiB}}
#     volumes: {{data: {{writers: many}}}}  # a folder that outlives it: ${{volume.data.path}}

# Where users arrive. Ports below 1024 need root.
gateway: {{listen: "127.0.0.1:8080"}}
routes:
  - paths:
      "/*": {{files: ./public}}         # a folder beside this file, or {{to: web}}
)",
                     name);
}

constexpr std::string_view kStarterPage = R"(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>It works</title>
<h1>It works</h1>
<p>This is <code>public/index.html</code>. Change it, and run <code>freehold up</code>.</p>
</html>
)";

Result<void> create_new(os::Disk& disk, const std::string& path, std::string_view text) {
  auto there = disk.info(path);
  if (there) return Error(ErrorCode::kConflict, fmt::format("{} is there already; nothing was written", path));
  if (there.error().code() != ErrorCode::kNotFound) return there.error();
  return disk.write_durably(path, text, 0644);
}

// The file keeps its owner and mode, and stays a symlink if it is one.
Result<void> replace_text(os::Disk& disk, const std::string& path, std::string_view text) {
  std::string target = path;
  FH_ASSIGN(os::FileInfo info, disk.info(target));
  for (int hops = 0; info.kind == os::FileKind::kSymlink; ++hops) {
    if (hops == kMostLinks) return Error(ErrorCode::kInvalid, fmt::format("{}: too many symbolic links", path));
    FH_ASSIGN(std::string link, disk.read_link(target));
    target = link.starts_with('/') ? link : os::join_path(os::parent_path(target), link);
    FH_ASSIGN(info, disk.info(target));
  }
  FH_TRY(disk.write_durably(target, text, info.mode));
  FH_ASSIGN(os::FileInfo now, disk.info(target));
  if (now.owner == info.owner && now.group == info.group) return {};
  return disk.set_owner(target, info.owner, info.group);
}

// The file and those that it includes, or the one that was named.
Result<std::vector<std::string>> files_to_lay_out(os::Disk& disk, const Invocation& invocation) {
  std::string root = config_path(invocation);
  LoadedProject loaded = load_project(disk, root, Depth::kTextOnly);
  std::vector<std::string> paths = {root};
  if (!loaded.project) return paths;  // lay_out_yaml says what cannot be read
  std::string folder = root.substr(0, root.rfind('/') + 1);
  for (const model::SourceText& source : loaded.project->submission.sources) {
    std::string path = folder + source.path;
    if (path != root) paths.push_back(path);
  }
  return paths;
}

}  // namespace

int run_explain(const Invocation& invocation) {
  auto found = model::explain(invocation.arguments.empty() ? "" : invocation.arguments[0]);
  if (!found) return fail(invocation, found.error());
  if (invocation.output != OutputForm::kHuman) return print_list(invocation, codec::to_json(*found));
  for (size_t i = 0; i < found->size(); ++i) print((i > 0 ? "\n" : "") + model::render((*found)[i]));
  return kDone;
}

int run_schema(const Invocation& invocation) {
  codec::Json schema = invocation.api ? api::api_description() : model::json_schema();
  print((invocation.output == OutputForm::kHuman ? schema.dump_pretty() : schema.dump()) + "\n");
  return kDone;
}

int run_init(const Invocation& invocation) {
  os::Disk& disk = os::system_disk();
  std::string path = config_path(invocation);
  std::string folder = path.substr(0, path.rfind('/') + 1);
  // The folder's own name, also where it is the working directory.
  auto full = disk.read_link("/proc/self/cwd");
  if (!full) return fail(invocation, full.error());
  std::string whole = folder.starts_with('/') ? folder : *full + "/" + folder;
  while (whole.ends_with('/')) whole.pop_back();
  std::string name = name_from(whole.substr(whole.rfind('/') + 1));
  auto written = create_new(disk, path, starter(name));
  if (!written) return fail(invocation, written.error());
  std::vector<std::string> made = {path};
  std::string page = folder + "public/index.html";
  if (!disk.info(folder + "public")) {
    auto there = disk.make_directories(folder + "public", 0755);
    if (there) there = create_new(disk, page, kStarterPage);
    if (!there) return fail(invocation, there.error());
    made.push_back(page);
  }
  if (invocation.output != OutputForm::kHuman) {
    codec::Json files = codec::Json::array();
    for (const std::string& each : made) files.push(each);
    print(codec::Json().set("name", name).set("files", std::move(files)).dump() + "\n");
    return kDone;
  }
  for (const std::string& each : made) print(fmt::format("wrote {}\n", each));
  print(fmt::format("'{}' is ready: freehold up\n", name));
  return kDone;
}

int run_fmt(const Invocation& invocation) {
  os::Disk& disk = os::system_disk();
  auto paths = files_to_lay_out(disk, invocation);
  if (!paths) return fail(invocation, paths.error());
  codec::Json changed = codec::Json::array();
  for (const std::string& path : *paths) {
    auto text = disk.read(path, kLargestFile);
    if (!text) return fail(invocation, text.error());
    auto laid_out = codec::lay_out_yaml(*text);
    if (!laid_out) {
      // Where it is wrong, if that is known.
      LoadedProject loaded = load_project(disk, config_path(invocation), Depth::kTextOnly);
      if (!loaded.project) return fail(invocation, loaded);
      return fail(invocation, Error(ErrorCode::kInvalid, fmt::format("{}: {}", path, laid_out.error().message())));
    }
    if (*laid_out == *text) continue;
    changed.push(path);
    if (invocation.diff) {
      if (invocation.output == OutputForm::kHuman) print(line_diff(path, *text, *laid_out));
      continue;
    }
    auto written = replace_text(disk, path, *laid_out);
    if (!written) return fail(invocation, written.error());
    if (invocation.output == OutputForm::kHuman) talk(fmt::format("laid out {}\n", path));
  }
  bool any = !changed.items().empty();
  if (invocation.output != OutputForm::kHuman) print(codec::Json().set("changed", std::move(changed)).dump() + "\n");
  return invocation.diff && any ? kChanges : kDone;
}

}  // namespace freehold::cli
