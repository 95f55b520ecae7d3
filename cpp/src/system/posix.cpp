#include <pthread.h>
#include <signal.h>

#include <cstdio>
#include <ctime>

#include "system.hpp"

#if defined(__APPLE__)
#include <dlfcn.h>
#endif

namespace bridle::system {
namespace {

#if defined(__APPLE__)
// Elsewhere the linker is told so (CMakeLists.txt): workers may run in the library at any time.
[[maybe_unused]] const bool never_unmapped = [] {
  Dl_info own;
  return dladdr(reinterpret_cast<const void*>(&start_thread), &own) != 0 &&
         dlopen(own.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE) != nullptr;
}();
#endif

void place([[maybe_unused]] pthread_attr_t* attributes,
           [[maybe_unused]] const ProcessorSet* on) noexcept {
#if defined(__GLIBC__)  // musl has no such attribute
  pthread_attr_setaffinity_np(attributes, sizeof *on, on);
#endif
}

}  // namespace

bool start_thread(std::size_t stack, const ProcessorSet* on, ThreadFunction function,
                  void* context) noexcept {
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return false;
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, stack);
  if (on) place(&attributes, on);
  sigset_t all, before;  // signals are for the threads of the host
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  const bool started = pthread_create(&thread, &attributes, function, context) == 0;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  return started;
}

void sleep_while(const std::atomic<std::uint32_t>& word, std::uint32_t number) noexcept {
  word.wait(number);
}
void wake_one(std::atomic<std::uint32_t>& word) noexcept { word.notify_one(); }

bool call_after_fork(void (*function)()) noexcept {
  return pthread_atfork(nullptr, nullptr, function) == 0;
}

// To ask for it takes 0.5 µs.
std::int64_t time_worked() noexcept {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * std::int64_t{1'000'000'000} + time.tv_nsec;
}

#if defined(__linux__)

int processors_allowed() noexcept {
  cpu_set_t allowed;
  return sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? CPU_COUNT(&allowed) : 0;
}

// The kernel's word, in KB; sysconf of older C libraries counts the caches of a whole AMD package.
std::size_t last_level_cache() noexcept {
  unsigned long kilobytes = 0;
  if (std::FILE* file = std::fopen("/sys/devices/system/cpu/cpu0/cache/index3/size", "re")) {
    if (std::fscanf(file, "%luK", &kilobytes) != 1) kilobytes = 0;
    std::fclose(file);
  }
  return std::size_t{kilobytes} * 1024;
}

#else

int processors_allowed() noexcept { return 0; }
std::size_t last_level_cache() noexcept { return 0; }

#endif

}  // namespace bridle::system
