// ClientConnection: one client's connection: reads a head, has it answered, reads the next.
//
// Requests are handled one after the other, also when they are pipelined. Between requests it holds no buffer. Answers
// come from an Exchange (an upstream's), a FileSender, or from here (errors, redirects); each calls finished() once.
// It ends by close(), which destroys it; what is under way for it in the kernel is seen to by its Channel.
#pragma once

#include <memory>

#include "gateway/channel.h"
#include "gateway/exchange.h"
#include "gateway/file_sender.h"
#include "gateway/local_reply.h"
#include "gateway/request_record.h"
#include "gateway/tunnel.h"

namespace freehold::gateway {

class Core;

enum class AfterReply : uint8_t {
  kKeep,    // the next request may follow
  kLinger,  // say that it is over, but read on for a moment: the client is still sending
  kAbort,   // what was sent is incomplete: the client must see that
};

class ClientConnection final : public ListNode<ClientConnection>, public TunnelUser {
 public:
  // `service`: the connection came in on that service's internal address; empty: routed by host and path.
  static void start(Core& core, os::Fd socket, std::string service);

  Core& core() { return core_; }
  Channel& channel() { return *channel_; }
  const BufferRef& buffer() const { return buffer_; }
  size_t received_end() const { return end_; }
  RequestRecord& record() { return record_; }
  runtime::Timer& timer() { return timer_; }
  std::string_view address() const { return address_; }
  bool is_v6() const { return v6_; }

  // ---- for those who answer
  // Where the next request's bytes begin: behind this one's.
  void set_next(size_t next) { begin_ = next; }
  // This request came to its end: the connection can be kept after a reply.
  void request_received() { request_whole_ = true; }
  // More of the body came into the buffer, up to `end`; what follows it begins at `next`.
  void body_received(size_t next, size_t end) {
    begin_ = next;
    end_ = end;
  }
  // Answers with a small page of this status, which gives `why` (see Page); the request's body may be unread. Nothing
  // was sent before.
  void reply(uint16_t status, std::string_view why = {});
  void finished(AfterReply after);
  // The upstream agreed to another protocol: both connections become a tunnel.
  void start_tunnel(Upstream& upstream, BufferRef first, std::string_view first_bytes);

  // Ends it at once; destroys this.
  void close();
  bool idle() const { return phase_ == Phase::kIdle; }

 private:
  enum class Phase : uint8_t { kIdle, kHead, kExchange, kFile, kReply, kLinger, kTunnel };

  ClientConnection(Core& core, os::Fd socket, std::string service);
  ~ClientConnection();
  void become_idle();
  void next_request();
  void receive_head();
  void parse_head();
  void dispatch(size_t head_end);
  void route(size_t head_end);
  void answer_target(const Target& target, std::string_view path, size_t head_end);
  void answer_files(const Target& target, std::string_view path, size_t head_end);
  void redirect(const Target& target, size_t head_end);
  // The bytes of the request were not needed: skips its body if it is here, else the connection can't be kept.
  void skip_body(size_t head_end);
  void send_reply(uint16_t status, std::string_view lines, std::string_view why = {});
  void end(void (Channel::*how)(os::Fd file));
  void begin_refused_record();
  void begin_record(const http::RequestHead& head);
  void end_record();
  void linger();
  void on_readable(int result);
  void on_head_readable(int result);
  void on_head_received(int result);
  void on_reply_sent(int result);
  void on_linger_readable(int result);
  void on_linger_received(int result);
  void on_timer(int result);
  void on_tunnel_done(uint64_t from_client, uint64_t from_upstream) override;

  Core& core_;
  Channel* channel_;
  runtime::Timer timer_;
  Phase phase_ = Phase::kIdle;
  bool v6_ = false;
  bool head_timed_ = false;     // the head came in pieces, and its time is running
  bool request_whole_ = false;  // it was read to its end: the connection can be kept after a reply
  bool reply_keeps_ = false;
  bool in_request_ = false;  // one is counted as in flight
  PageForm page_form_ = PageForm::kPlain;
  BufferRef buffer_;  // received bytes that are not done with: [begin_, end_)
  size_t begin_ = Buffer::kBegin;
  size_t end_ = Buffer::kBegin;
  std::string service_;
  std::string address_;
  RequestRecord record_;
  Exchange exchange_;
  std::unique_ptr<FileSender> file_;
  std::unique_ptr<Tunnel> tunnel_;
};

}  // namespace freehold::gateway
