// FileSender: sends one StaticReply: head, parts of the file without copying them through here, trailer.
//
// Small files go out in one piece with their head. Threads: the core's own.
#pragma once

#include "gateway/channel.h"
#include "gateway/static_files.h"

namespace freehold::gateway {

class ClientConnection;

class FileSender {
 public:
  FileSender(ClientConnection& client, StaticReply reply) : client_(client), reply_(std::move(reply)) {}
  FileSender(const FileSender&) = delete;
  FileSender& operator=(const FileSender&) = delete;

  // `out` holds the reply's head, whole, from `begin` to `end`; `keep`: another request may follow.
  void start(BufferRef out, size_t begin, size_t end, bool keep);
  // The descriptor, which the kernel may still be reading from.
  os::Fd take_file() { return std::move(reply_.file); }

 private:
  void next();
  void send_text(std::string_view text);
  void on_sent(int result);

  ClientConnection& client_;
  StaticReply reply_;
  BufferRef out_;
  size_t part_ = 0;
  uint64_t sent_of_part_ = 0;
  bool text_sent_ = false;  // of the current part
  bool trailer_sent_ = false;
  bool sending_file_ = false;
  bool keep_ = false;
};

}  // namespace freehold::gateway
