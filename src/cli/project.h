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

// The file that this call means: the argument, --config, or ./freehold.yaml.
std::string config_path(const Invocation& invocation);

// Reads the file, its includes and the secrets. With `with_contents`, also the programs and folders, by content.
enum class Depth { kTextOnly, kWithContents };
LoadedProject load_project(os::Disk& disk, const std::string& path, Depth depth);

class Session;
// Sends one captured blob. A file that changed since fails: what was planned is what is applied.
Result<void> upload_blob(Session& session, const contents::Capture& capture, const std::string& digest);

// The name in the file, for finding the state directory; empty if the file cannot be read.
std::string organisation_name(os::Disk& disk, const std::string& path);

}  // namespace freehold::cli
