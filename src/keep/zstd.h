// Zstandard (RFC 8878), one frame with a checksum: a Compressor and its Decompressor, as stages of a stream.
//
// Both take pieces of any size and pass on what they made to a Sink; they hold a window of at most 8 MiB. Errors:
// kCorrupt for what is not exactly one whole frame, kExhausted for a frame that asks for a larger window. One thread at
// a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "contents/contents.h"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace freehold::keep {

using contents::Sink;

class Compressor {
 public:
  explicit Compressor(Sink sink);
  Result<void> write(std::string_view bytes);
  Result<void> finish();

 private:
  struct Free {
    void operator()(ZSTD_CCtx_s* context) const;
  };
  Result<void> run(std::string_view bytes, bool last);

  Sink sink_;
  std::unique_ptr<ZSTD_CCtx_s, Free> context_;
  std::string output_;
};

class Decompressor {
 public:
  explicit Decompressor(Sink sink);
  Result<void> write(std::string_view bytes);
  // kCorrupt if the frame did not end.
  Result<void> finish() const;

 private:
  struct Free {
    void operator()(ZSTD_DCtx_s* context) const;
  };
  Sink sink_;
  std::unique_ptr<ZSTD_DCtx_s, Free> context_;
  std::string output_;
  bool ended_ = false;
};

}  // namespace freehold::keep
