// Capturing: reads a user's files into a Manifest, and their bytes again when the other side wants them.
//
//   FH_ASSIGN(Capture captured, capture(disk, folder_of_the_file, {"bin/web", "assets"}, {}));
//   ... ask which digests of captured.manifest are missing there, then for each:
//   FH_TRY(read_captured(disk, captured, digest, [&](std::string_view piece) { return upload.append(piece); }));
//
// Paths are relative to `base`, as the file writes them; "." is all of it. One that is itself a link, or lies behind
// one, is taken as what the link leads to, if that is inside `base`. Links within folders stay links and must lead to
// something that is taken along. Refused, naming the path: devices, sockets and FIFOs, links that lead out, names that
// are no UTF-8 (kInvalid); more than the limits (kExhausted); a file that changes while it is read (kConflict).
#pragma once

#include <map>
#include <span>
#include <string>

#include "contents/contents.h"
#include "contents/manifest.h"

namespace freehold::contents {

struct Capture {
  Manifest manifest;
  std::map<std::string, std::string, std::less<>> sources;  // digest -> a file that has this content
};

Result<Capture> capture(os::Disk& disk, const std::string& base, std::span<const std::string> paths,
                        const Limits& limits);

// Reads the file again. kConflict at the end if it is not what was captured any more.
Result<void> read_captured(os::Disk& disk, const Capture& capture, std::string_view digest, const Sink& sink);

}  // namespace freehold::contents
