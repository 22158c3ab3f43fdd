// Submission: everything that an apply is made of, as the command line hands it to control.
//
// The caller read the file and what it points at with its own permissions; control parses the texts again with the same
// code and gets the same Organisation. Blobs that the manifests name are uploaded before.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "codec/fields.h"

namespace freehold::model {

using codec::Of;

struct SourceText {
  std::string path;  // relative to the root file's folder
  std::string text;
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, SourceText>& source) {
  v("path", source.path);
  v("text", source.text);
}

struct Submission {
  std::string file;                                // the root file's path in `sources`
  std::vector<SourceText> sources;                 // it and its includes
  std::map<std::string, std::string> environment;  // what ${env.NAME} was replaced with
  std::map<std::string, codec::Json> releases;     // service -> manifest of its captured files
  std::map<std::string, codec::Json> files;        // folder of a route -> manifest
  std::map<std::string, std::string> secrets;      // name -> value
  std::string message;
  std::optional<uint64_t> base;  // refused with `conflict` if this generation is not current any more
};
template <class Visitor>
void fields(Visitor& v, Of<Visitor, Submission>& request) {
  v("file", request.file);
  v("sources", request.sources);
  v("environment", request.environment);
  v("releases", request.releases);
  v("files", request.files);
  v("secrets", request.secrets);
  v("message", request.message);
  v("base", request.base);
}

}  // namespace freehold::model
