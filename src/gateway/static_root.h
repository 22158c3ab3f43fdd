// StaticRoot: a folder out of which nothing can be opened but regular files and folders that lie in it.
//
// The kernel resolves the path beneath the folder and follows no symlink (openat2, Linux 5.6); where that call is
// missing or forbidden each component is opened by itself without following, which gives the same answer.
// Immutable after open(); usable from any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/units.h"
#include "os/fd.h"

namespace freehold::gateway {

struct StaticFile {
  os::Fd fd;
  bool folder = false;
  uint64_t size = 0;
  Duration changed{};  // since the epoch. The inode's own time: it can't be set back, unlike the time of modification
  uint64_t inode = 0;
};

class StaticRoot {
 public:
  // `folder` ends in the digest of what it holds; the digest becomes part of every ETag.
  static Result<std::unique_ptr<StaticRoot>> open(const std::string& folder);

  // `path` is relative, without "." and ".." ("" is the folder itself). kNotFound for whatever can't be served.
  Result<StaticFile> open_file(std::string_view path) const;
  const std::string& tag() const { return tag_; }

  // For tests: goes through the fallback although the kernel has openat2.
  void use_fallback() { fallback_ = true; }

 private:
  StaticRoot(os::Fd folder, std::string tag) : folder_(std::move(folder)), tag_(std::move(tag)) {}
  int open_beneath(const std::string& path) const;
  int open_stepwise(const std::string& path) const;

  os::Fd folder_;
  std::string tag_;
  bool fallback_ = false;
};

}  // namespace freehold::gateway
