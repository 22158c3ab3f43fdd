#include "http/fetch.h"

#include <fmt/format.h>

#include <optional>

#include "http/response_reader.h"
#include "net/connect.h"
#include "runtime/stream.h"
#include "runtime/timer.h"

namespace freehold::http {

// Outlives its Fetch for as long as the stream has something under way: it holds itself until then.
class Fetch::State : public std::enable_shared_from_this<Fetch::State> {
 public:
  State(runtime::Loop& loop, FetchOptions options, Done done)
      : loop_(loop),
        options_(std::move(options)),
        done_(std::move(done)),
        timer_(loop, runtime::complete<&State::on_timer>(this)),
        reader_(method_id(options_.request.method), options_.most_body, ResponseReader::Excess::kIsDropped) {}

  void start() {
    self_ = shared_from_this();
    Result<void> started = try_to_start();
    if (started) return timer_.start(options_.deadline);
    failure_ = started.error();
    timer_.start(Duration::zero());
  }

  void abandon() {
    done_ = nullptr;
    close();
    let_go_if_idle();
  }

 private:
  Result<void> try_to_start() {
    const ClientRequest& request = options_.request;
    RequestBody body{request.body.empty() ? RequestBody::Kind::kNone : RequestBody::Kind::kLength, request.body.size()};
    FH_ASSIGN(output_, request_head(request, body));
    output_ += request.body;
    FH_ASSIGN(os::Fd socket, net::create_stream_socket(options_.address));
    stream_.emplace(loop_, std::move(socket));
    sockaddr_storage storage;
    socklen_t length = options_.address.to_kernel(storage);
    stream_->connect(reinterpret_cast<const sockaddr*>(&storage), length,
                     runtime::complete<&State::on_connected>(this));
    return {};
  }

  void on_connected(int result) {
    if (closed_) return let_go_if_idle();
    if (result < 0) {
      return end(errno_error(fmt::format("cannot connect to {}", options_.address.to_string()), -result));
    }
    stream_->send(output_, runtime::complete<&State::on_sent>(this));
    stream_->receive(reader_.room(), runtime::complete<&State::on_received>(this));
  }

  void on_sent(int) {
    // What went wrong with sending, receiving will say too; and an early answer is an answer.
    if (closed_) let_go_if_idle();
  }

  void on_received(int result) {
    if (closed_) return let_go_if_idle();
    if (result < 0) return end(errno_error(fmt::format("lost {}", options_.address.to_string()), -result));
    Result<bool> whole = reader_.received(static_cast<size_t>(result));
    if (!whole) return end(whole.error().with_context(options_.address.to_string()));
    if (*whole) return end(reader_.take());
    stream_->receive(reader_.room(), runtime::complete<&State::on_received>(this));
  }

  void on_timer(int) {
    if (failure_) return end(*failure_);
    end(Error(ErrorCode::kTimeout,
              fmt::format("{} did not answer within {}", options_.address.to_string(), format(options_.deadline))));
  }

  void end(Result<ClientResponse> result) {
    auto self = shared_from_this();  // `done` may destroy the Fetch, but not this yet
    close();
    if (auto done = std::exchange(done_, nullptr)) done(std::move(result));
    let_go_if_idle();
  }

  void close() {
    timer_.cancel();
    closed_ = true;
    if (stream_) stream_->close();
  }

  // Without a Fetch that holds it too, this is the end of it.
  void let_go_if_idle() {
    if (!stream_ || stream_->idle()) self_.reset();
  }

  runtime::Loop& loop_;
  FetchOptions options_;
  Done done_;
  runtime::Timer timer_;
  ResponseReader reader_;
  std::string output_;
  std::optional<Error> failure_;
  std::optional<runtime::Stream> stream_;
  bool closed_ = false;
  std::shared_ptr<State> self_;
};

Fetch::Fetch(runtime::Loop& loop, FetchOptions options, Done done)
    : state_(std::make_shared<State>(loop, std::move(options), std::move(done))) {
  state_->start();
}

Fetch::~Fetch() { state_->abandon(); }

}  // namespace freehold::http
