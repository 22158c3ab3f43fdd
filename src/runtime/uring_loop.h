// The engine on io_uring(7).
//
// Operations become submissions, which wait in the ring until the next turn hands all of them to the kernel together.
// Until the kernel has answered a submission, it may write into the buffer and refers to the descriptor by number, so a
// closed stream keeps its socket open until then, and objects that are destroyed earlier stay as orphans.
// Internal to runtime.
#pragma once

#include <set>

#include "runtime/state.h"

struct io_uring;      // NOLINT(readability-identifier-naming): not our name
struct io_uring_sqe;  // NOLINT(readability-identifier-naming): not our name

namespace freehold::runtime {

// What a submission's user data points at. At most one is in flight at a time.
class Submission {
 public:
  virtual ~Submission() = default;
  // Calls no handler.
  virtual void answered(int result) = 0;

  bool in_flight_ = false;
};

class UringLoop final : public Engine {
 public:
  // Takes over a ring that was set up; `enabled` is false if it waits for the thread that will use it.
  UringLoop(os::Clock& clock, os::Fd wake, std::unique_ptr<io_uring> ring, bool enabled);
  ~UringLoop() override;

  Backend backend() const override { return Backend::kUring; }
  StreamState* new_stream(os::Fd socket) override;
  AcceptorState* new_acceptor(int listening_socket, Completion accepted) override;
  WatcherState* new_watcher(int fd, Completion ready, Interest interest) override;

  // `prepare` fills the entry for the kernel.
  template <class Prepare>
  void submit(Submission& target, Prepare prepare) {
    io_uring_sqe* entry = next_entry();
    prepare(entry);
    set_target(entry, target);
  }
  // Its answer will come soon, -ECANCELED or whatever it ended with before.
  void cancel(Submission& target);

  // Objects whose owner is gone and whose answer has not come.
  void add_orphan(Submission& orphan) { orphans_.insert(&orphan); }
  void remove_orphan(Submission& orphan) { orphans_.erase(&orphan); }

 private:
  // Tells of the loop's event descriptor.
  class Wake final : public Submission {
   public:
    explicit Wake(UringLoop& loop) : loop_(loop) {}
    void arm();
    void answered(int result) override;

   private:
    UringLoop& loop_;
  };

  io_uring_sqe* next_entry();
  static void set_target(io_uring_sqe* entry, Submission& target);
  void enable();
  void take_answers();
  void wait(std::optional<Duration> most) override;

  std::unique_ptr<io_uring> ring_;
  bool enabled_;
  Wake wake_submission_;
  std::set<Submission*> orphans_;
};

class UringStream final : public StreamState {
 public:
  UringStream(UringLoop& loop, os::Fd socket);
  ~UringStream() override;

  void connect(const sockaddr* address, size_t length) override;
  void receive(std::span<char> buffer) override;
  void wait_readable() override;
  void send() override;
  void close() override;

 private:
  // One direction's submission.
  class Way final : public Submission {
   public:
    Way(UringStream& stream, void (UringStream::*handler)(int)) : stream_(stream), handler_(handler) {}
    void answered(int result) override { stream_.answered(result, handler_); }

   private:
    UringStream& stream_;
    void (UringStream::*handler_)(int result);
  };
  // What the kernel reads when the submission is handed over; allocated by the first that needs it.
  struct Parameters;

  UringLoop& loop() const { return static_cast<UringLoop&>(engine_); }
  void answered(int result, void (UringStream::*handler)(int));
  void on_received(int result);
  void on_sent(int result);
  void submit_receive();
  void submit_send();
  void submit_poll(Way& way, unsigned events);
  void send_file();
  Parameters& parameters();
  void close_if_answered();

  Way inward_;
  Way outward_;
  std::span<char> buffer_;  // empty: waiting for readability only
  bool connecting_ = false;
  bool polling_in_ = false;  // what is in flight is a poll, after which the operation is tried again
  bool polling_out_ = false;
  std::unique_ptr<Parameters> parameters_;
};

}  // namespace freehold::runtime
