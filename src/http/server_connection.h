// One connection of a Server: reads heads, hands them to the handler, reads bodies where they are wanted, writes
// answers. Internal to http.
#pragma once

#include <memory>
#include <string>

#include "http/body.h"
#include "http/server.h"
#include "runtime/stream.h"

namespace freehold::http {

class ServerConnection {
 public:
  ServerConnection(Server& server, os::Fd socket, Peer peer);
  ServerConnection(const ServerConnection&) = delete;
  ServerConnection& operator=(const ServerConnection&) = delete;

  void start();
  void close();      // now; it removes itself from the server soon after
  void wind_down();  // the server stops: close when idle, end what streams

 private:
  friend class Exchange;
  enum class Phase : uint8_t { kIdle, kHead, kHandling, kLingering, kClosed };

  // Input.
  void receive();
  void on_received(int result);
  void on_input_end();
  void on_input_timer(int result);
  void advance();
  bool advance_head();
  void begin_exchange(uint32_t consumed);
  void begin_body(uint64_t most);
  void advance_body();
  void fail_body(uint16_t status, const Error& error);

  // Output.
  void send_head(const Response& response, bool streaming);
  void write_body(std::string_view bytes);
  void end_response();
  void refuse(uint16_t status, std::string_view reason);
  void flush();
  void on_sent(int result);
  void on_output_timer(int result);
  void finish_exchange();
  void remove_if_idle();
  bool streaming() const { return exchange_ != nullptr && exchange_->streaming_; }
  size_t unsent() const { return sending_.size() - sent_ + waiting_.size(); }

  Server& server_;
  Peer peer_;
  runtime::Stream stream_;
  runtime::Timer input_timer_;
  runtime::Timer output_timer_;
  Phase phase_ = Phase::kIdle;

  std::unique_ptr<char[]> input_;
  size_t begin_ = 0;  // of what was received and is not done with
  size_t end_ = 0;
  bool receiving_ = false;
  bool input_ended_ = false;
  RequestHead head_;

  std::shared_ptr<Exchange> exchange_;
  BodyReader body_;
  uint64_t body_left_ = 0;  // how much more of it the handler takes
  bool body_wanted_ = false;
  bool in_handler_ = false;

  std::string sending_;  // handed to the stream
  size_t sent_ = 0;
  std::string waiting_;  // behind it
  bool send_active_ = false;
  bool keep_alive_ = false;
  bool chunked_ = false;        // the answer is
  bool body_hidden_ = false;    // the answer is to HEAD
  bool response_done_ = false;  // all of the answer is in sending_ and waiting_
};

}  // namespace freehold::http
