// Blobs by content: each is named by the SHA-256 of its bytes, so equal bytes are kept once, and what comes back can be
// checked.
//
//   FH_ASSIGN(auto store, ContentStore::open(disk, clock, state + "/control/contents", {}));
//   FH_ASSIGN(Upload upload, store->begin_upload());
//   FH_TRY(upload.append(bytes));            // as often as needed
//   FH_TRY(upload.finish(expected_digest));  // durable now
//
// On disk: ab/<digest> (0600), written in incoming/ first, synced, renamed. A blob that turns out damaged is moved to
// damaged/, so that the next apply brings it again. Errors: kNotFound, kInvalid (not a digest; not the expected one),
// kExhausted (larger than the limit; disk full), kCorrupt (bytes are not what the name says).
#pragma once

#include <bitset>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/units.h"
#include "codec/hash.h"
#include "os/clock.h"
#include "os/disk.h"

namespace freehold::contents {

// Takes the bytes of a blob piece by piece; its error stops the reading and is given back.
using Sink = std::function<Result<void>(std::string_view)>;

// Reading alone: what the agent does in the folder that control owns. Any thread.
class Contents {
 public:
  Contents(os::Disk& disk, std::string folder) : disk_(disk), folder_(std::move(folder)) {}
  virtual ~Contents() = default;

  Result<uint64_t> size(std::string_view digest) const;
  // Gives the bytes to `sink` as they are read. They are only known to be right once this has returned success.
  Result<void> copy(std::string_view digest, const Sink& sink) const;
  Result<std::string> read(std::string_view digest, Bytes limit) const;  // checked

 protected:
  std::string path_of(std::string_view digest) const;

  os::Disk& disk_;
  const std::string folder_;
};

class ContentStore;

// A blob that is arriving. Given up, and its bytes removed, when destroyed unfinished. Must not outlive its store.
class Upload {
 public:
  Upload(Upload&& other) noexcept;
  Upload& operator=(Upload&&) = delete;
  ~Upload();
  Result<void> append(std::string_view bytes);
  // Makes it a blob, durably. kInvalid, and no blob, if its digest is not `expected`.
  Result<void> finish(std::string_view expected);

 private:
  friend class ContentStore;
  Upload(ContentStore& store, std::string path, std::unique_ptr<os::WritableFile> file)
      : store_(store), path_(std::move(path)), file_(std::move(file)) {}

  ContentStore& store_;
  std::string path_;                        // empty: moved from
  std::unique_ptr<os::WritableFile> file_;  // none: finished or failed
  codec::Sha256 hash_;
  uint64_t size_ = 0;
};

struct Collected {
  uint64_t blobs = 0;
  Bytes bytes;
};

// The one writer of its folder. One thread at a time.
class ContentStore : public Contents {
 public:
  struct Options {
    Bytes most_blob{4ULL << 30};
    size_t most_uploads = 64;  // at the same time
  };
  // Creates the folder, or opens it and removes what an interrupted process was receiving.
  static Result<std::unique_ptr<ContentStore>> open(os::Disk& disk, const os::Clock& clock, std::string folder,
                                                    Options options);

  Result<Upload> begin_upload();
  // A small blob at once; gives its digest.
  Result<std::string> put(std::string_view bytes);
  // Whether it is here, durably; if so, collect() leaves it for the grace period from now. What an apply asks before it
  // uploads.
  Result<bool> hold(std::string_view digest);
  // Reads it all; a damaged one is set aside, and kCorrupt returned.
  Result<void> verify(std::string_view digest);
  // Removes the blobs that are not in `live` and were not uploaded or held during `grace`. Since no note of that
  // survives a restart, nothing is removed for `grace` after open().
  Result<Collected> collect(const std::set<std::string>& live, Duration grace);

 private:
  friend class Upload;
  ContentStore(os::Disk& disk, const os::Clock& clock, std::string folder, Options options)
      : Contents(disk, std::move(folder)), clock_(clock), options_(options), opened_(clock.monotonic()) {}
  Result<void> prepare();
  Result<void> adopt(const std::string& path, std::string_view digest);
  Result<void> settle(std::string_view digest);

  const os::Clock& clock_;
  const Options options_;
  const MonotonicTime opened_;
  std::map<std::string, MonotonicTime, std::less<>> held_;
  // By the first two digits: that folder's entries are durable. A process that died may have left some that are not.
  std::bitset<256> settled_;
  uint64_t next_upload_ = 0;
  size_t uploads_ = 0;
};

}  // namespace freehold::contents
