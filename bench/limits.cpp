// Compiled for the machine it runs on. Where there was a choice, the fastest variant measured is
// the limit.
#include "limits.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <type_traits>

#if defined(_OPENMP)
#include <omp.h>
#endif
#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace {

constexpr std::size_t kLine = 16;          // floats in a cache line
constexpr std::size_t kStep = 4 * kLine;   // floats that one round of a loop handles
constexpr std::size_t kAhead = 2048;       // floats; 2 to 32 KB ahead were equally fast
constexpr std::size_t kCached = 4u << 20;  // floats; in smaller arrays a prefetch has no use

// A cache line at any address, as the compilers' own vector type.
typedef float Floats __attribute__((vector_size(64), aligned(4), may_alias));
typedef std::uint32_t Bits __attribute__((vector_size(64), aligned(4), may_alias));

struct RowsToUpdate {
  float* w;
  const float* gradient;
  float *m, *v;
  const std::int64_t* rows;
  std::size_t columns;
};

// Calls body(begin, end) on every thread with its share of [0, size).
template <class Body>
void split(std::size_t size, [[maybe_unused]] int threads, const Body& body) {
#if defined(_OPENMP)
  if (threads > 1) {
#pragma omp parallel num_threads(threads)
    {
      const auto count = static_cast<std::size_t>(omp_get_num_threads());
      const auto index = static_cast<std::size_t>(omp_get_thread_num());
      const std::size_t steps = (size + kStep - 1) / kStep;
      body(std::min(size, steps * index / count * kStep),
           std::min(size, steps * (index + 1) / count * kStep));
    }
    return;
  }
#endif
  body(std::size_t{0}, size);
}

inline void widen_line(const std::uint16_t* halves, Floats& line) {
  typedef std::uint16_t Halves __attribute__((vector_size(32), aligned(2), may_alias));
  const Bits bits = __builtin_convertvector(*reinterpret_cast<const Halves*>(halves), Bits) << 16;
  line = reinterpret_cast<const Floats&>(bits);
}

inline void stream_line(const float* from, float* to) {
#if defined(__AVX512F__)
  _mm512_stream_ps(to, _mm512_loadu_ps(from));
#elif defined(__AVX__)
  for (int i = 0; i < 16; i += 8) _mm256_stream_ps(to + i, _mm256_loadu_ps(from + i));
#elif defined(__SSE2__)
  for (int i = 0; i < 16; i += 4) _mm_stream_ps(to + i, _mm_loadu_ps(from + i));
#else
  *reinterpret_cast<Floats*>(to) = *reinterpret_cast<const Floats*>(from);
#endif
}

// Asks for lines ahead of the one at x, if kPrefetch.
template <bool kPrefetch, class T>
inline void ask_ahead(const T* x) {
  if (kPrefetch) __builtin_prefetch(x + kAhead);
}

// Stores the whole lines, of kCount elements each, that lie in elements begin … end.
template <std::size_t kCount, class T, class Line>
void stream_lines(T* out, std::size_t begin, std::size_t end, const Line& line) {
  std::size_t i = begin;
  while (reinterpret_cast<std::uintptr_t>(out + i) % 64 != 0) ++i;
  for (; i + kCount <= end; i += kCount) {
    Floats value;
    line(i, value);
    stream_line(reinterpret_cast<const float*>(&value), reinterpret_cast<float*>(out + i));
  }
#if defined(__SSE2__)
  _mm_sfence();
#endif
}

template <bool kPrefetch>
void scale(float* x, float factor, std::size_t begin, std::size_t end) {
  std::size_t i = begin;
  for (; i + kStep <= end; i += kStep) {
    for (std::size_t k = 0; k < kStep; k += kLine) {
      ask_ahead<kPrefetch>(x + i + k);
      *reinterpret_cast<Floats*>(x + i + k) *= factor;
    }
  }
  for (; i < end; ++i) x[i] *= factor;
}

template <bool kPrefetch>
void update(float* w, const float* gradient, float* m, float* v, std::size_t begin,
            std::size_t end) {
  std::size_t i = begin;
  for (; i + kLine <= end; i += kLine) {
    ask_ahead<kPrefetch>(gradient + i);
    const Floats g = *reinterpret_cast<const Floats*>(gradient + i) * 1e-20f;
    for (float* const array : {w, m, v}) {
      ask_ahead<kPrefetch>(array + i);
      *reinterpret_cast<Floats*>(array + i) += g;
    }
  }
  for (; i < end; ++i) w[i] += gradient[i], m[i] += gradient[i], v[i] += gradient[i];
}

// What a step moves whose gradient is of bfloat16, and so is a copy of the weights; State: moments.
template <class State, bool kPrefetch>
void update_mixed(float* w, const std::uint16_t* gradient, State* m, State* v, std::uint16_t* copy,
                  std::size_t begin, std::size_t end) {
  stream_lines<2 * kLine>(copy, begin, end, [=](std::size_t i, Floats& halves) {
    Bits both = {};
    for (std::size_t k = i; k < i + 2 * kLine; k += kLine) {
      ask_ahead<kPrefetch>(w + k);
      if (k == i || sizeof(State) > 2) {
        ask_ahead<kPrefetch>(m + k);
        ask_ahead<kPrefetch>(v + k);
      }
      if (k == i) ask_ahead<kPrefetch>(gradient + k);
      Floats g;
      widen_line(gradient + k, g);
      g *= 1e-20f;
      *reinterpret_cast<Floats*>(w + k) += g;
      both |= *reinterpret_cast<const Bits*>(w + k);
      if constexpr (sizeof(State) > 2) {
        *reinterpret_cast<Floats*>(m + k) += g;
        *reinterpret_cast<Floats*>(v + k) += g;
      }
    }
    if constexpr (sizeof(State) == 2) {
      for (State* const array : {m, v}) *reinterpret_cast<Bits*>(array + i) ^= both & 1u;
    }
    halves = reinterpret_cast<const Floats&>(both);
  });
}

// The same for some rows of tables, of whole lines, as far as they lie ahead of the one in work.
template <bool kPrefetch>
void update_rows(const RowsToUpdate& to, std::size_t begin, std::size_t end) {
  constexpr std::size_t kRowsAhead = 16;
  for (std::size_t r = begin; r < end; ++r) {
    for (float* const table : {to.w, to.m, to.v}) {
      if (kPrefetch && r + kRowsAhead < end) {
        const float* const ahead = table + to.rows[r + kRowsAhead] * to.columns;
        for (std::size_t i = 0; i < to.columns; i += kLine) __builtin_prefetch(ahead + i);
        __builtin_prefetch(ahead + to.columns - 1);
      }
      float* const row = table + to.rows[r] * to.columns;
      for (std::size_t i = 0; i + kLine <= to.columns; i += kLine) {
        *reinterpret_cast<Floats*>(row + i) +=
            *reinterpret_cast<const Floats*>(to.gradient + r * to.columns + i) * 1e-20f;
      }
    }
  }
}

// Seconds of the fastest of some calls.
template <class Function>
double fastest(const Function& function) {
  double least = 1e9;
  for (int i = 0; i < 5; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    function();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    least = std::min(least, seconds.count());
  }
  return least;
}

// Calls loop(ahead, begin, end) on every thread with its share of [0, size), where `ahead` is
// whether it reads ahead: the faster of both, which is found out once for each loop. floats: that
// it goes over.
template <class Loop>
void split_faster(std::size_t size, int threads, std::size_t floats, const Loop& loop) {
  const auto by = [&](auto ahead) {
    return [&, ahead] {
      split(size, threads, [&](std::size_t begin, std::size_t end) { loop(ahead, begin, end); });
    };
  };
  const auto plain = by(std::false_type{});
  const auto other = by(std::true_type{});
  if (floats <= kCached) return plain();
  static const bool is_other = fastest(other) < fastest(plain);
  return is_other ? other() : plain();
}

}  // namespace

extern "C" {

float bench_limit_read(const float* x, std::size_t size, int threads) {
  std::atomic<std::uint32_t> seen = 0;
  split_faster(size, threads, size, [&](auto ahead, std::size_t begin, std::size_t end) {
    Bits bits[4] = {};
    std::size_t i = begin;
    for (; i + kStep <= end; i += kStep) {
      for (std::size_t k = 0; k < 4; ++k) {
        ask_ahead<ahead.value>(x + i + k * kLine);
        bits[k] |= *reinterpret_cast<const Bits*>(x + i + k * kLine);
      }
    }
    float rest = 0;
    for (; i < end; ++i) rest += x[i];
    const Bits all = bits[0] | bits[1] | bits[2] | bits[3];
    seen |= all[0] | (rest > 0 ? 1u : 0u);
  });
  return static_cast<float>(seen.load());
}

float bench_limit_read_halves(const std::uint16_t* x, std::size_t size, int threads) {
  std::atomic<std::uint32_t> seen = 0;
  split_faster(size, threads, size, [&](auto ahead, std::size_t begin, std::size_t end) {
    Floats sums[4] = {};
    for (std::size_t i = begin; i + kStep <= end; i += kStep) {
      for (std::size_t k = 0; k < 4; ++k) {
        if (k % 2 == 0) ask_ahead<ahead.value>(x + i + k * kLine);
        Floats line;
        widen_line(x + i + k * kLine, line);
        sums[k] += line;
      }
    }
    const Floats all = sums[0] + sums[1] + sums[2] + sums[3];
    seen |= all[0] > 0 ? 1u : 0u;
  });
  return static_cast<float>(seen.load());
}

void bench_limit_add_halves(float* total, const std::uint16_t* x, std::size_t size, int threads) {
  split_faster(size, threads, size, [=](auto ahead, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i + kLine <= end; i += kLine) {
      ask_ahead<ahead.value>(x + i);
      ask_ahead<ahead.value>(total + i);
      Floats line;
      widen_line(x + i, line);
      *reinterpret_cast<Floats*>(total + i) += line;
    }
  });
}

void bench_limit_halve_streaming(const float* x, std::uint16_t* out, std::size_t size,
                                 int threads) {
  split_faster(size, threads, size, [=](auto ahead, std::size_t begin, std::size_t end) {
    stream_lines<2 * kLine>(out, begin, end, [&](std::size_t i, Floats& line) {
      ask_ahead<ahead.value>(x + i);
      ask_ahead<ahead.value>(x + i + kLine);
      const Bits both =
          *reinterpret_cast<const Bits*>(x + i) | *reinterpret_cast<const Bits*>(x + i + kLine);
      line = reinterpret_cast<const Floats&>(both);
    });
  });
}

void bench_limit_double_streaming(const std::uint16_t* x, float* out, std::size_t size,
                                  int threads) {
  split_faster(size, threads, size, [=](auto ahead, std::size_t begin, std::size_t end) {
    stream_lines<kLine>(out, begin, end, [&](std::size_t i, Floats& line) {
      ask_ahead<ahead.value>(x + i);
      widen_line(x + i, line);
    });
  });
}

void bench_limit_scale(float* x, float factor, std::size_t size, int threads) {
  split_faster(size, threads, size, [=](auto ahead, std::size_t begin, std::size_t end) {
    scale<ahead.value>(x, factor, begin, end);
  });
}

void bench_limit_copy_streaming(const float* x, float* out, std::size_t size, int threads) {
  split_faster(size, threads, size, [=](auto ahead, std::size_t begin, std::size_t end) {
    std::size_t i = begin;
    for (; i < end && reinterpret_cast<std::uintptr_t>(out + i) % 64 != 0; ++i) out[i] = x[i];
    for (; i + kLine <= end; i += kLine) {
      ask_ahead<ahead.value>(x + i);
      stream_line(x + i, out + i);
    }
    for (; i < end; ++i) out[i] = x[i];
#if defined(__SSE2__)
    _mm_sfence();
#endif
  });
}

void bench_limit_update(float* w, const float* gradient, float* m, float* v, std::size_t size,
                        int threads) {
  split_faster(size, threads, size, [=](auto ahead, std::size_t begin, std::size_t end) {
    update<ahead.value>(w, gradient, m, v, begin, end);
  });
}

void bench_limit_update_mixed(float* w, const std::uint16_t* gradient, float* m, float* v,
                              std::uint16_t* copy, std::size_t size, int threads) {
  split_faster(size, threads, size, [=](auto ahead, std::size_t begin, std::size_t end) {
    update_mixed<float, ahead.value>(w, gradient, m, v, copy, begin, end);
  });
}

void bench_limit_update_halves(float* w, const std::uint16_t* gradient, std::uint16_t* m,
                               std::uint16_t* v, std::uint16_t* copy, std::size_t size,
                               int threads) {
  split_faster(size, threads, size, [=](auto ahead, std::size_t begin, std::size_t end) {
    update_mixed<std::uint16_t, ahead.value>(w, gradient, m, v, copy, begin, end);
  });
}

void bench_limit_update_rows(float* w, const float* gradient, float* m, float* v,
                             const std::int64_t* rows, std::size_t count, std::size_t columns,
                             int threads) {
  split_faster(
      count, threads, count * columns * kLine, [=](auto ahead, std::size_t begin, std::size_t end) {
        update_rows<ahead.value>(RowsToUpdate{w, gradient, m, v, rows, columns}, begin, end);
      });
}

void bench_limit_copy_loop(const float* x, float* out, std::size_t size, int threads) {
  split(size, threads, [=](std::size_t begin, std::size_t end) {
    std::size_t i = begin;
    for (; i + kStep <= end; i += kStep) {
      for (std::size_t k = 0; k < kStep; k += kLine) {
        *reinterpret_cast<Floats*>(out + i + k) = *reinterpret_cast<const Floats*>(x + i + k);
      }
      asm volatile("" ::: "memory");  // or compilers put a call of memcpy here
    }
    for (; i < end; ++i) out[i] = x[i];
  });
}
}
