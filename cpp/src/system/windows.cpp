#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <process.h>
#include <windows.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <memory>
#include <new>

#include "system.hpp"

namespace bridle::system {
namespace {

// Workers may run in the library at any time: it is never unmapped.
[[maybe_unused]] const bool never_unmapped = [] {
  HMODULE own;
  return GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN,
                            reinterpret_cast<LPCWSTR>(&start_thread), &own) != 0;
}();

}  // namespace

bool start_thread(std::size_t stack, const ProcessorSet*, ThreadFunction function,
                  void* context) noexcept {
  const std::uintptr_t thread = _beginthreadex(nullptr, static_cast<unsigned>(stack), function,
                                               context, STACK_SIZE_PARAM_IS_A_RESERVATION, nullptr);
  if (thread == 0) return false;
  CloseHandle(reinterpret_cast<HANDLE>(thread));
  return true;
}

void sleep_while(const std::atomic<std::uint32_t>& word, std::uint32_t number) noexcept {
  static_assert(sizeof word == sizeof number);
  WaitOnAddress(const_cast<std::atomic<std::uint32_t>*>(&word), &number, sizeof number, INFINITE);
}
void wake_one(std::atomic<std::uint32_t>& word) noexcept { WakeByAddressSingle(&word); }

bool call_after_fork(void (*)()) noexcept { return true; }  // there is no fork

// GetThreadTimes counts in ticks of 16 ms, so interruptions are part of it here.
std::int64_t time_worked() noexcept {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

// 0 where the process has processors of several groups, of 64 each.
int processors_allowed() noexcept {
  DWORD_PTR process = 0, machine = 0;
  if (!GetProcessAffinityMask(GetCurrentProcess(), &process, &machine)) return 0;
  if (process == machine && GetActiveProcessorGroupCount() > 1) return 0;
  return std::popcount(static_cast<std::uint64_t>(process));
}

std::size_t last_level_cache() noexcept {
  DWORD bytes = 0;
  GetLogicalProcessorInformation(nullptr, &bytes);
  const std::size_t count = bytes / sizeof(SYSTEM_LOGICAL_PROCESSOR_INFORMATION);
  const std::unique_ptr<SYSTEM_LOGICAL_PROCESSOR_INFORMATION[]> parts(
      new (std::nothrow) SYSTEM_LOGICAL_PROCESSOR_INFORMATION[count]);
  if (!parts || !GetLogicalProcessorInformation(parts.get(), &bytes)) return 0;
  std::size_t largest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (parts[i].Relationship == RelationCache && parts[i].Cache.Level == 3) {
      largest = std::max<std::size_t>(largest, parts[i].Cache.Size);
    }
  }
  return largest;
}

}  // namespace bridle::system
