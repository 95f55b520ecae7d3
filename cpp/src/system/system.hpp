// What operating systems do in different ways. posix.cpp has it for Linux, macOS and their like,
// windows.cpp for Windows; CMake compiles one of them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#if defined(__linux__)
#include <sched.h>
#endif

namespace bridle::system {

#if defined(_WIN32)
using ThreadResult = unsigned;
#else
using ThreadResult = void*;
#endif
using ThreadFunction = ThreadResult (*)(void* context);

#if defined(__linux__)
using ProcessorSet = cpu_set_t;
#else
struct ProcessorSet {};  // threads are left where they are
#endif

// Starts a thread with a stack of so many bytes, which nobody waits for; signals are not for it.
// `on`: where it is to run at first, which not every C library can say; null for where the calling
// thread may. False if there is none.
bool start_thread(std::size_t stack, const ProcessorSet* on, ThreadFunction function,
                  void* context) noexcept;

// Sleeps while `word` is this number; it may return earlier. Who changes the word wakes one that
// sleeps. std::atomic's own functions lose a wake-up where gcc's library has no futex.
void sleep_while(const std::atomic<std::uint32_t>& word, std::uint32_t number) noexcept;
void wake_one(std::atomic<std::uint32_t>& word) noexcept;

// Has `function` called in every child that the process forks, before anything else of ours.
bool call_after_fork(void (*function)()) noexcept;

// The time that the calling thread has worked, in nanoseconds. Without interruptions, where that is
// known.
std::int64_t time_worked() noexcept;

// The processors that the calling thread may run on; 0: not known.
int processors_allowed() noexcept;

// In bytes; 0: not known.
std::size_t last_level_cache() noexcept;

}  // namespace bridle::system
