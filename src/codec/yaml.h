// YAML text into a tree that remembers where each value stands, for files that people write.
//
// A subset on purpose: one document, UTF-8, keys are single words; tags and merge keys (`<<`) are refused, because what
// a value means is the schema's business. Scalars stay text: `no`, `1e3` and `~` mean what the reader of the tree makes
// of them. Anchors and aliases work; what they expand to is bounded, so that a few lines cannot fill the memory.
//
// Problems that leave the structure readable (duplicate keys, tags) are collected; a syntax error ends the reading.
// With `confidential`, no message holds a piece of the text, and aliases are refused. Pure; any thread. Source:
// YAML 1.1 as libyaml reads it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace freehold::codec {

struct YamlMark {
  uint32_t offset = 0;  // bytes from the start of the text
  uint32_t length = 0;  // bytes; 1 for lists and mappings
  uint32_t line = 1;    // lines end with LF
  uint32_t column = 1;  // counts characters, not bytes
};

enum class YamlKind { kScalar, kList, kMapping };

struct YamlEntry;

struct YamlNode {
  YamlKind kind = YamlKind::kScalar;
  bool plain = true;  // a scalar without quotes and not a block (| or >)
  YamlMark mark;
  std::string text;                // of a scalar
  std::vector<YamlNode> items;     // of a list
  std::vector<YamlEntry> entries;  // of a mapping, in the order of the text, each key once
};

struct YamlEntry {
  std::string key;
  YamlMark key_mark;
  YamlNode value;
};

struct YamlProblem {
  YamlMark mark;
  std::string message;
  std::string hint;               // what to do; may be empty
  std::optional<YamlMark> first;  // the other place that the message speaks of
};

struct YamlLimits {
  size_t bytes = 4 << 20;
  size_t depth = 32;
  size_t nodes = 300'000;
  size_t aliased_nodes = 20'000;  // what anchors and aliases may copy, in all
  size_t aliased_bytes = 1 << 20;
};

enum class YamlPrivacy { kOpen, kConfidential };

struct YamlDocument {
  std::optional<YamlNode> root;  // an empty text is an empty plain scalar; none after a syntax error
  std::vector<YamlProblem> problems;
};

YamlDocument parse_yaml(std::string_view text, const YamlLimits& limits, YamlPrivacy privacy = YamlPrivacy::kOpen);
inline YamlDocument parse_yaml(std::string_view text) { return parse_yaml(text, YamlLimits()); }

}  // namespace freehold::codec
