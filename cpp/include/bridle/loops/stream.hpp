// Stores that bypass the caches, for results that are too large for them.
#pragma once

#include <bridle/loops/vector.hpp>
#include <bridle/types.hpp>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace bridle::inline BRIDLE_ISA {

// Stores whole cache lines past the caches: `to` is aligned to a line, `bytes` a multiple of it.
inline void stream_kernel(const void* from, void* to, std::size_t bytes) {
  const char* const in = static_cast<const char*>(from);
  char* const out = static_cast<char*>(to);
  for (std::size_t i = 0; i < bytes; i += kVectorBytes) {
#if defined(__AVX512F__)
    _mm512_stream_si512(reinterpret_cast<__m512i*>(out + i), load<__m512i>(in + i));
#elif defined(__AVX2__)
    _mm256_stream_si256(reinterpret_cast<__m256i*>(out + i), load<__m256i>(in + i));
#elif defined(__SSE2__)
    _mm_stream_si128(reinterpret_cast<__m128i*>(out + i), load<__m128i>(in + i));
#else
    __builtin_memcpy(out + i, in + i, kVectorBytes);
#endif
  }
}

}  // namespace bridle::inline BRIDLE_ISA
