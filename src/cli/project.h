// Project: the organisation's file with everything that it points at, read as the person who runs the command.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/invocation.h"
#include "contents/capture.h"
#include "model/file.h"
#include "model/submission.h"
#include "os/disk.h"

namespace freehold::cli {

struct Project {
  model::Submission submission;
  model::Organisation organisation;
  std::vector<contents::Capture> captures;  // to read the blobs from again
  model::Diagnostics warnings;
};

// Either a project, or what is wrong with the file.
struct LoadedProject {
  std::optional<Project> project;
  model::Diagnostics diagnostics;  // of the text
  std::vector<Error> problems;     // of what the text points at: a missing program, a folder that cannot be read
};

// The file that this call means: the argument, --config, ./freehold.yaml, or the machine's where that is not there.
std::string config_path(const Invocation& invocation);

// Reads the file, its includes and the secrets. With `with_contents`, also the programs and folders, by content.
enum class Depth { kTextOnly, kWithContents };
LoadedProject load_project(os::Disk& disk, const std::string& path, Depth depth);

class Session;
// Sends one captured blob. A file that changed since fails: what was planned is what is applied.
Result<void> upload_blob(Session& session, const contents::Capture& capture, const std::string& digest);

// What can be said of a file without reading what it names, and though something in it is wrong.
struct Outline {
  std::string name;                   // of the organisation, for finding the state directory; empty if there is none
  std::vector<std::string> services;  // of the root file alone
};
Outline outline_of(os::Disk& disk, const std::string& path);

// Shows what is wrong with the file, all of it; kBadFile.
int fail(const Invocation& invocation, const LoadedProject& loaded);
// Shows the warnings of a file that can be used, and, to people, its errors.
void show_findings(const Invocation& invocation, const LoadedProject& loaded);

}  // namespace freehold::cli
