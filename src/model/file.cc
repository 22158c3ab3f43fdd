#include "model/file.h"

#include <fmt/core.h>

#include <algorithm>
#include <deque>

#include "base/text.h"
#include "model/names.h"
#include "model/secrets.h"
#include "model/sections.h"

namespace freehold::model {
namespace {

constexpr size_t kMostFiles = 256;
constexpr size_t kDeepestInclude = 8;
constexpr size_t kMostBytes = 16 << 20;

std::string folder_of(const std::string& path) {
  size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

class FileParser {
 public:
  explicit FileParser(const FileInput& input) : input_(input), reading_(input) {
    size_t slash = input.path.rfind('/');
    prefix_ = slash == std::string::npos ? "" : input.path.substr(0, slash + 1);
  }

  ParsedFile parse();

 private:
  // Null if it could not be read; `from` is the include that names it, if one does.
  Source* load(const std::string& path, const Place* from);
  void read_root(const Source& source);
  void read_head(const Section& section);
  void read_timezone(const Value& value);
  void read_included(const Source& source);
  void read_shared(const Section& section);
  void read_includes(const Value& value);
  void include(const Value& item);
  void read_store();

  const FileInput& input_;
  Reading reading_;
  std::string prefix_;
  std::deque<Source> sources_;      // a deque: places point into it
  std::vector<std::string> chain_;  // the includes that lead to the file being read
  std::map<std::string, Place> included_;
  size_t bytes_ = 0;
  std::map<std::string, std::string> secrets_;
};

Source* FileParser::load(const std::string& path, const Place* from) {
  auto text = input_.load(prefix_ + path);
  Source& source = sources_.emplace_back();
  source.index = static_cast<uint32_t>(sources_.size() - 1);
  source.path = path;
  source.shown = prefix_ + path;
  source.folder = folder_of(path);
  if (!text) {
    if (from == nullptr) {
      reading_.report.error_of_file(source, text.error().message());
    } else {
      reading_.report.error(*from, fmt::format("cannot include {}: {}", quote(path), text.error().message()));
    }
    return nullptr;
  }
  source.text = *std::move(text);
  bytes_ += source.text.size();
  if (bytes_ > kMostBytes) {
    reading_.report.error_of_file(source, fmt::format("the files together have more than {} bytes", kMostBytes));
    return nullptr;
  }
  source.document = codec::parse_yaml(source.text);
  reading_.report.yaml_problems(source);
  return source.document.root ? &source : nullptr;
}

void FileParser::read_timezone(const Value& value) {
  constexpr std::string_view kExpected = "a time zone such as UTC or Atlantic/Reykjavik";
  auto zone = read_text(reading_, value, "timezone", kExpected);
  if (!zone) return;
  if (!is_timezone(*zone)) return refuse(reading_, value, "timezone", kExpected);
  if (input_.timezone_exists && !input_.timezone_exists(*zone)) {
    reading_.report.error(value.place(), fmt::format("the time zone {} is not known on this machine", quote(*zone)),
                          {fmt::format("expected: {}", kExpected)});
    return;
  }
  reading_.organisation.timezone = *zone;
}

void FileParser::read_head(const Section& section) {
  if (auto version = section.find("freehold")) {
    if (!version->is_scalar() || version->node->text != "1") {
      refuse(reading_, *version, "freehold", "1, the version of the language that this program reads");
    }
  } else {
    reading_.report.error(section.value().place(), "the file has no 'freehold'",
                          {"expected: freehold: 1, the version of its language"});
  }
  if (auto name = section.find("name")) {
    auto text = read_text(reading_, *name, "name", kNameRule);
    if (text && !is_name(*text)) {
      refuse(reading_, *name, "name", kNameRule);
    } else if (text) {
      reading_.organisation.name = *text;
    }
  } else {
    reading_.report.error(section.value().place(), "the file has no 'name'",
                          {"expected: name: coop, the organisation's name"});
  }
  if (auto timezone = section.find("timezone")) read_timezone(*timezone);
  if (auto secrets = section.find("secrets")) read_secrets_section(reading_, *secrets);
  if (auto gateway = section.find("gateway")) read_gateway(reading_, *gateway);
  if (auto logs = section.find("logs")) read_logs(reading_, *logs);
  if (auto events = section.find("events")) read_events(reading_, *events);
}

void FileParser::read_root(const Source& source) {
  Section section(reading_, {&*source.document.root, &source}, "the file", kFileKeys);
  if (!section.valid()) return;
  read_head(section);
  read_shared(section);
}

void FileParser::read_included(const Source& source) {
  Value root{&*source.document.root, &source};
  if (root.is_nothing()) return;
  Section section(reading_, root, "an included file", kFileKeys);
  if (!section.valid()) return;
  for (const Key& key : kFileKeys) {
    bool allowed = std::ranges::find(kIncludedKeys, key.name) != std::end(kIncludedKeys);
    if (allowed || key.status == Status::kNotBuilt || !section.has(key.name)) continue;
    reading_.report.error(section.key_place(key.name), fmt::format("'{}' may stand only in the root file", key.name),
                          {"an included file holds services, routes and include"});
  }
  read_shared(section);
}

void FileParser::read_shared(const Section& section) {
  if (auto services = section.find("services")) read_services(reading_, *services);
  if (auto routes = section.find("routes")) {
    if (!reading_.routes) reading_.routes = section.key_place("routes");
    read_routes(reading_, *routes);
  }
  if (auto includes = section.find("include")) read_includes(*includes);
}

void FileParser::read_includes(const Value& value) {
  if (!value.is_list()) return refuse(reading_, value, "include", "a list of files, such as [services/web.yaml]");
  for (const codec::YamlNode& node : value.node->items) include({&node, value.source});
}

void FileParser::include(const Value& item) {
  auto text = read_text(reading_, item, "an item of include", "the path of a file");
  auto path = text ? read_relative(reading_, item.place(), *text, *text) : std::nullopt;
  if (!path) return;
  Place place = item.place();
  auto in_chain = std::ranges::find(chain_, *path);
  if (in_chain != chain_.end()) {
    std::string circle;
    for (auto step = in_chain; step != chain_.end(); ++step) circle += *step + " → ";
    reading_.report.error(place, fmt::format("files include each other in a circle: {}{}", circle, *path));
    return;
  }
  auto [first, inserted] = included_.emplace(*path, place);
  if (!inserted) {
    reading_.report.error(place, fmt::format("{} is included twice", quote(*path)),
                          {fmt::format("see {}", at(first->second))});
    return;
  }
  if (chain_.size() > kDeepestInclude || sources_.size() >= kMostFiles) {
    reading_.report.error(place,
                          fmt::format("more than {} files, or includes deeper than {}", kMostFiles, kDeepestInclude));
    return;
  }
  const Source* source = load(*path, &place);
  if (source == nullptr) return;
  chain_.push_back(*path);
  read_included(*source);
  chain_.pop_back();
}

void FileParser::read_store() {
  const std::string& path = reading_.organisation.secret_store;
  if (path.empty()) return;
  if (!input_.load_secrets) {
    if (input_.secret_names) check_secrets(reading_, *input_.secret_names);
    return;
  }
  std::string full = path.starts_with('/') ? path : prefix_ + path;
  auto text = input_.load_secrets(full);
  if (!text) {
    reading_.report.error(*reading_.secret_store,
                          fmt::format("cannot read the secrets' store: {}", text.error().message()),
                          {"it is a YAML file of names and values, readable by you alone"});
    return;
  }
  Source& store = sources_.emplace_back();
  store.index = static_cast<uint32_t>(sources_.size() - 1);
  store.path = path;
  store.shown = full;
  store.text = *std::move(text);
  secrets_ = read_secrets(reading_.report, store);
  if (!store.document.root) return;
  std::set<std::string> names;
  for (const auto& [name, value] : secrets_) names.insert(name);
  check_secrets(reading_, names);
}

ParsedFile FileParser::parse() {
  ParsedFile out;
  std::string root = input_.path.substr(prefix_.size());
  const Source* source = load(root, nullptr);
  if (source != nullptr) {
    chain_.push_back(root);
    read_root(*source);
    check_references(reading_);
    read_store();
  }
  for (Source& each : sources_) {
    if (!each.confidential) out.sources.push_back({each.path, each.text});
  }
  out.environment = std::move(reading_.environment);
  for (const SecretMention& use : reading_.secret_uses) out.secrets_used.insert(use.name);
  if (!reading_.report.has_errors()) {
    out.organisation = std::move(reading_.organisation);
    out.secrets = std::move(secrets_);
  }
  out.diagnostics = reading_.report.finish();
  return out;
}

}  // namespace

ParsedFile parse_file(const FileInput& input) { return FileParser(input).parse(); }

}  // namespace freehold::model
