// The floating-point environment of the calling thread.
#pragma once

#if defined(__x86_64__)
#include <xmmintrin.h>
#elif defined(__aarch64__)
#include <cstdint>
#else
#include <cfenv>
#endif

namespace bridle {

// Set at every entry, before a number is looked at: while it lives, the control bits have their
// default values (to nearest, subnormals kept, no traps). A thread that flushes subnormals to zero
// (torch.set_flush_denormal) would else get other results than its workers, and lose small
// parameters when they are rounded. Afterwards the control bits and the status flags are those from
// before: whether a NaN was met by the calling thread or by a worker would otherwise decide whether
// NumPy warns.
class KeepStatusFlags {
 public:
  KeepStatusFlags(const KeepStatusFlags&) = delete;
  KeepStatusFlags& operator=(const KeepStatusFlags&) = delete;

#if defined(__x86_64__)

  KeepStatusFlags() : before_(_mm_getcsr()) {
    constexpr unsigned flags = 0x3f;
    constexpr unsigned control = 0x1f80;  // all exceptions masked
    if ((before_ & ~flags) != control) _mm_setcsr(control | (before_ & flags));
  }
  ~KeepStatusFlags() {
    if (_mm_getcsr() != before_) _mm_setcsr(before_);
  }

 private:
  unsigned before_;

#elif defined(__aarch64__)

  KeepStatusFlags() {
    asm volatile("mrs %0, fpcr" : "=r"(control_));
    asm volatile("mrs %0, fpsr" : "=r"(flags_));
    if (control_ != 0) asm volatile("msr fpcr, %0" : : "r"(std::uint64_t{0}));
  }
  ~KeepStatusFlags() {
    if (control_ != 0) asm volatile("msr fpcr, %0" : : "r"(control_));
    asm volatile("msr fpsr, %0" : : "r"(flags_));
  }

 private:
  std::uint64_t control_, flags_;

#else

  KeepStatusFlags() {
    std::fegetenv(&before_);
    std::fesetenv(FE_DFL_ENV);
  }
  ~KeepStatusFlags() { std::fesetenv(&before_); }

 private:
  std::fenv_t before_;

#endif
};

}  // namespace bridle
