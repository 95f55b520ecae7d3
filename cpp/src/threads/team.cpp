#include "team.hpp"

#include <algorithm>

#include "status_flags.hpp"
#include "system/system.hpp"

namespace bridle {
namespace {

// How long a worker looks out for the next job before it sleeps: waking it takes some 10 µs.
constexpr auto kLookOut = std::chrono::microseconds(100);
// How long the caller looks on while a worker finishes its chunk. Longer than that it takes where
// the worker was interrupted: asleep, the caller leaves it its own processor.
constexpr auto kLookOn = std::chrono::microseconds(50);

constexpr std::size_t kStack = 1 << 20;  // bytes; of a worker, whatever the host's default is

void relax() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb");
#endif
}

// Whether `holds` came true in this time.
template <class Holds>
bool look_out(Clock::duration time, const Holds& holds) noexcept {
  const Clock::time_point end = Clock::now() + time;
  do {
    for (int i = 0; i < 32; ++i) {
      if (holds()) return true;
      relax();
    }
  } while (Clock::now() < end);
  return false;
}

}  // namespace

constinit Team Team::team_;

const bool Team::registered_ = system::call_after_fork([] { team_.forget_workers(); });

// In a forked child: it has none, and starts its own.
void Team::forget_workers() noexcept {
  workers_ = 0;
  for (Seat& seat : seat_) {
    seat.share = Share{};  // a job that another thread had been at
    seat.invitation = 0;
    seat.state = Worker::awake;
  }
  awaited_ = false;
  give_back();
}

bool Team::start_worker(int seat) noexcept {
  system::ProcessorSet on;
  const bool placed = seat_[seat].placement.start(seat, on);
  const bool started = system::start_thread(kStack, placed ? &on : nullptr, worker, &seat_[seat]);
  workers_ += started;
  return started;
}

system::ThreadResult Team::worker(void* seat) noexcept {
  Seat& own = *static_cast<Seat*>(seat);
  own.placement.started();
  for (std::uint32_t seen = 0;;) {
    seen = team_.await_invitation(own, seen);
    own.placement.anywhere();
    const KeepStatusFlags keep;
    team_.work(static_cast<int>(&own - team_.seat_), [] {
      team_.done_.fetch_add(1);
      if (team_.awaited_) system::wake_one(team_.done_);
    });
  }
  return {};
}

std::uint32_t Team::await_invitation(Seat& seat, std::uint32_t seen) noexcept {
  const auto invited = [&] { return seat.invitation.load(std::memory_order_acquire) != seen; };
  while (!look_out(kLookOut, invited)) {
    seat.state = Worker::asleep;
    if (seat.invitation == seen) system::sleep_while(seat.invitation, seen);
    get_up(seat);
  }
  return seat.invitation.load(std::memory_order_acquire);
}

void Team::get_up(Seat& seat) noexcept {
  for (Worker state = Worker::asleep; !seat.state.compare_exchange_weak(state, Worker::awake);
       state = Worker::asleep) {
    if (state == Worker::awake) return;  // a caller has placed it
    relax();
  }
}

void Team::invite(int seat) noexcept {
  Seat& worker = seat_[seat];
  Worker state = Worker::asleep;
  const bool placed = worker.state.compare_exchange_strong(state, Worker::being_placed);
  if (placed) {
    worker.placement.away_from_caller();
    worker.state = Worker::awake;
  }
  worker.invitation = number_;
  if (placed || worker.state == Worker::asleep) system::wake_one(worker.invitation);
}

// Takes the first or the last chunk of a share.
bool Team::claim(Seat& seat, bool first, std::size_t& chunk) noexcept {
  Share share = seat.share.load(std::memory_order_relaxed);
  while (share.begin < share.end) {
    Share rest = share;
    chunk = first ? rest.begin++ : --rest.end;
    if (seat.share.compare_exchange_weak(share, rest, std::memory_order_acquire,
                                         std::memory_order_relaxed)) {
      return true;
    }
  }
  return false;
}

void Team::run_chunk(std::size_t chunk) const noexcept {
  const std::size_t begin = chunk * job_.chunk;
  job_.function(job_.body, begin, std::min(job_.size, begin + job_.chunk));
}

// Until all is claimed: the own share from its beginning, those of others from their ends.
template <class Done>
void Team::work(int seat, const Done& done) noexcept {
  const int seats = seats_.load(std::memory_order_relaxed);
  const int visited = shared_.load(std::memory_order_relaxed) ? seats : 1;
  for (int i = 0; i < visited; ++i) {
    const int at = (seat + i) % seats;
    for (std::size_t chunk; claim(seat_[at], at == seat, chunk);) {
      run_chunk(chunk);
      done();
    }
  }
}

void Team::await(std::uint32_t others) noexcept {
  const auto done = [&] { return done_.load(std::memory_order_acquire) == others; };
  if (done() || look_out(kLookOn, done)) return;
  awaited_ = true;
  for (std::uint32_t now = done_; now != others; now = done_) system::sleep_while(done_, now);
  awaited_ = false;
}

Course Team::run(const Job& job, int seats) noexcept {
  seats = std::min(seats, kMostSeats);
  while (workers_ + 1 < seats && start_worker(workers_ + 1)) {
  }
  seats = std::min(seats, workers_ + 1);
  const Clock::time_point begin = Clock::now();
  const std::size_t chunks = (job.size + job.chunk - 1) / job.chunk;
  const auto bound = [&](int s) {
    return static_cast<std::uint16_t>(chunks * static_cast<std::size_t>(s) /
                                      static_cast<std::size_t>(seats));
  };
  job_ = job;
  ++number_;
  done_.store(0, std::memory_order_relaxed);
  seats_.store(seats, std::memory_order_relaxed);
  shared_.store(job.shared, std::memory_order_relaxed);
  for (int s = 0; s < seats; ++s) {  // the first chunk is the caller's in any case
    const auto first = s == 0 ? std::uint16_t{1} : bound(s);
    seat_[s].share.store({number_, first, bound(s + 1)}, std::memory_order_release);
  }
  for (int s = 1; s < seats; ++s) invite(s);
  const KeepStatusFlags keep;
  const std::int64_t worked_before = job.timed ? system::time_worked() : 0;
  run_chunk(0);
  std::uint32_t own = 1;
  work(0, [&own] { ++own; });
  const std::int64_t worked = job.timed ? system::time_worked() - worked_before : 0;
  await(static_cast<std::uint32_t>(chunks) - own);
  return {nanoseconds(Clock::now() - begin), worked * static_cast<std::int64_t>(chunks) / own};
}

}  // namespace bridle
