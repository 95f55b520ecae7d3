// Where a worker wakes up.
//
// The kernel often queues a thread that has slept on the processor of the thread that wakes it.
// There it does not run before that one is done: measured for some milliseconds of calls, beside an
// idle processor. So before a worker is woken, or started, the caller's processor is taken out of
// its affinity mask, and the worker puts it back once it runs. Masks of the host's threads are
// never touched. Linux only; elsewhere this is empty.
#pragma once

#include "system/system.hpp"

#if defined(__linux__)
#include <sys/types.h>
#endif

namespace bridle {

// Of one worker. Nobody else does anything with it at the same time: see Team::Worker.
class Placement {
 public:
  // Before the worker is started, as number `worker` of the team. It may run where the thread may
  // that starts it, unless OMP_PROC_BIND and OMP_PLACES say otherwise: then the runtime has bound
  // that thread to one place, and the worker belongs to another one. True if it is to start on
  // these processors.
  bool start(int worker, system::ProcessorSet& on) noexcept;
  // By the caller, before it wakes the worker.
  void away_from_caller() noexcept;
  // By the worker: when it runs for the first time, and whenever it was woken.
  void started() noexcept;
  void anywhere() noexcept;

#if defined(__linux__)
 private:
  pid_t thread_ = 0;
  bool narrowed_ = false;
  system::ProcessorSet usual_{};
#endif
};

}  // namespace bridle
