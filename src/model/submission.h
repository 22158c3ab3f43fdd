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
  v("path", source.path, {.meaning = "relative to the root file's folder", .needed = true});
  v("text", source.text, {.needed = true});
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
  v("file", request.file, {.meaning = "the root file: its path in `sources`", .needed = true});
  v("sources", request.sources, {.meaning = "the root file and what it includes", .needed = true});
  v("environment", request.environment, {"what ${env.NAME} stands for"});
  v("releases", request.releases, {"by service: the files that it names, whose contents were sent before"});
  v("files", request.files, {"by folder, as a route names it: its files"});
  v("secrets", request.secrets, {"values by name; kept sealed, never given back"});
  v("message", request.message, {"why, for the history"});
  v("base", request.base, {"refused with `conflict` if this generation is not current any more"});
}

}  // namespace freehold::model
