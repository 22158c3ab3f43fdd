#include "gateway/file_sender.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "gateway/client_connection.h"
#include "gateway/core.h"

namespace freehold::gateway {
namespace {

// Up to here a read into the head's buffer and one send cost less than two sends.
constexpr uint64_t kSmall = 24 * 1024;
// What is sent between two looks at the clock: a client that is slower than this in Limits::body is cut.
constexpr uint64_t kSlice = 256 * 1024;

}  // namespace

void FileSender::start(BufferRef out, size_t begin, size_t end, bool keep) {
  out_ = std::move(out);
  keep_ = keep;
  if (reply_.parts.size() == 1 && reply_.content_length <= kSmall) {
    const StaticPart& part = reply_.parts[0];
    ssize_t count = ::pread(reply_.file.get(), out_->bytes + end, part.length, static_cast<off_t>(part.offset));
    if (count == static_cast<ssize_t>(part.length)) {
      end += part.length;
      part_ = 1;
    }
  }
  client_.timer().start(client_.core().limits().body);
  client_.channel().send(out_, {out_->bytes + begin, end - begin}, runtime::complete<&FileSender::on_sent>(this));
}

void FileSender::next() {
  client_.timer().start(client_.core().limits().body);
  if (part_ < reply_.parts.size()) {
    const StaticPart& part = reply_.parts[part_];
    if (!text_sent_ && !part.text.empty()) {
      text_sent_ = true;
      return send_text(part.text);
    }
    sending_file_ = true;
    return client_.channel().send_file(reply_.file.get(), part.offset + sent_of_part_,
                                       std::min(kSlice, part.length - sent_of_part_),
                                       runtime::complete<&FileSender::on_sent>(this));
  }
  if (!trailer_sent_ && !reply_.trailer.empty()) {
    trailer_sent_ = true;
    return send_text(reply_.trailer);
  }
  client_.finished(keep_ ? AfterReply::kKeep : AfterReply::kLinger);
}

void FileSender::send_text(std::string_view text) {
  std::memcpy(out_->bytes, text.data(), text.size());
  client_.channel().send(out_, {out_->bytes, text.size()}, runtime::complete<&FileSender::on_sent>(this));
}

void FileSender::on_sent(int result) {
  // Nothing sent: the file is shorter than it was when its length was promised.
  if (result <= 0) return client_.finished(AfterReply::kAbort);
  client_.record().bytes_sent += static_cast<uint64_t>(result);
  if (std::exchange(sending_file_, false)) {
    sent_of_part_ += static_cast<uint64_t>(result);
    if (sent_of_part_ == reply_.parts[part_].length) {
      ++part_;
      sent_of_part_ = 0;
      text_sent_ = false;
    }
  }
  next();
}

}  // namespace freehold::gateway
