#include "runtime/uring_loop.h"

#include <fmt/format.h>
#include <liburing.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "runtime/uring_watch.h"

namespace freehold::runtime {
namespace {

constexpr unsigned kSubmissions = 512;
// Answers can outnumber submissions: everything that waits may become ready in one turn.
constexpr unsigned kAnswers = 8192;

constexpr std::array kOperations = {IORING_OP_ACCEPT, IORING_OP_ASYNC_CANCEL, IORING_OP_CONNECT, IORING_OP_POLL_ADD,
                                    IORING_OP_RECV,   IORING_OP_SEND,         IORING_OP_SENDMSG};

// From what costs least to what every kernel has. With a single issuer the kernel defers its work to when the loop asks
// for it; the ring starts disabled then, because the thread that enables it is the one that must use it.
constexpr std::array<unsigned, 3> kSetups = {
    IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_R_DISABLED,
    IORING_SETUP_COOP_TASKRUN,
    0,
};

Error unsupported(std::string_view why) {
  return Error(ErrorCode::kUnsupported, fmt::format("io_uring cannot be used: {}", why));
}

Error setup_error(int number) {
  switch (number) {
    case ENOSYS:
      return unsupported("this kernel has none, or a sandbox hides it");
    case EPERM:
    case EACCES:
      return unsupported("the kernel forbids it (kernel.io_uring_disabled, or a sandbox)");
    default:
      return errno_error("cannot set up io_uring", number);
  }
}

Result<void> check(io_uring& ring) {
  constexpr unsigned kFeatures = IORING_FEAT_NODROP | IORING_FEAT_SUBMIT_STABLE | IORING_FEAT_EXT_ARG;
  if ((ring.features & kFeatures) != kFeatures) return unsupported("this kernel's is too old");
  io_uring_probe* probe = io_uring_get_probe_ring(&ring);
  if (probe == nullptr) return unsupported("this kernel does not tell what it can do");
  bool complete = true;
  for (const int operation : kOperations) complete = complete && io_uring_opcode_supported(probe, operation) != 0;
  io_uring_free_probe(probe);
  if (!complete) return unsupported("this kernel lacks an operation that is needed");
  return {};
}

}  // namespace

Result<std::unique_ptr<Loop>> create_uring(os::Clock& clock) {
  FH_ASSIGN(os::Fd wake, create_wake_fd());
  int error = -EINVAL;
  for (const unsigned flags : kSetups) {
    auto ring = std::make_unique<io_uring>();
    io_uring_params parameters{};
    parameters.flags = flags | IORING_SETUP_CQSIZE;
    parameters.cq_entries = kAnswers;
    error = io_uring_queue_init_params(kSubmissions, ring.get(), &parameters);
    if (error == -EINVAL) continue;  // a flag that this kernel does not know
    if (error != 0) break;
    if (auto checked = check(*ring); !checked) {
      io_uring_queue_exit(ring.get());
      return checked.error();
    }
    const bool enabled = (flags & IORING_SETUP_R_DISABLED) == 0;
    return std::unique_ptr<Loop>(new UringLoop(clock, std::move(wake), std::move(ring), enabled));
  }
  return setup_error(-error);
}

UringLoop::UringLoop(os::Clock& clock, os::Fd wake, std::unique_ptr<io_uring> ring, bool enabled)
    : Engine(clock, std::move(wake)), ring_(std::move(ring)), enabled_(enabled), wake_submission_(*this) {
  wake_submission_.arm();
}

UringLoop::~UringLoop() {
  // Descriptors that were accepted meanwhile are in the answers.
  take_answers();
  io_uring_queue_exit(ring_.get());
  for (Submission* orphan : std::set<Submission*>(std::move(orphans_))) delete orphan;
}

StreamState* UringLoop::new_stream(os::Fd socket) { return new UringStream(*this, std::move(socket)); }

AcceptorState* UringLoop::new_acceptor(int listening_socket, Completion accepted) {
  return new UringAcceptor(*this, listening_socket, accepted);
}

WatcherState* UringLoop::new_watcher(int fd, Completion ready, Interest interest) {
  return new UringWatcher(*this, fd, ready, interest);
}

void UringLoop::enable() {
  if (enabled_) return;
  // By hand: the library of Debian 12 declares the function for it, but does not export it.
  if (syscall(SYS_io_uring_register, ring_->ring_fd, IORING_REGISTER_ENABLE_RINGS, nullptr, 0) != 0) {
    defect("io_uring refuses to start");
  }
  enabled_ = true;
}

io_uring_sqe* UringLoop::next_entry() {
  constexpr int kMostAttempts = 100;
  for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
    io_uring_sqe* entry = io_uring_get_sqe(ring_.get());
    if (entry != nullptr) return entry;
    enable();
    // A ring of answers that is full must be emptied before the kernel takes more.
    if (io_uring_submit_and_get_events(ring_.get()) < 0) take_answers();
  }
  defect("io_uring takes no more submissions");
}

void UringLoop::set_target(io_uring_sqe* entry, Submission& target) {
  io_uring_sqe_set_data(entry, &target);
  target.in_flight_ = true;
}

void UringLoop::cancel(Submission& target) {
  io_uring_sqe* entry = next_entry();
  io_uring_prep_cancel(entry, &target, 0);
  io_uring_sqe_set_data(entry, nullptr);
}

void UringLoop::take_answers() {
  // One by one, because what an answer sets off may need room in the ring.
  io_uring_cqe* answer = nullptr;
  while (io_uring_peek_cqe(ring_.get(), &answer) == 0) {
    auto* target = static_cast<Submission*>(io_uring_cqe_get_data(answer));
    const int result = answer->res;
    const bool more = (answer->flags & IORING_CQE_F_MORE) != 0;
    io_uring_cqe_seen(ring_.get(), answer);
    if (target == nullptr) continue;  // of a cancellation
    target->in_flight_ = more;
    target->answered(result);
  }
}

void UringLoop::wait(std::optional<Duration> most) {
  enable();
  io_uring_cqe* first = nullptr;
  if (!most) {
    io_uring_submit_and_wait(ring_.get(), 1);
  } else if (*most <= Duration::zero()) {
    io_uring_submit_and_get_events(ring_.get());
  } else {
    __kernel_timespec limit{};
    limit.tv_sec = *most / std::chrono::seconds(1);
    limit.tv_nsec = (*most % std::chrono::seconds(1)).count();
    io_uring_submit_and_wait_timeout(ring_.get(), &first, 1, &limit, nullptr);
  }
  // An error above is that time is over, a signal, or that answers must be taken before more is submitted.
  take_answers();
}

void UringLoop::Wake::arm() {
  loop_.submit(*this, [&](io_uring_sqe* entry) { io_uring_prep_poll_add(entry, loop_.wake_fd(), POLLIN); });
}

void UringLoop::Wake::answered(int) {
  loop_.woken();
  arm();
}

}  // namespace freehold::runtime
