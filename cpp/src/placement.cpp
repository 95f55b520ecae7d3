#include "placement.hpp"

#if defined(__linux__)

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

namespace bridle {
void WorkerPlacement::before_region() noexcept {
  if (!asleep()) return;
  const int processor = sched_getcpu();
  if (processor == avoided_ && !replaced_.load(std::memory_order_relaxed)) return;
  cpu_set_t allowed;
  if (processor < 0 || sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  CPU_CLR(processor, &allowed);
  if (CPU_COUNT(&allowed) == 0) return;
  for (int i = 1; i <= workers_; ++i) sched_setaffinity(worker_[i], sizeof allowed, &allowed);
  avoided_ = processor;
  replaced_.store(false, std::memory_order_relaxed);
}

void WorkerPlacement::after_region(int threads) noexcept {
  workers_ = std::min(threads, kMaxWorkers) - 1;
  left_ = Clock::now();
}

void WorkerPlacement::note_worker(int index) noexcept {
  thread_local const pid_t self = static_cast<pid_t>(syscall(SYS_gettid));
  if (index >= kMaxWorkers || worker_[index] == self) return;
  worker_[index] = self;
  replaced_.store(true, std::memory_order_relaxed);
}

}  // namespace bridle

#endif
