// The levels of x86-64 that processor and system support: what -march=x86-64-v3 and -v4 may use.
// (__builtin_cpu_supports knows it, too, but needs a library that clang-cl and zig do not link.)
#pragma once

#include <cpuid.h>

namespace bridle {

// What the processor says of itself, in one of its tables.
struct X86Features {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;

  explicit X86Features(unsigned leaf) noexcept {
    __get_cpuid_count(leaf, 0, &eax, &ebx, &ecx, &edx);
  }
};

template <class... Bits>
constexpr bool has_bits(unsigned word, Bits... bits) noexcept {
  return ((word >> bits & 1) && ...);
}

// Whether the system saves these registers, numbered as XCR0 numbers them, for each thread.
template <class... Bits>
bool saves_registers(Bits... bits) noexcept {
  constexpr unsigned osxsave = 27;
  if (!has_bits(X86Features(1).ecx, osxsave)) return false;
  unsigned low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return has_bits(low, bits...);
}

inline bool supports_x86_64_v3() noexcept {
  constexpr unsigned fma = 12, movbe = 22, avx = 28, f16c = 29;
  constexpr unsigned bmi1 = 3, avx2 = 5, bmi2 = 8, lzcnt = 5;
  constexpr unsigned sse = 1, upper_halves = 2;
  return has_bits(X86Features(1).ecx, fma, movbe, avx, f16c) &&
         has_bits(X86Features(7).ebx, bmi1, avx2, bmi2) &&
         has_bits(X86Features(0x80000001).ecx, lzcnt) && saves_registers(sse, upper_halves);
}

inline bool supports_x86_64_v4() noexcept {
  constexpr unsigned f = 16, dq = 17, cd = 28, bw = 30, vl = 31;
  constexpr unsigned masks = 5, upper_quarters = 6, registers_16_to_31 = 7;
  return supports_x86_64_v3() && has_bits(X86Features(7).ebx, f, dq, cd, bw, vl) &&
         saves_registers(masks, upper_quarters, registers_16_to_31);
}

}  // namespace bridle
