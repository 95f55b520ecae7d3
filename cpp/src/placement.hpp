// Where the worker threads wake up.
//
// A worker that has slept is often queued by the kernel on the processor of the thread that wakes
// it. That thread spins at the end of the region, so the worker waits for a whole time slice: 8 to
// 12 ms were measured for a call of 0.03 ms. So before a region after a pause, the caller's
// processor is taken out of the affinity masks of its workers. The caller's own mask is never
// touched. Linux only; elsewhere this is empty.
#pragma once

#include <atomic>
#include <chrono>

#if defined(__linux__)
#include <sched.h>
#include <sys/types.h>
#endif

namespace bridle {

#if defined(__linux__)

// The team of one calling thread. Not shared: libgomp keeps a pool of workers for each caller.
class WorkerPlacement {
 public:
  // Whether the workers sleep: waking them takes about as long as 0.1 ms of work.
  bool asleep() const noexcept { return workers_ > 0 && Clock::now() - left_ >= kPause; }
  // By the caller, when it has worked without them: they will be wanted if it goes on like that.
  void touch() noexcept { left_ = Clock::now(); }
  // By the caller, before and after a region.
  void before_region() noexcept;
  void after_region(int threads) noexcept;
  // By each worker inside the region, `index` >= 1.
  void note_worker(int index) noexcept;

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr int kMaxWorkers = 256;
  static constexpr auto kPause = std::chrono::microseconds(500);  // they spin after shorter ones

  pid_t worker_[kMaxWorkers] = {};
  int workers_ = 0;
  std::atomic<bool> replaced_{false};  // some worker is a new thread, which has not been placed yet
  int avoided_ = -1;                   // the processor that the workers keep away from
  Clock::time_point left_{};
};

#else

class WorkerPlacement {
 public:
  bool asleep() const noexcept { return false; }
  void touch() noexcept {}
  void before_region() noexcept {}
  void after_region(int) noexcept {}
  void note_worker(int) noexcept {}
};

#endif

}  // namespace bridle
