// The llhttp test corpus: Markdown files with a case per heading, read at run time from $FREEHOLD_CORPORA/http1.
//
// A case is a heading, a comment `<!-- meta={"type": "request", ...} -->`, a block ```http with the bytes (line ends
// become CRLF, a backslash at the end joins lines, \r \n \t \f \xNN are escapes), and a block ```log with what that
// parser reports: spans, completions and errors with their offsets. For tests only.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace freehold::http {

struct CorpusMessage {
  std::string method;
  std::string url;
  std::string status_reason;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  bool complete = false;
};

struct CorpusCase {
  std::string file;
  std::string name;
  std::string type;        // "request", "response", "request-lenient-...", "request-finish", ...
  bool skip_body = false;  // its caller says that the message has no body, as after HEAD
  std::string bytes;
  std::vector<CorpusMessage> messages;  // those whose heads were complete
  bool refused = false;
  std::string error;
};

// All cases below `folder` (request/*.md or response/*.md), in the order of file names.
std::vector<CorpusCase> read_corpus(const std::string& folder);

}  // namespace freehold::http
