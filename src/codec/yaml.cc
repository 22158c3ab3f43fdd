#include "codec/yaml.h"

#include <fmt/core.h>
#include <yaml.h>

#include <map>
#include <unordered_map>

#include "codec/yaml_message.h"
#include "codec/yaml_text.h"

namespace freehold::codec {
namespace {

constexpr std::string_view kQuote = "put a value that starts with '!', '&' or '*' in quotes";

// What a copy of a node takes.
struct Weight {
  size_t nodes = 0;
  size_t bytes = 0;
  size_t depth = 0;
};

// Recursion is bounded: a tree is never deeper than YamlLimits::depth.
Weight weigh(const YamlNode& node) {
  Weight total{1, node.text.size(), 1};
  auto add = [&](const YamlNode& child) {
    Weight weight = weigh(child);
    total.nodes += weight.nodes;
    total.bytes += weight.bytes;
    total.depth = std::max(total.depth, weight.depth + 1);
  };
  for (const YamlNode& item : node.items) add(item);
  for (const YamlEntry& entry : node.entries) {
    total.bytes += entry.key.size();
    add(entry.value);
  }
  return total;
}

std::string text_of(const yaml_char_t* text) {
  return text == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(text));
}

class Builder {
 public:
  Builder(const YamlText& text, const YamlLimits& limits, YamlPrivacy privacy)
      : text_(text), limits_(limits), privacy_(privacy) {}

  // False: the reading ends here.
  bool take(const yaml_event_t& event);
  YamlMark mark_of(const yaml_event_t& event) const { return text_.mark(event.start_mark.index, event.end_mark.index); }
  void problem(YamlProblem problem) { document_.problems.push_back(std::move(problem)); }
  YamlDocument finish(bool complete);

 private:
  struct Level {
    YamlNode node;
    std::string anchor;
    std::optional<YamlNode> key;
  };
  struct Anchor {
    YamlNode node;
    Weight weight;
  };

  bool fail(const YamlMark& mark, std::string message, std::string_view hint) {
    problem({mark, std::move(message), std::string(hint), {}});
    return false;
  }
  std::string quoted(std::string_view what, std::string_view text) const {
    return privacy_ == YamlPrivacy::kOpen ? fmt::format("{} '{}'", what, text) : std::string(what);
  }
  bool count(const YamlMark& mark, size_t nodes);
  bool charge(const YamlMark& mark, const Weight& weight);
  bool prepare(const yaml_event_t& event, const yaml_char_t* tag, const yaml_char_t* anchor);
  bool open(const yaml_event_t& event, YamlKind kind, const yaml_char_t* anchor);
  bool close();
  bool scalar(const yaml_event_t& event);
  bool alias(const yaml_event_t& event);
  bool complete(YamlNode node, const std::string& anchor);
  bool place(YamlNode node);
  void refuse_duplicates(YamlNode& mapping);

  const YamlText& text_;
  const YamlLimits& limits_;
  YamlPrivacy privacy_;
  std::vector<Level> stack_;
  std::map<std::string, Anchor> anchors_;
  size_t nodes_ = 0;
  size_t aliased_nodes_ = 0;
  size_t aliased_bytes_ = 0;
  size_t documents_ = 0;
  YamlDocument document_;
};

bool Builder::count(const YamlMark& mark, size_t nodes) {
  nodes_ += nodes;
  if (nodes_ <= limits_.nodes) return true;
  return fail(mark, fmt::format("the file holds more than {} values", limits_.nodes), "split it, or say less");
}

bool Builder::charge(const YamlMark& mark, const Weight& weight) {
  aliased_nodes_ += weight.nodes;
  aliased_bytes_ += weight.bytes;
  if (aliased_nodes_ <= limits_.aliased_nodes && aliased_bytes_ <= limits_.aliased_bytes) return true;
  return fail(mark,
              fmt::format("the aliases of this file expand to more than {} values or {} bytes", limits_.aliased_nodes,
                          limits_.aliased_bytes),
              "write the repeated parts out");
}

// What is the same for scalars, lists and mappings.
bool Builder::prepare(const yaml_event_t& event, const yaml_char_t* tag, const yaml_char_t* anchor) {
  YamlMark mark = mark_of(event);
  if (tag != nullptr) {
    problem({mark, quoted("the tag", text_of(tag)) + " is not supported", std::string(kQuote), {}});
  }
  if (anchor != nullptr && privacy_ == YamlPrivacy::kConfidential) {
    return fail(mark, "anchors may not stand here", kQuote);
  }
  return count(mark, 1);
}

bool Builder::open(const yaml_event_t& event, YamlKind kind, const yaml_char_t* anchor) {
  Level level;
  level.node.kind = kind;
  level.node.mark = mark_of(event);
  level.node.mark.length = 1;
  if (stack_.size() >= limits_.depth) {
    return fail(level.node.mark, fmt::format("nested deeper than {} levels", limits_.depth), "");
  }
  level.anchor = text_of(anchor);
  stack_.push_back(std::move(level));
  return true;
}

void Builder::refuse_duplicates(YamlNode& mapping) {
  std::unordered_map<std::string_view, YamlMark> seen;
  for (const YamlEntry& entry : mapping.entries) {
    auto [first, inserted] = seen.emplace(entry.key, entry.key_mark);
    if (inserted) continue;
    problem({entry.key_mark, quoted("duplicate key", entry.key), "keep one of the two", first->second});
  }
  if (seen.size() == mapping.entries.size()) return;
  seen.clear();
  std::erase_if(mapping.entries, [&, kept = std::unordered_map<std::string, bool>()](const YamlEntry& entry) mutable {
    return !kept.emplace(entry.key, true).second;
  });
}

bool Builder::close() {
  Level level = std::move(stack_.back());
  stack_.pop_back();
  if (level.node.kind == YamlKind::kMapping) refuse_duplicates(level.node);
  return complete(std::move(level.node), level.anchor);
}

bool Builder::scalar(const yaml_event_t& event) {
  const auto& data = event.data.scalar;
  YamlNode node;
  node.mark = mark_of(event);
  node.plain = data.style == YAML_PLAIN_SCALAR_STYLE;
  node.text.assign(reinterpret_cast<const char*>(data.value), data.length);
  return complete(std::move(node), text_of(data.anchor));
}

bool Builder::alias(const yaml_event_t& event) {
  YamlMark mark = mark_of(event);
  std::string name = text_of(event.data.alias.anchor);
  if (privacy_ == YamlPrivacy::kConfidential) return fail(mark, "aliases may not stand here", kQuote);
  auto anchor = anchors_.find(name);
  if (anchor == anchors_.end()) {
    return fail(
        mark, quoted("unknown alias", "*" + name),
        "an alias names an anchor (&name) that is complete above it; a value that starts with '*' needs quotes");
  }
  const Weight& weight = anchor->second.weight;
  if (!charge(mark, weight) || !count(mark, weight.nodes)) return false;
  if (stack_.size() + weight.depth > limits_.depth) {
    return fail(mark, fmt::format("nested deeper than {} levels", limits_.depth), "");
  }
  return place(anchor->second.node);
}

bool Builder::complete(YamlNode node, const std::string& anchor) {
  if (!anchor.empty()) {
    Weight weight = weigh(node);
    // The kept copy costs as much as an expansion.
    if (!charge(node.mark, weight)) return false;
    anchors_.insert_or_assign(anchor, Anchor{node, weight});
  }
  return place(std::move(node));
}

bool Builder::place(YamlNode node) {
  if (stack_.empty()) {
    document_.root = std::move(node);
    return true;
  }
  Level& level = stack_.back();
  if (level.node.kind == YamlKind::kList) {
    level.node.items.push_back(std::move(node));
    return true;
  }
  if (!level.key) {
    if (node.kind != YamlKind::kScalar) {
      return fail(node.mark, "a key must be a single word, not a list or a mapping",
                  "put a value that starts with '[' or '{' in quotes");
    }
    if (node.plain && node.text == "<<") {
      problem({node.mark, "merge keys ('<<') are not supported", "write the keys out", {}});
    }
    level.key = std::move(node);
    return true;
  }
  level.node.entries.push_back({std::move(level.key->text), level.key->mark, std::move(node)});
  level.key.reset();
  return true;
}

bool Builder::take(const yaml_event_t& event) {
  switch (event.type) {
    case YAML_DOCUMENT_START_EVENT:
      if (++documents_ > 1) return fail(mark_of(event), "a second document starts here", "keep one document per file");
      return true;
    case YAML_SCALAR_EVENT:
      return prepare(event, event.data.scalar.tag, event.data.scalar.anchor) && scalar(event);
    case YAML_ALIAS_EVENT:
      return alias(event);
    case YAML_SEQUENCE_START_EVENT:
      return prepare(event, event.data.sequence_start.tag, event.data.sequence_start.anchor) &&
             open(event, YamlKind::kList, event.data.sequence_start.anchor);
    case YAML_MAPPING_START_EVENT:
      return prepare(event, event.data.mapping_start.tag, event.data.mapping_start.anchor) &&
             open(event, YamlKind::kMapping, event.data.mapping_start.anchor);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
      return close();
    default:
      return true;
  }
}

YamlDocument Builder::finish(bool complete) {
  if (!complete) {
    document_.root.reset();
  } else if (!document_.root) {
    document_.root.emplace();
  }
  return std::move(document_);
}

// Reads events until the end or the first failure; true if the whole text was read.
bool drive(yaml_parser_t& parser, Builder& builder, const YamlText& text, YamlPrivacy privacy) {
  for (;;) {
    yaml_event_t event;
    if (yaml_parser_parse(&parser, &event) == 0) {
      YamlMark mark = text.mark(parser.problem_mark.index, parser.problem_mark.index + 1);
      YamlMark opened = text.mark(parser.context_mark.index, parser.context_mark.index + 1);
      builder.problem(explain_yaml_error(text, privacy, parser.problem == nullptr ? "" : parser.problem,
                                         parser.context == nullptr ? "" : parser.context, mark, opened));
      return false;
    }
    bool last = event.type == YAML_STREAM_END_EVENT;
    bool going = builder.take(event);
    yaml_event_delete(&event);
    if (last || !going) return going;
  }
}

}  // namespace

YamlDocument parse_yaml(std::string_view text, const YamlLimits& limits, YamlPrivacy privacy) {
  YamlDocument failed;
  if (text.size() > limits.bytes) {
    failed.problems.push_back(
        {{}, fmt::format("the file has {} bytes, over the limit of {}", text.size(), limits.bytes), "split it", {}});
    return failed;
  }
  YamlText positions(text);
  if (positions.problem()) {
    failed.problems.push_back(*positions.problem());
    return failed;
  }
  Builder builder(positions, limits, privacy);
  yaml_parser_t parser;
  if (yaml_parser_initialize(&parser) == 0) std::abort();  // only out of memory, which ends the process
  std::string_view body = positions.body();
  yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&parser, reinterpret_cast<const unsigned char*>(body.data()), body.size());
  bool complete = drive(parser, builder, positions, privacy);
  yaml_parser_delete(&parser);
  return builder.finish(complete);
}

}  // namespace freehold::codec
