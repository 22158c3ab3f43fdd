// Buffers of one core: fixed in size, taken for as long as bytes are under way, counted by reference.
//
// An operation that the kernel may still be writing for keeps its buffer alive by a reference of its own, so whoever
// started it can go away at any time. Idle connections hold none. Threads: the core's own.
//
// Layout: headroom, then the bytes received, then a little tailroom. A head that is rewritten grows into the headroom
// and ends where the body begins; the frame of a chunk fits around its bytes: so head and body always go out in one
// piece.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "http/head.h"

namespace freehold::gateway {

inline constexpr size_t kHeadroom = 1280;
inline constexpr size_t kBufferBytes = 32 * 1024;
inline constexpr size_t kTailroom = 64;

class BufferPool;

struct Buffer {
  BufferPool* pool = nullptr;
  uint32_t references = 0;
  // What is parsed out of the bytes lives beside them, not in each idle connection.
  http::RequestHead request;
  http::ResponseHead response;
  char bytes[kHeadroom + kBufferBytes + kTailroom];

  static constexpr size_t kBegin = kHeadroom;               // where receiving starts
  static constexpr size_t kEnd = kHeadroom + kBufferBytes;  // and where it ends
  std::span<char> space(size_t from) { return {bytes + from, kEnd - from}; }
};

class BufferRef {
 public:
  BufferRef() = default;
  explicit BufferRef(Buffer* buffer) : buffer_(buffer) {
    if (buffer_ != nullptr) ++buffer_->references;
  }
  BufferRef(const BufferRef& other) : BufferRef(other.buffer_) {}
  BufferRef(BufferRef&& other) noexcept : buffer_(std::exchange(other.buffer_, nullptr)) {}
  BufferRef& operator=(BufferRef other) noexcept {
    std::swap(buffer_, other.buffer_);
    return *this;
  }
  ~BufferRef() { reset(); }

  inline void reset();
  explicit operator bool() const { return buffer_ != nullptr; }
  Buffer* operator->() const { return buffer_; }
  Buffer* get() const { return buffer_; }

 private:
  Buffer* buffer_ = nullptr;
};

class BufferPool {
 public:
  explicit BufferPool(size_t most) : most_(most) {}
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  // Empty when as many as allowed are in use.
  BufferRef take() {
    if (free_.empty() && !grow()) return {};
    Buffer* buffer = free_.back();
    free_.pop_back();
    return BufferRef(buffer);
  }
  void give_back(Buffer* buffer) { free_.push_back(buffer); }  // the last one used is the next one: it is in the cache
  size_t in_use() const { return all_.size() - free_.size(); }

 private:
  bool grow();

  size_t most_;
  std::vector<std::unique_ptr<Buffer>> all_;
  std::vector<Buffer*> free_;
};

inline void BufferRef::reset() {
  Buffer* buffer = std::exchange(buffer_, nullptr);
  if (buffer != nullptr && --buffer->references == 0) buffer->pool->give_back(buffer);
}

}  // namespace freehold::gateway
