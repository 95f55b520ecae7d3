// The worker threads of the process, and how they share out one job.
//
// A job is a number of chunks. Everybody has a seat with a share of them and claims its chunks one
// by one, then those that others have not begun. So nobody waits for a worker that has not come:
// the caller does its share. It waits for chunks that were claimed and are not done yet, and for
// nothing else. (A region of OpenMP ends when all of its threads have arrived, also those that the
// kernel has not run: 8 ms were measured for a call of 0.03 ms after a pause, and ten times the
// time of one thread beside a busy process.)
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "judge.hpp"
#include "placement.hpp"
#include "system/system.hpp"

namespace bridle {

using Clock = std::chrono::steady_clock;

inline std::int64_t nanoseconds(Clock::duration time) noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
}

struct Job {
  RangeFunction function;
  const void* body;
  std::size_t size;
  std::size_t chunk;  // elements; size / chunk, rounded up, is at most kMostChunks
  bool shared;        // whether one takes over what others have not begun
  bool timed;         // whether the course is to say what it would have taken without help
};

// What the caller saw of a job, in nanoseconds; starting workers is not part of it.
struct Course {
  std::int64_t time;
  std::int64_t alone;  // what it would have taken without help, by its own share; 0: not timed
};

class Team {
 public:
  static constexpr int kMostSeats = 256;
  static constexpr std::size_t kMostChunks = 65535;

  // That of the process. It works for one caller at a time.
  static Team& the() noexcept { return team_; }

  // False if it works for somebody else, or for the caller already.
  bool take() noexcept { return !taken_.exchange(true, std::memory_order_acquire); }
  void give_back() noexcept { taken_.store(false, std::memory_order_release); }

  // Does the whole job, with the help of up to `seats` − 1 workers, which are started as needed.
  // By who has taken the team.
  Course run(const Job& job, int seats) noexcept;

 private:
  // The chunks of a share that nobody has claimed. `job` tells it from equal shares of other jobs.
  struct Share {
    std::uint32_t job;
    std::uint16_t begin, end;
  };
  static_assert(std::atomic<Share>::is_always_lock_free);

  // Whoever takes a worker out of `asleep` has its placement for himself: the worker that gets up
  // by itself, or the caller that is about to wake it.
  enum class Worker { awake, asleep, being_placed };

  struct alignas(64) Seat {
    std::atomic<Share> share{};
    std::atomic<std::uint32_t> invitation{0};  // the last job that its worker was called for
    std::atomic<Worker> state{Worker::awake};
    Placement placement;
  };

  static system::ThreadResult worker(void* seat) noexcept;
  void forget_workers() noexcept;
  bool start_worker(int seat) noexcept;
  void invite(int seat) noexcept;
  std::uint32_t await_invitation(Seat& seat, std::uint32_t seen) noexcept;
  static void get_up(Seat& seat) noexcept;
  bool claim(Seat& seat, bool first, std::size_t& chunk) noexcept;
  template <class Done>
  void work(int seat, const Done& done) noexcept;
  void run_chunk(std::size_t chunk) const noexcept;
  void await(std::uint32_t others) noexcept;

  std::atomic<bool> taken_{false};
  int workers_ = 0;  // those that were started; they have seats 1 …

  // The job: written by the caller before it shares it out, read by who has claimed a chunk of it.
  Job job_{};
  std::uint32_t number_ = 0;
  std::atomic<int> seats_{1};
  std::atomic<bool> shared_{true};

  alignas(64) std::atomic<std::uint32_t> done_{0};  // chunks that workers have finished
  std::atomic<bool> awaited_{false};                // the caller sleeps until more are
  Seat seat_[kMostSeats];

  static Team team_;  // lasts as long as the process: workers look at it
  static const bool registered_;
};

}  // namespace bridle
