// The random bits: ChaCha with 8 rounds (Bernstein 2008), sixteen blocks at a time.
// A superblock is 512 draws of 16 bits: word w of block b is row w, lane b, so that blocks are SIMD
// lanes, rows are stored as they are, and draw j of the superblock is simply the j-th 16-bit half
// in memory.
#pragma once

#include <bridle/loops/vector.hpp>
#include <bridle/types.hpp>

namespace bridle::inline BRIDLE_ISA {

// Superblocks drawn at once. One alone leaves AVX-512 waiting for its own results; two fill its 32
// registers.
inline constexpr std::size_t kInterleaved = kVectorBytes == 64 ? 2 : 1;

using Words = Vector<std::uint32_t>;

// All of these are inlined: across a call, the state would live in memory.
template <int kBits>
[[gnu::always_inline]] inline void rotate_left(Words& x) {
  x = x << kBits | x >> (32 - kBits);
}

// A quarter round of ChaCha on each of the interleaved superblocks.
template <int a, int b, int c, int d>
[[gnu::always_inline]] inline void quarter_round(Words (&state)[kInterleaved][16]) {
  for (Words(&s)[16] : state) s[a] += s[b], s[d] ^= s[a], rotate_left<16>(s[d]);
  for (Words(&s)[16] : state) s[c] += s[d], s[b] ^= s[c], rotate_left<12>(s[b]);
  for (Words(&s)[16] : state) s[a] += s[b], s[d] ^= s[a], rotate_left<8>(s[d]);
  for (Words(&s)[16] : state) s[c] += s[d], s[b] ^= s[c], rotate_left<7>(s[b]);
}

[[gnu::always_inline]] inline void double_round(Words (&state)[kInterleaved][16]) {
  quarter_round<0, 4, 8, 12>(state);
  quarter_round<1, 5, 9, 13>(state);
  quarter_round<2, 6, 10, 14>(state);
  quarter_round<3, 7, 11, 15>(state);
  quarter_round<0, 5, 10, 15>(state);
  quarter_round<1, 6, 11, 12>(state);
  quarter_round<2, 7, 8, 13>(state);
  quarter_round<3, 4, 9, 14>(state);
}

inline void ask_for_line(const Soon& soon, std::size_t at) {
  __builtin_prefetch(soon.from + at);
  if (soon.to) __builtin_prefetch(soon.to + at, 1);
}

// Writes the draws of kInterleaved superblocks, and tells whether one of them equals `wanted`, if
// it looks. Domain 0 holds the high halves of the uniforms, domain 1 the low. Meanwhile it asks for
// the memory that the caller needs next: the rounds keep the processor busy, but not its memory.
template <bool kLooks = false>
inline bool draw_superblocks(RandomKey key, std::uint32_t domain, std::uint64_t superblock,
                             std::uint16_t* draws, Soon soon = {}, std::uint16_t wanted = 0) {
  using Halves = Vector<std::uint16_t>;
  Halves least = Halves{} - 1;  // has a lane that is 0 iff a draw is wanted
  constexpr std::size_t width = VectorOf<std::uint32_t>::size;
  const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
  const auto high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); };
  const std::uint32_t words[16] = {0x61707865u,
                                   0x3320646eu,
                                   0x79622d32u,
                                   0x6b206574u,
                                   low(key.seed),
                                   high(key.seed),
                                   domain,
                                   0,
                                   0,
                                   0,
                                   0,
                                   0,
                                   0,
                                   0,
                                   low(key.stream),
                                   high(key.stream)};
  std::size_t asked = 0;
  Words lanes;
  for (std::size_t lane = 0; lane < width; ++lane) lanes[lane] = static_cast<std::uint32_t>(lane);
  for (std::size_t first = 0; first < 16; first += width) {
    Words start[kInterleaved][16], state[kInterleaved][16];
#pragma GCC unroll 2
    for (std::size_t k = 0; k < kInterleaved; ++k) {
      const std::uint64_t block =
          16 * (superblock + k) + first;  // adding a lane never carries into the high word
#pragma GCC unroll 16
      for (int w = 0; w < 16; ++w) start[k][w] = Words{} + words[w];
      start[k][12] = low(block) + lanes;
      start[k][13] = Words{} + high(block);
#pragma GCC unroll 16
      for (int w = 0; w < 16; ++w) state[k][w] = start[k][w];
    }
    for (int round = 0; round < 8; round += 2) {
      double_round(state);
      const std::size_t done = 4 * first + (round / 2 + 1) * width;  // in 64ths
      for (; asked < soon.bytes * done / 64; asked += kLine) {
        ask_for_line(soon, asked);
      }
    }
#pragma GCC unroll 2
    for (std::size_t k = 0; k < kInterleaved; ++k) {
#pragma GCC unroll 16
      for (std::size_t w = 0; w < 16; ++w) {
        const Words drawn = state[k][w] + start[k][w];
        store(drawn, draws + k * kDraws + 2 * (16 * w + first));
        if constexpr (kLooks) {
          const Halves difference = (Halves)drawn ^ wanted;
          least = difference < least ? difference : least;
        }
      }
    }
  }
  if constexpr (!kLooks) return false;
  std::uint16_t lanes_of_least[VectorOf<std::uint16_t>::size], smallest = 0xffff;
  store(least, lanes_of_least);
#pragma omp simd reduction(min : smallest)
  for (const std::uint16_t lane : lanes_of_least) smallest = lane < smallest ? lane : smallest;
  return smallest == 0;
}

}  // namespace bridle::inline BRIDLE_ISA
