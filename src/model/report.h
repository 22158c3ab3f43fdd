// Collects what is wrong while the file is read, and puts it into the order of the text at the end. Internal to model.
#pragma once

#include <deque>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "codec/yaml.h"
#include "model/diagnostics.h"

namespace freehold::model {

// One text that is being read. Stays where it is until the parse is over: places point at it.
struct Source {
  uint32_t index = 0;
  std::string shown;   // its name in messages
  std::string path;    // relative to the folder of the root file
  std::string folder;  // of `path`, without a final slash; empty for the root's
  std::string text;
  bool confidential = false;
  codec::YamlDocument document;
};

struct Place {
  const Source* source = nullptr;
  codec::YamlMark mark;
};
// "freehold.yaml:12:5"
std::string at(const Place& place);

// A node and the text that it comes from.
struct Value {
  const codec::YamlNode* node = nullptr;
  const Source* source = nullptr;

  Place place() const { return {source, node->mark}; }
  // A part of a scalar, as bytes of its text; the whole scalar where the text in the file differs (escapes, folding).
  Place part(size_t offset, size_t length) const;
  bool is_list() const { return node->kind == codec::YamlKind::kList; }
  bool is_mapping() const { return node->kind == codec::YamlKind::kMapping; }
  bool is_scalar() const { return node->kind == codec::YamlKind::kScalar; }
  // `key:` with nothing after it, or ~.
  bool is_nothing() const {
    return is_scalar() && node->plain && (node->text.empty() || node->text == "~" || node->text == "null");
  }
};

class Report {
 public:
  void error(const Place& place, std::string message, std::vector<std::string> hints = {});
  void warning(const Place& place, std::string message, std::vector<std::string> hints = {});
  // Of a file as a whole.
  void error_of_file(const Source& source, std::string message, std::vector<std::string> hints = {});
  void yaml_problems(const Source& source);

  bool has_errors() const { return errors_ > 0; }
  // Nothing more is kept: whoever reads a long list may stop.
  bool full() const { return entries_.size() >= kMost; }
  Diagnostics finish();

 private:
  struct Entry {
    uint32_t source;
    uint32_t offset;
    size_t sequence;
    Diagnostic diagnostic;
  };
  // More than this many are not even collected: a file of four megabytes may be wrong everywhere.
  static constexpr size_t kMost = 1000;

  void add(Severity severity, const Place& place, std::string message, std::vector<std::string> hints);

  std::vector<Entry> entries_;
  size_t errors_ = 0;
};

}  // namespace freehold::model
