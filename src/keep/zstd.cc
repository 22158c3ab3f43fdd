#include "keep/zstd.h"

#include <fmt/core.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <cstdlib>

namespace freehold::keep {
namespace {

constexpr int kLevel = 3;
constexpr int kMostWindow = 23;  // 2^23 bytes

void require(bool worked) {
  if (!worked) std::abort();
}

}  // namespace

void Compressor::Free::operator()(ZSTD_CCtx_s* context) const { ZSTD_freeCCtx(context); }
void Decompressor::Free::operator()(ZSTD_DCtx_s* context) const { ZSTD_freeDCtx(context); }

Compressor::Compressor(Sink sink)
    : sink_(std::move(sink)), context_(ZSTD_createCCtx()), output_(ZSTD_CStreamOutSize(), '\0') {
  require(context_ != nullptr);
  require(ZSTD_isError(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, kLevel)) == 0);
  require(ZSTD_isError(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1)) == 0);
}

Result<void> Compressor::run(std::string_view bytes, bool last) {
  ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
  for (;;) {
    ZSTD_outBuffer output{output_.data(), output_.size(), 0};
    size_t left = ZSTD_compressStream2(context_.get(), &output, &input, last ? ZSTD_e_end : ZSTD_e_continue);
    if (ZSTD_isError(left) != 0)
      return Error(ErrorCode::kInternal, fmt::format("cannot compress: {}", ZSTD_getErrorName(left)));
    if (output.pos > 0) FH_TRY(sink_(std::string_view(output_).substr(0, output.pos)));
    if (last ? left == 0 : input.pos == input.size) return {};
  }
}

Result<void> Compressor::write(std::string_view bytes) { return run(bytes, false); }
Result<void> Compressor::finish() { return run({}, true); }

Decompressor::Decompressor(Sink sink)
    : sink_(std::move(sink)), context_(ZSTD_createDCtx()), output_(ZSTD_DStreamOutSize(), '\0') {
  require(context_ != nullptr);
  require(ZSTD_isError(ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kMostWindow)) == 0);
}

Result<void> Decompressor::write(std::string_view bytes) {
  ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
  bool full = false;  // the output was, so that more may be waiting
  while (input.pos < input.size || full) {
    if (ended_) return Error(ErrorCode::kCorrupt, "something stands after the end of what was compressed");
    ZSTD_outBuffer output{output_.data(), output_.size(), 0};
    size_t left = ZSTD_decompressStream(context_.get(), &output, &input);
    if (ZSTD_isError(left) != 0) {
      bool large = ZSTD_getErrorCode(left) == ZSTD_error_frameParameter_windowTooLarge;
      return Error(large ? ErrorCode::kExhausted : ErrorCode::kCorrupt,
                   fmt::format("what was compressed cannot be opened: {}", ZSTD_getErrorName(left)));
    }
    if (output.pos > 0) FH_TRY(sink_(std::string_view(output_).substr(0, output.pos)));
    ended_ = left == 0;
    full = output.pos == output.size && !ended_;
  }
  return {};
}

Result<void> Decompressor::finish() const {
  if (ended_) return {};
  return Error(ErrorCode::kCorrupt, "what was compressed has no end");
}

}  // namespace freehold::keep
