// The request's body on its way from client to upstream, and the client that waits behind it.
#include <sys/socket.h>

#include "gateway/client_connection.h"
#include "gateway/core.h"
#include "gateway/exchange.h"

namespace freehold::gateway {

void Exchange::on_request_sent(int result) {
  request_sending_ = false;
  if (result < 0) {
    // The upstream may have answered before it closed (413 and the like): what it sent decides, not this.
    request_failed_ = true;
    return;
  }
  if (!request_complete_) return read_body();
  if (stage_ == Stage::kAwaiting) client_.timer().start(client_.core().limits().upstream_response);
}

void Exchange::read_body() {
  // Without taking it yet: until the client's bytes overwrite the buffer, the request can be sent again.
  client_.channel().wait_readable(runtime::complete<&Exchange::on_body_readable>(this));
  if (stage_ == Stage::kAwaiting) client_.timer().start(client_.core().limits().body);
}

void Exchange::on_body_readable(int result) {
  if (result < 0) return on_body_received(result);
  replayable_ = false;
  client_.channel().receive(client_.buffer(), client_.buffer()->space(Buffer::kBegin),
                            runtime::complete<&Exchange::on_body_received>(this));
}

void Exchange::on_body_received(int result) {
  if (result <= 0 || overdue()) {
    // The client went away in the middle of its request, or never comes to its end.
    cancel();
    return client_.finished(AfterReply::kAbort);
  }
  const size_t end = Buffer::kBegin + static_cast<size_t>(result);
  BodyBlock block = reframe(request_reader_, *client_.buffer().get(), Buffer::kBegin, end, request_output_);
  client_.body_received(block.next, end);
  if (block.state == BlockState::kRefused || !body_allowed(block.data)) {
    const uint16_t status = block.state == BlockState::kRefused ? 400 : 413;
    if (stage_ != Stage::kAnswering) return fail(status);
    cancel();
    return client_.finished(AfterReply::kAbort);
  }
  request_complete_ = block.state == BlockState::kComplete;
  if (request_complete_) watch_client();
  if (block.begin == block.end) return request_complete_ ? on_request_sent(0) : read_body();
  request_sending_ = true;
  upstream_->channel().send(client_.buffer(), {client_.buffer()->bytes + block.begin, block.end - block.begin},
                            runtime::complete<&Exchange::on_request_sent>(this));
}

void Exchange::watch_client() {
  client_.channel().wait_readable(runtime::complete<&Exchange::on_client_readable>(this));
}

void Exchange::on_client_readable(int result) {
  if (response_complete_) return;  // the last of it is on its way, and whether it arrives tells more
  char byte = 0;
  // Bytes are the next request, which waits for its turn.
  if (result >= 0 && ::recv(client_.channel().fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0) return;
  cancel();
  client_.finished(AfterReply::kAbort);
}

bool Exchange::body_allowed(uint64_t more) {
  client_.record().bytes_received += more;
  return client_.record().bytes_received <= client_.core().limits().body_bytes;
}

}  // namespace freehold::gateway
