// What is wrong with the file, for a person: where, the line, a caret, what was expected.
//
//   freehold.yaml:12:5: error: unknown key 'repilcas' in service 'web'
//      12 |     repilcas: 3
//         |     ^~~~~~~~
//      did you mean 'replicas'?
//
// Texts in a Diagnostic are safe to print: control characters are replaced when it is added. Of a confidential file
// (the secrets' store) no line is kept. Values only; not thread safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"

namespace freehold::model {

enum class Severity { kError, kWarning };
enum class Colour { kNever, kAlways };

struct Diagnostic {
  Severity severity = Severity::kError;
  std::string file;
  uint32_t line = 0;    // from 1; 0: the whole file
  uint32_t column = 0;  // in characters, from 1
  uint32_t length = 1;  // in characters
  std::string message;
  std::vector<std::string> hints;  // a line each
  std::string source;              // the line as it stands in the file; empty if it is not to be shown
};

class Diagnostics {
 public:
  // More than this many are counted, not kept.
  static constexpr size_t kMost = 200;

  void add(Diagnostic diagnostic);

  bool empty() const { return items_.empty(); }
  size_t errors() const { return errors_; }
  const std::vector<Diagnostic>& items() const { return items_; }

  std::string format(Colour colour) const;
  // [{"file","line","column","severity","message","hint"}]; hints are joined by line ends.
  codec::Json to_json() const;

 private:
  std::vector<Diagnostic> items_;
  size_t errors_ = 0;
  size_t dropped_ = 0;
};

// Printable (base/display.h), cut at 60 characters, in single quotes: for use inside a message.
std::string quote(std::string_view text);

}  // namespace freehold::model
