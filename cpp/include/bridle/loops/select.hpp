// Selection by magnitude. Magnitudes are compared as integers, the bits without the sign: NaN is
// above infinity, and −0.0 equals +0.0.
#pragma once

#include <bridle/loops/storage.hpp>
#include <bridle/loops/vector.hpp>
#include <bridle/prefetch.hpp>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace bridle::inline BRIDLE_ISA {

template <class S>
inline constexpr UnsignedOf<S> kMagnitudeBits = static_cast<UnsignedOf<S>>(~UnsignedOf<S>(0)) >> 1;

template <class S>
inline UnsignedOf<S> key_at(const void* x, std::size_t i) {
  UnsignedOf<S> bits;
  __builtin_memcpy(&bits, static_cast<const char*>(x) + i * sizeof bits, sizeof bits);
  return static_cast<UnsignedOf<S>>(bits & kMagnitudeBits<S>);
}

// Counts the magnitudes whose bits from `shift` + kDigitBits on are `prefix` by their next
// kDigitBits bits. With no bits above these, which all have: whether one is NaN.
template <class S>
bool digits_kernel(const void* x, std::size_t size, int shift, std::uint64_t prefix,
                   std::uint64_t* counts) {
  using Key = UnsignedOf<S>;
  constexpr std::size_t block = 64;
  constexpr std::uint64_t mask = (std::uint64_t{1} << kDigitBits) - 1;
  constexpr int width = 8 * static_cast<int>(sizeof(Key));
  const Prefetch prefetch(size * sizeof(S));
  const int above = shift + kDigitBits;
  if (above >= width - 1) {
    Key most = 0;
    for (std::size_t i = 0; i < size; ++i) {
      if (i % block == 0) prefetch(static_cast<const S*>(x) + i, block * sizeof(S));
      const Key key = key_at<S>(x, i);
      most = key > most ? key : most;
      ++counts[key >> shift & mask];
    }
    return most > infinity_bits<S>();
  }
  for (std::size_t begin = 0; begin < size; begin += block) {
    const std::size_t end = size - begin < block ? size : begin + block;
    prefetch(static_cast<const S*>(x) + begin, block * sizeof(S));
    Key any = 0;
#pragma omp simd reduction(| : any)
    for (std::size_t i = begin; i < end; ++i) {
      any |= static_cast<Key>((key_at<S>(x, i) >> above) == static_cast<Key>(prefix));
    }
    if (any == 0) continue;
    for (std::size_t i = begin; i < end; ++i) {
      const Key key = key_at<S>(x, i);
      if (static_cast<std::uint64_t>(key >> above) == prefix) ++counts[key >> shift & mask];
    }
  }
  return false;
}

// How many magnitudes equal `key`.
template <class S>
std::size_t ties_kernel(const void* x, std::size_t size, std::uint64_t key) {
  using Key = UnsignedOf<S>;
  constexpr std::size_t block = 4096;
  const Key wanted = static_cast<Key>(key);
  const Prefetch prefetch(size * sizeof(S));
  std::size_t total = 0;
  for (std::size_t begin = 0; begin < size; begin += block) {
    const std::size_t end = size - begin < block ? size : begin + block;
    Key found = 0;
#pragma omp simd reduction(+ : found)
    for (std::size_t i = begin; i < end; ++i) {
      found = static_cast<Key>(found + static_cast<Key>(key_at<S>(x, i) == wanted));
    }
    total += found;
  }
  return total;
}

// out = x where the magnitude is above `key`, and at the first `ties` elements where it equals it;
// +0.0 elsewhere. Returns how many of the ties are left for what follows. out is x or does not
// overlap it.
template <class S>
std::size_t keep_kernel(const void* x, void* out, std::size_t size, std::uint64_t key,
                        std::size_t ties) {
  using Key = UnsignedOf<S>;
  constexpr std::size_t block = 256;
  const Key limit = static_cast<Key>(key);
  const Key* const from = static_cast<const Key*>(x);
  Key* const to = static_cast<Key*>(out);
  const Prefetch prefetch(size * sizeof(S));
  for (std::size_t begin = 0; begin < size; begin += block) {
    const std::size_t end = size - begin < block ? size : begin + block;
    prefetch(from + begin, block * sizeof(S));
    const std::size_t equal = ties_kernel<S>(from + begin, end - begin, key);
    if (equal == 0 || equal <= ties || ties == 0) {
      // Magnitudes are below the sign's bit, so `least` does not overflow.
      const Key least = static_cast<Key>(limit + (equal > 0 && ties == 0));
#pragma omp simd
      for (std::size_t i = begin; i < end; ++i) {
        const Key bits = from[i];
        const Key kept = static_cast<Key>((bits & kMagnitudeBits<S>) >= least);
        to[i] = static_cast<Key>(bits & static_cast<Key>(-kept));
      }
      if (equal <= ties) ties -= equal;
      continue;
    }
    for (std::size_t i = begin; i < end; ++i) {
      const Key magnitude = from[i] & kMagnitudeBits<S>;
      const bool tie = magnitude == limit && ties > 0;
      ties -= tie;
      to[i] = magnitude > limit || tie ? from[i] : Key(0);
    }
  }
  return ties;
}

// The n-th largest magnitude of a few, n >= 1, bit by bit; *ties: how many that equal it are among
// the n.
template <class S>
UnsignedOf<S> nth_largest(const void* x, std::size_t size, std::size_t n, std::size_t* ties) {
  using Key = UnsignedOf<S>;
  Key found = 0;
  std::size_t above = 0;  // how many have larger digits
  for (int bit = 8 * static_cast<int>(sizeof(Key)) - 2; bit >= 0; --bit) {
    const Key candidate = static_cast<Key>(found | Key(Key(1) << bit));
    std::uint64_t count = 0;
#pragma omp simd reduction(+ : count)
    for (std::size_t i = 0; i < size; ++i) count += key_at<S>(x, i) >= candidate;
    if (count >= n) {
      found = candidate;
    } else {
      above = count;
    }
  }
  *ties = n - above;
  return found;
}

// Of at most kFewToRank elements those stay that fewer than n others beat. Whether there is a NaN.
inline constexpr std::size_t kFewToRank = 32;

template <class S>
bool keep_by_rank(const S* x, S* out, std::size_t size, std::size_t n) {
  using Key = UnsignedOf<S>;
  Key key[kFewToRank] = {};
  bool nan = false;
  for (std::size_t i = 0; i < size; ++i) {
    key[i] = key_at<S>(x, i);
    nan |= key[i] > infinity_bits<S>();
  }
  for (std::size_t i = 0; i < size; ++i) {
    std::size_t beaten = 0;
    for (std::size_t j = 0; j < i; ++j) beaten += key[j] >= key[i];
    for (std::size_t j = i + 1; j < size; ++j) beaten += key[j] > key[i];
    if (beaten < n) {
      out[i] = x[i];
    } else {
      out[i] = S{};
    }
  }
  return nan;
}

// Of one vector the n of largest magnitude stay, of equal ones the first; the others become +0.0.
// Whether there is a NaN.
template <class S>
bool keep_largest_kernel(const void* x, void* out, std::size_t size, std::size_t n) {
  if (size <= kFewToRank) {
    return keep_by_rank(static_cast<const S*>(x), static_cast<S*>(out), size, n);
  }
  using Key = UnsignedOf<S>;
  Key most = 0;
#pragma omp simd reduction(max : most)
  for (std::size_t i = 0; i < size; ++i) {
    const Key key = key_at<S>(x, i);
    most = key > most ? key : most;
  }
  std::size_t ties = 0;
  Key key = kMagnitudeBits<S>;
  if (n >= size) {
    key = 0;
    ties = size;
  } else if (n > 0) {
    key = nth_largest<S>(x, size, n, &ties);
  }
  keep_kernel<S>(x, out, size, key, ties);
  return most > infinity_bits<S>();
}

// Element i of `result` is the one k places further on in its group of four. (gcc warns of
// functions that return wider vectors than the instruction set has.)
template <int k, class V, std::size_t... I>
inline void turn(const V& v, V& result, std::index_sequence<I...>) {
  result = __builtin_shufflevector(v, v, static_cast<int>(I / 4 * 4 + (I % 4 + k) % 4)...);
}

// Of every four elements two stay. An element beats another one if it is larger, or as large and in
// front of it: key + 1 > other.
template <class S>
bool two_of_four(const void* x, void* out, std::size_t size) {
  using Key = UnsignedOf<S>;
  using Signed = std::make_signed_t<Key>;
  constexpr std::size_t width = VectorOf<Key>::size > 4 ? VectorOf<Key>::size : 4;
  typedef Signed V __attribute__((vector_size(width * sizeof(Key))));
  constexpr std::make_index_sequence<width> lanes;
  V first1, first2, first3, mask, infinity;
  for (std::size_t i = 0; i < width; ++i) {
    first1[i] = i % 4 + 1 >= 4;
    first2[i] = i % 4 + 2 >= 4;
    first3[i] = i % 4 + 3 >= 4;
    mask[i] = static_cast<Signed>(kMagnitudeBits<S>);
    infinity[i] = static_cast<Signed>(infinity_bits<S>());
  }
  const Prefetch prefetch(size * sizeof(S));
  const char* const from = static_cast<const char*>(x);
  char* const to = static_cast<char*>(out);
  V nans = {};
  std::size_t i = 0;
  const auto row = [&](const void* source, void* target) {
    V bits;
    __builtin_memcpy(&bits, source, sizeof bits);
    const V key = bits & mask;
    V other1, other2, other3;
    turn<1>(key, other1, lanes);
    turn<2>(key, other2, lanes);
    turn<3>(key, other3, lanes);
    const V beaten = (other1 + first1 > key) + (other2 + first2 > key) + (other3 + first3 > key);
    nans |= key > infinity;
    const V kept = bits & (beaten > -2);
    __builtin_memcpy(target, &kept, sizeof kept);
  };
  for (; i + width <= size; i += width) {
    prefetch(from + i * sizeof(Key), sizeof(V));
    row(from + i * sizeof(Key), to + i * sizeof(Key));
  }
  if (i < size) {
    V rest = {};
    __builtin_memcpy(&rest, from + i * sizeof(Key), (size - i) * sizeof(Key));
    row(&rest, &rest);
    __builtin_memcpy(to + i * sizeof(Key), &rest, (size - i) * sizeof(Key));
  }
  bool nan = false;
  for (std::size_t k = 0; k < width; ++k) nan |= nans[k] != 0;
  return nan;
}

// Of every m consecutive elements the n of largest magnitude stay, of equal ones the first; `size`
// is a multiple of m. Whether there is a NaN.
template <class S>
bool n_of_m_kernel(const void* x, void* out, std::size_t size, std::size_t n, std::size_t m) {
  if (n == 2 && m == 4) return two_of_four<S>(x, out, size);
  bool nan = false;
  const Prefetch prefetch(size * sizeof(S));
  for (std::size_t i = 0; i < size; i += m) {
    const S* const from = static_cast<const S*>(x) + i;
    S* const to = static_cast<S*>(out) + i;
    prefetch(from, m * sizeof(S));
    nan |= keep_largest_kernel<S>(from, to, m, n);
  }
  return nan;
}

}  // namespace bridle::inline BRIDLE_ISA
