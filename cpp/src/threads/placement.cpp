#include "placement.hpp"

#include <algorithm>

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#if defined(_OPENMP)
#include <omp.h>
#endif

namespace bridle {

#if defined(__linux__)

namespace {

// False, and nothing changed, if there is no other processor.
bool leave_out_own_processor(cpu_set_t& mask) noexcept {
  const int own = sched_getcpu();
  if (own < 0 || own >= CPU_SETSIZE) return false;
  if (!CPU_ISSET(own, &mask) || CPU_COUNT(&mask) < 2) return false;
  CPU_CLR(own, &mask);
  return true;
}

#if defined(_OPENMP) && _OPENMP >= 201511

// The processors of the place that OMP_PLACES has for a worker, if threads are bound to places.
bool place_of(int worker, cpu_set_t& mask) noexcept {
  constexpr int most = 1024;
  const int places = omp_get_num_places();
  if (omp_get_proc_bind() == omp_proc_bind_false || places <= 0) return false;
  const int place = (std::max(omp_get_place_num(), 0) + worker) % places;
  const int count = omp_get_place_num_procs(place);
  if (count <= 0 || count > most) return false;
  int processor[most];
  omp_get_place_proc_ids(place, processor);
  CPU_ZERO(&mask);
  for (int i = 0; i < count; ++i) {
    if (processor[i] >= 0 && processor[i] < CPU_SETSIZE) CPU_SET(processor[i], &mask);
  }
  return CPU_COUNT(&mask) > 0;
}

#else

bool place_of(int, cpu_set_t&) noexcept { return false; }

#endif

}  // namespace

bool Placement::start(int worker, system::ProcessorSet& on) noexcept {
  *this = {};
  narrowed_ = place_of(worker, usual_) || sched_getaffinity(0, sizeof usual_, &usual_) == 0;
  if (!narrowed_) return false;
  on = usual_;
  leave_out_own_processor(on);
  return true;
}

void Placement::away_from_caller() noexcept {
  if (thread_ == 0 || sched_getaffinity(thread_, sizeof usual_, &usual_) != 0) return;
  cpu_set_t mask = usual_;
  narrowed_ = leave_out_own_processor(mask) && sched_setaffinity(thread_, sizeof mask, &mask) == 0;
}

void Placement::started() noexcept {
  thread_ = static_cast<pid_t>(syscall(SYS_gettid));
  anywhere();
}

void Placement::anywhere() noexcept {
  if (!narrowed_) return;
  narrowed_ = false;
  sched_setaffinity(0, sizeof usual_, &usual_);
}

#else

bool Placement::start(int, system::ProcessorSet&) noexcept { return false; }
void Placement::away_from_caller() noexcept {}
void Placement::started() noexcept {}
void Placement::anywhere() noexcept {}

#endif

}  // namespace bridle
