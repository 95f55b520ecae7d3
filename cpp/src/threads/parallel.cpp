#include "parallel.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <string>

#include "processors.hpp"
#include "status_flags.hpp"
#include "system/module_file.hpp"

#if defined(_OPENMP)
#include <omp.h>
#endif

namespace bridle {
namespace {

std::atomic<int> chosen_threads{0};
std::atomic<bool> all_required{false};

// Below this many times the least work of a thread a call is brief, and faster alone after a pause:
// about 2e6 elements, measured 0.18 ms alone and 0.2 ms with two threads for 1e6.
constexpr std::size_t kWorthWaking = 64;
constexpr auto kPause = std::chrono::microseconds(500);

// A share is at most this many chunks: of a late worker's, others can take nearly all.
constexpr std::size_t kChunksOfShare = 64;

// 0 if it is not set, or no whole number from 1 to kMaxThreads; what follows a separator is
// overlooked.
int threads_from_environment(const char* variable, char separator = '\0') noexcept {
  const char* const text = std::getenv(variable);
  if (!text || *text < '0' || *text > '9') return 0;
  char* end = nullptr;
  errno = 0;
  const long number = std::strtol(text, &end, 10);
  const bool ends = *end == '\0' || *end == separator;
  return ends && errno == 0 && number >= 1 && number <= kMaxThreads ? static_cast<int>(number) : 0;
}

#if defined(_OPENMP)

const bool openmp_was_told = std::getenv("OMP_NUM_THREADS") != nullptr;
const int own_choice_of_openmp = omp_get_max_threads();

// What the runtime was told, also by a limit; 0 where it knows no more than we do.
int threads_of_openmp() noexcept {
  const int most = omp_get_max_active_levels() > 0 ? omp_get_thread_limit() : 1;
  const int threads = std::min(omp_get_max_threads(), most);
  return openmp_was_told || threads != own_choice_of_openmp ? threads : 0;
}

bool in_parallel_region() noexcept { return omp_in_parallel(); }

#else

// Without the runtime its variable holds nevertheless, since schedulers set it: a number for each
// level of nested regions, of which the first is meant.
const int told_by_variable = threads_from_environment("OMP_NUM_THREADS", ',');

int threads_of_openmp() noexcept { return told_by_variable; }
bool in_parallel_region() noexcept { return false; }

#endif

[[maybe_unused]] const bool initialized = [] {
  chosen_threads = threads_from_environment("BRIDLE_NUM_THREADS");
  return true;
}();

// What somebody wants; 0 if nobody said so.
int wanted_threads() noexcept {
  const int chosen = chosen_threads.load(std::memory_order_relaxed);
  return chosen > 0 ? chosen : threads_of_openmp();
}

// What a thread that calls remembers of its calls.
struct Caller {
  Judge judge;
  Clock::time_point last{};  // the end of the last call that was large enough for help
  int processors = 0;        // available_processors(), after the last pause
};

void run_alone(std::size_t size, RangeFunction function, const void* body) noexcept {
  const KeepStatusFlags keep;
  if (size > 0) function(body, 0, size);
}

}  // namespace

void set_num_threads(int n) noexcept { chosen_threads = n; }

int get_num_threads() noexcept {
  const int wanted = wanted_threads();
  return wanted > 0 ? wanted : available_processors();
}

void require_all_threads(bool required) noexcept { all_required = required; }

const char* openmp_runtime() noexcept {
#if defined(_OPENMP)
  static const std::string path =
      system::module_file(reinterpret_cast<void*>(&omp_get_max_threads)).path;
  return path.c_str();
#else
  return "";
#endif
}

void parallel_ranges(std::size_t size, std::size_t grain, std::size_t minimum,
                     RangeFunction function, const void* body, const void* work) noexcept {
  const std::size_t most = std::min(size / minimum, (size + grain - 1) / grain);
  if (most < 2 || in_parallel_region()) return run_alone(size, function, body);

  thread_local Caller caller;
  const Clock::time_point begin = Clock::now();
  const bool after_pause = begin - caller.last >= kPause;
  if (after_pause) caller.processors = available_processors();
  const int wanted = wanted_threads();
  const auto threads = std::min<std::size_t>(wanted > 0 ? wanted : caller.processors, most);
  if (threads < 2) return run_alone(size, function, body);

  const bool required = all_required.load(std::memory_order_relaxed);
  const bool brief = size < kWorthWaking * minimum;
  const std::size_t least = std::max({grain, minimum / 4, size / (threads * kChunksOfShare)});
  const std::size_t chunk = (least + grain - 1) / grain * grain;
  const Judge::Kind kind{function, work, size, brief};
  const bool alone = (after_pause && brief) || caller.judge.prefers_alone(kind);
  if ((alone && !required) || !Team::the().take()) {
    run_alone(size, function, body);
    caller.last = Clock::now();
    caller.judge.worked_alone(kind, nanoseconds(caller.last - begin));
  } else {
    const Job job{function, body, size, chunk, !required, !brief};
    const Course course = Team::the().run(job, static_cast<int>(threads));
    Team::the().give_back();
    caller.last = Clock::now();
    caller.judge.worked_together(kind, course.time, course.alone);
  }
}

}  // namespace bridle
