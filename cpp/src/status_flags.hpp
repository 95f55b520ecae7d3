// The floating-point status flags of the calling thread.
#pragma once

#if defined(__x86_64__)
#include <xmmintrin.h>
#else
#include <cfenv>
#endif

namespace bridle {

// Puts back the flags that arithmetic raised: whether a NaN was met by the calling thread or by a
// worker would otherwise decide whether NumPy warns. Control bits are not touched.
class KeepStatusFlags {
 public:
  KeepStatusFlags(const KeepStatusFlags&) = delete;
  KeepStatusFlags& operator=(const KeepStatusFlags&) = delete;
#if defined(__x86_64__)
  KeepStatusFlags() : before_(_mm_getcsr()) {}
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
