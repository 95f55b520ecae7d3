// The floating-point state of the calling thread.
#pragma once

#if defined(__x86_64__)
#include <xmmintrin.h>
#else
#include <cfenv>
#endif

namespace bridle {

// Puts back the flags that arithmetic raised: whether a NaN was met by the calling thread or by a
// worker would otherwise decide whether NumPy warns. Meanwhile the control bits have their default
// values: a thread that flushes subnormals to zero (torch.set_flush_denormal) would else get other
// results than its workers.
class KeepStatusFlags {
 public:
  KeepStatusFlags(const KeepStatusFlags&) = delete;
  KeepStatusFlags& operator=(const KeepStatusFlags&) = delete;
#if defined(__x86_64__)
  KeepStatusFlags() : before_(_mm_getcsr()) {
    constexpr unsigned flags = 0x3f;
    constexpr unsigned control = 0x1f80;  // to nearest, all exceptions masked, subnormals kept
    if ((before_ & ~flags) != control) _mm_setcsr(control | (before_ & flags));
  }
  ~KeepStatusFlags() {
    if (_mm_getcsr() != before_) _mm_setcsr(before_);
  }

 private:
  unsigned before_;
#else
  KeepStatusFlags() { std::fegetexceptflag(&before_, FE_ALL_EXCEPT); }
  ~KeepStatusFlags() { std::fesetexceptflag(&before_, FE_ALL_EXCEPT); }

 private:
  std::fexcept_t before_;
#endif
};

}  // namespace bridle
