#include "model/reading.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "model/names.h"

namespace freehold::model {
namespace {

constexpr size_t kLongestText = 4096;

std::string describe(const Value& value) {
  if (value.is_list()) return "be a list";
  if (value.is_mapping()) return "be a mapping";
  if (value.is_nothing()) return "be empty";
  return "be " + quote(value.node->text);
}

// The text of a plain scalar, or a refusal that says why a quoted one is none.
std::optional<std::string_view> plain_text(Reading& reading, const Value& value, std::string_view what,
                                           std::string_view expected) {
  if (!value.is_scalar() || value.is_nothing()) {
    refuse(reading, value, what, expected);
    return std::nullopt;
  }
  if (!value.node->plain) {
    reading.report.error(value.place(), fmt::format("{} cannot be a quoted text", what),
                         {fmt::format("expected: {}", expected), "remove the quotes"});
    return std::nullopt;
  }
  return value.node->text;
}

bool parse_whole(std::string_view text, uint64_t& number) {
  auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failure == std::errc() && stop == text.data() + text.size();
}

template <class T>
std::optional<T> parse_unit(Reading& reading, const Value& value, std::string_view what, std::string_view expected,
                            Result<T> (*parse)(std::string_view)) {
  // Units are letters, so quotes around them change nothing that a person could mean.
  if (!value.is_scalar() || value.is_nothing()) {
    refuse(reading, value, what, expected);
    return std::nullopt;
  }
  auto parsed = parse(value.node->text);
  if (parsed) return *parsed;
  uint64_t number = 0;
  std::vector<std::string> hints = {fmt::format("expected: {}", expected)};
  if (parse_whole(value.node->text, number)) hints.emplace_back("a unit is missing");
  reading.report.error(value.place(), fmt::format("{} cannot {}", what, describe(value)), std::move(hints));
  return std::nullopt;
}

std::string list_built(std::span<const Key> keys) {
  std::vector<std::string> names;
  for (const Key& key : keys) {
    if (key.status == Status::kBuilt) names.emplace_back(key.name);
  }
  return join(names, ", ");
}

std::string near_hint(std::string_view name, std::span<const Key> keys) {
  std::vector<std::string_view> names;
  for (const Key& key : keys) names.push_back(key.name);
  std::string_view near = near_name(name, names);
  if (!near.empty()) return fmt::format("did you mean '{}'?", near);
  return fmt::format("expected: {}", list_built(keys));
}

const Key* find_key(std::string_view name, std::span<const Key> keys) {
  auto found = std::ranges::find(keys, name, &Key::name);
  return found == keys.end() ? nullptr : &*found;
}

}  // namespace

void refuse(Reading& reading, const Value& value, std::string_view what, std::string_view expected) {
  reading.report.error(value.place(), fmt::format("{} cannot {}", what, describe(value)),
                       {fmt::format("expected: {}", expected)});
}

void refuse_unbuilt(Reading& reading, const Place& place, std::string_view name, std::string_view where) {
  reading.report.error(place, fmt::format("{} in {} is known, but not built yet in this version", quote(name), where));
}

std::optional<std::string> read_text(Reading& reading, const Value& value, std::string_view what,
                                     std::string_view expected) {
  if (!value.is_scalar() || value.is_nothing() || value.node->text.empty()) {
    refuse(reading, value, what, expected);
    return std::nullopt;
  }
  const std::string& text = value.node->text;
  if (text.size() > kLongestText) {
    reading.report.error(value.place(), fmt::format("{} is longer than {} bytes", what, kLongestText));
    return std::nullopt;
  }
  if (std::ranges::any_of(text, [](char c) { return (c >= 0 && c < ' ') || c == 0x7F; })) {
    reading.report.error(value.place(), fmt::format("{} holds a control character or a line end", what));
    return std::nullopt;
  }
  size_t dollar = text.find("${");
  if (dollar != std::string::npos) {
    reading.report.error(value.part(dollar, 2), fmt::format("{} takes no substitutions", what),
                         {"'${...}' works in run, prepare, env and health.exec"});
    return std::nullopt;
  }
  return text;
}

std::optional<uint64_t> read_count(Reading& reading, const Value& value, std::string_view what, uint64_t least,
                                   uint64_t most) {
  std::string expected = fmt::format("a whole number from {} to {}", least, most);
  auto text = plain_text(reading, value, what, expected);
  if (!text) return std::nullopt;
  uint64_t number = 0;
  if (parse_whole(*text, number) && number >= least && number <= most) return number;
  refuse(reading, value, what, expected);
  return std::nullopt;
}

std::optional<double> read_number(Reading& reading, const Value& value, std::string_view what, double least,
                                  double most) {
  std::string expected = fmt::format("a number from {} to {}", least, most);
  auto text = plain_text(reading, value, what, expected);
  if (!text) return std::nullopt;
  double number = 0;
  auto [stop, failure] = std::from_chars(text->data(), text->data() + text->size(), number, std::chars_format::fixed);
  if (failure == std::errc() && stop == text->data() + text->size() && number >= least && number <= most) {
    return number;
  }
  refuse(reading, value, what, expected);
  return std::nullopt;
}

std::optional<Duration> read_duration(Reading& reading, const Value& value, std::string_view what, Zero zero) {
  constexpr std::string_view kExpected = "a duration such as 250ms, 15s, 5m, 2h or 30d";
  auto duration = parse_unit<Duration>(reading, value, what, kExpected, parse_duration);
  if (!duration) return std::nullopt;
  constexpr Duration kLongest = std::chrono::days(365);
  if (*duration > kLongest || (zero == Zero::kRefused && *duration == Duration::zero())) {
    refuse(reading, value, what, zero == Zero::kRefused ? "more than 0s, at most 365d" : "at most 365d");
    return std::nullopt;
  }
  return duration;
}

std::optional<Bytes> read_bytes(Reading& reading, const Value& value, std::string_view what, Bytes least) {
  auto bytes = parse_unit<Bytes>(reading, value, what, "a size such as 256MiB, 10GiB or 1GB", parse_bytes);
  if (bytes && *bytes < least) {
    refuse(reading, value, what, fmt::format("at least {}", format(least)));
    return std::nullopt;
  }
  return bytes;
}

std::optional<Rate> read_rate(Reading& reading, const Value& value, std::string_view what) {
  auto rate = parse_unit<Rate>(reading, value, what, "a rate such as 5/10m", parse_rate);
  if (rate && rate->count == 0) {
    refuse(reading, value, what, "a rate of 1 or more");
    return std::nullopt;
  }
  return rate;
}

std::optional<size_t> read_choice(Reading& reading, const Value& value, std::string_view what,
                                  std::span<const Key> words) {
  if (!value.is_scalar() || value.is_nothing()) {
    refuse(reading, value, what, fmt::format("one of {}", list_built(words)));
    return std::nullopt;
  }
  const Key* word = find_key(value.node->text, words);
  if (word == nullptr) {
    reading.report.error(value.place(), fmt::format("{} cannot {}", what, describe(value)),
                         {near_hint(value.node->text, words)});
    return std::nullopt;
  }
  if (word->status == Status::kNotBuilt) {
    refuse_unbuilt(reading, value.place(), word->name, what);
    return std::nullopt;
  }
  return static_cast<size_t>(word - words.data());
}

std::vector<std::pair<const codec::YamlEntry*, Value>> read_entries(Reading& reading, const Value& value,
                                                                    std::string_view what, std::string_view expected) {
  std::vector<std::pair<const codec::YamlEntry*, Value>> out;
  if (!value.is_mapping()) {
    refuse(reading, value, what, expected);
    return out;
  }
  for (const codec::YamlEntry& entry : value.node->entries) out.push_back({&entry, {&entry.value, value.source}});
  return out;
}

std::string normalise(std::string_view path) {
  std::vector<std::string> parts;
  for (std::string_view part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == ".." && !parts.empty() && parts.back() != "..") {
      parts.pop_back();
    } else {
      parts.emplace_back(part);
    }
  }
  return parts.empty() ? "." : join(parts, "/");
}

std::optional<std::string> read_relative(Reading& reading, const Place& place, const std::string& path,
                                         std::string_view shown) {
  if (path.starts_with('/')) {
    reading.report.error(place, fmt::format("{} is an absolute path", quote(shown)),
                         {"expected: a path relative to this file, such as ./public"});
    return std::nullopt;
  }
  const std::string& folder = place.source->folder;
  std::string full = normalise(folder.empty() ? path : folder + "/" + path);
  if (full == ".." || full.starts_with("../")) {
    reading.report.error(place, fmt::format("{} leads out of the folder of the file", quote(shown)),
                         {"everything that is taken along lies beside or below the root file"});
    return std::nullopt;
  }
  if (full == ".") {
    reading.report.error(place, fmt::format("{} is the whole folder of the file", quote(shown)),
                         {"name a folder below it, so that secrets and other files stay out"});
    return std::nullopt;
  }
  return full;
}

Section::Section(Reading& reading, const Value& value, std::string what, std::span<const Key> keys)
    : value_(value), what_(std::move(what)) {
  if (!value.is_mapping()) {
    refuse(reading, value, what_, fmt::format("a mapping with keys such as {}", list_built(keys)));
    return;
  }
  for (const codec::YamlEntry& entry : value.node->entries) {
    if (reading.report.full()) break;
    Place place{value.source, entry.key_mark};
    const Key* key = find_key(entry.key, keys);
    if (key == nullptr && entry.key == kMergeKey) continue;  // YAML's reader has said so
    if (key == nullptr) {
      reading.report.error(place, fmt::format("unknown key {} in {}", quote(entry.key), what_),
                           {near_hint(entry.key, keys)});
    } else if (key->status == Status::kNotBuilt) {
      refuse_unbuilt(reading, place, key->name, what_);
    }
  }
}

std::optional<Value> Section::find(std::string_view key) const {
  for (const codec::YamlEntry& entry : value_.node->entries) {
    if (entry.key == key) return Value{&entry.value, value_.source};
  }
  return std::nullopt;
}

Place Section::key_place(std::string_view key) const {
  for (const codec::YamlEntry& entry : value_.node->entries) {
    if (entry.key == key) return {value_.source, entry.key_mark};
  }
  return value_.place();
}

std::string Section::name_of(std::string_view key) const { return fmt::format("{} of {}", key, what_); }

}  // namespace freehold::model
