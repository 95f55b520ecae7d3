// The prox of SLOPE, argmin ½‖z − x‖² + step·Σ strengths[i]·(i-th largest |z|) (Bogdan, van den
// Berg, Sabatti, Su and Candès 2015), in linear time: the magnitudes are sorted by a radix sort,
// the strengths subtracted, and what then rises is pooled.
#pragma once

#include <bridle/loops/local_sum.hpp>
#include <cstddef>
#include <cstdint>

namespace bridle::inline BRIDLE_ISA {

// An element on its way through the sort: a word of its magnitude, inverted, so that the largest
// come first, and its place. The upper word is shifted by one bit and makes room for the sign.
template <class Index>
struct SortRecord {
  std::uint32_t key;
  Index place;
};

// Below that many elements places take 32 bits.
inline constexpr std::size_t kShortPlaces = std::size_t{1} << 32;

template <class T>
std::uint32_t upper_key(T x) {
  constexpr int below = 8 * (sizeof(T) - sizeof(std::uint32_t));
  const UnsignedOf<T> bits = __builtin_bit_cast(UnsignedOf<T>, x);
  const std::uint32_t word = static_cast<std::uint32_t>(bits >> below);
  return ~word << 1 | word >> 31;
}
inline std::uint32_t lower_key(double x) {
  return ~static_cast<std::uint32_t>(__builtin_bit_cast(std::uint64_t, x));
}

// The magnitude of a record of floats is its key; of doubles it is where they lie.
template <class Index>
float magnitude_of(const SortRecord<Index>& record, const float*) {
  return float_of(~record.key >> 1);
}
template <class Index>
double magnitude_of(const SortRecord<Index>& record, const double* x) {
  return ops::absolute(x[record.place]);
}

// How far ahead of random accesses their memory is asked for.
inline constexpr std::size_t kAhead = 16;

// Elements are sorted by insertion up to the first number, by digits of 8 bits up to the second.
inline constexpr std::size_t kInsertionSorted = 48, kShortDigits = 4096;
inline constexpr std::size_t kMostCounts = 3 << 11;

// A stable sort of the records by the bits of their keys from `first_bit` on. Which of the two
// memories holds the result is returned.
template <int kBits, class Index>
SortRecord<Index>* sort_by_digits(SortRecord<Index>* records, SortRecord<Index>* spare,
                                  std::size_t count, int first_bit, Index* counts) {
  constexpr int digits = (32 + kBits - 1) / kBits;
  constexpr std::size_t radix = std::size_t{1} << kBits;
  const auto digit_of = [](std::uint32_t key, int shift) { return key >> shift & (radix - 1); };
  __builtin_memset(counts, 0, digits * radix * sizeof(Index));
  for (std::size_t i = 0; i < count; ++i) {
    for (int d = 0; d < digits; ++d) {
      ++counts[d * radix + digit_of(records[i].key >> first_bit, d * kBits)];
    }
  }
  for (int d = 0; d < digits; ++d) {
    Index* const begin = counts + d * radix;
    const int shift = first_bit + d * kBits;
    if (begin[digit_of(records[0].key, shift)] == count) continue;  // all have the same one
    Index sum = 0;
    for (std::size_t i = 0; i < radix; ++i) {
      const Index here = begin[i];
      begin[i] = sum;
      sum += here;
    }
    for (std::size_t i = 0; i < count; ++i) {
      spare[begin[digit_of(records[i].key, shift)]++] = records[i];
    }
    SortRecord<Index>* const sorted = spare;
    spare = records;
    records = sorted;
  }
  return records;
}

// Some neighbours in the order of magnitudes.
template <class T>
struct PooledBlock {
  LocalSum<T> sum;
  double count;
};

template <class T, class Index>
struct SlopeScratch {
  using Record = SortRecord<Index>;

  SlopeScratch(void* memory, std::size_t n)
      : blocks(static_cast<PooledBlock<T>*>(memory)),
        records(reinterpret_cast<Record*>(blocks + n)),
        spare(records + n),
        counts(reinterpret_cast<Index*>(spare + n)) {}
  static constexpr std::size_t bytes(std::size_t n) {
    return n * (sizeof(PooledBlock<T>) + 2 * sizeof(Record)) + kMostCounts * sizeof(Index);
  }

  SortRecord<Index>* sort(Record* from, Record* to, std::size_t count, int first_bit) const {
    return count <= kShortDigits ? sort_by_digits<8>(from, to, count, first_bit, counts)
                                 : sort_by_digits<11>(from, to, count, first_bit, counts);
  }

  PooledBlock<T>* blocks;
  Record *records, *spare;
  Index* counts;
};

template <class T, class Index>
void sort_by_insertion(const T* x, SortRecord<Index>* records, std::size_t count) {
  for (std::size_t i = 1; i < count; ++i) {
    const SortRecord<Index> record = records[i];
    const T magnitude = magnitude_of(record, x);
    std::size_t at = i;
    for (; at > 0 && magnitude_of(records[at - 1], x) < magnitude; --at) {
      records[at] = records[at - 1];
    }
    records[at] = record;
  }
}

// The records, which have the upper keys of x at their places, in the order of falling magnitudes.
template <class T, class Index>
const SortRecord<Index>* sort_by_magnitude(const T* x, std::size_t count,
                                           const SlopeScratch<T, Index>& scratch) {
  SortRecord<Index>*records = scratch.records, *spare = scratch.spare;
  if (count <= kInsertionSorted) {
    sort_by_insertion(x, records, count);
    return records;
  }
  if constexpr (sizeof(T) == sizeof(double)) {
    for (std::size_t i = 0; i < count; ++i) records[i].key = lower_key(x[records[i].place]);
    records = scratch.sort(records, spare, count, 0);
    spare = records == spare ? scratch.records : spare;
    for (std::size_t i = 0; i < count; ++i) {
      __builtin_prefetch(x + records[i + kAhead < count ? i + kAhead : i].place);
      records[i].key = upper_key(x[records[i].place]);
    }
  }
  return scratch.sort(records, spare, count, 1);
}

// What is subtracted from the magnitudes of x, and the scale in which sums of them do not overflow.
template <class S>
struct ScaledStrengths {
  const S* strengths;
  double step, scale;

  double operator()(std::size_t i) const {
    const double strength = ops::product(step, static_cast<double>(strengths[i])) * scale;
    return strength < kBoundless ? strength : kBoundless;
  }
};

// Subtracts the strengths from the sorted magnitudes and pools what rises. The number of blocks is
// returned.
template <class T, class Index, class Strengths>
std::size_t pool(const T* x, const SortRecord<Index>* sorted, std::size_t count, std::size_t rank,
                 const Strengths& strengths, PooledBlock<T>* blocks) {
  std::size_t size = 0;
  T previous{};
  for (std::size_t i = 0; i < count; ++i) {
    if (sizeof(T) == sizeof(double)) {
      __builtin_prefetch(x + sorted[i + kAhead < count ? i + kAhead : i].place);
    }
    const T magnitude = magnitude_of(sorted[i], x);
    const double rest = static_cast<double>(magnitude) * strengths.scale - strengths(rank + i);
    PooledBlock<T> block{local_sum<T>(rest), 1.0};
    // Equal magnitudes always share a block, whatever rounding says.
    bool joins = i > 0 && magnitude == previous;
    while (size > 0) {
      const PooledBlock<T>& last = blocks[size - 1];
      if (!joins && total(last.sum, 0.0) * block.count > total(block.sum, 0.0) * last.count) break;
      block = {last.sum + block.sum, last.count + block.count};
      --size;
      joins = false;
    }
    blocks[size++] = block;
    previous = magnitude;
  }
  return size;
}

// Leaves in out the elements that are worth sorting, and infinite ones; zeros elsewhere.
template <class T, class Index, class Strengths>
std::size_t select(const T* x, std::size_t n, const Strengths& strengths, T* out,
                   SortRecord<Index>* records) {
  const double least = strengths(n - 1);
  std::size_t count = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const T element = x[i], magnitude = ops::absolute(element);
    const bool kept = static_cast<double>(magnitude) * strengths.scale > least;
    records[count] = {upper_key(element), static_cast<Index>(i)};
    count += static_cast<std::size_t>(kept & (magnitude <= ops::largest<T>()));
    out[i] = kept ? element : T(0);
  }
  return count;
}

template <class T, class Index, class S>
void prox_slope_finite(const T* x, std::size_t n, const ScaledStrengths<S>& strengths,
                       std::size_t infinite, T* out, const SlopeScratch<T, Index>& scratch) {
  const std::size_t count = select(x, n, strengths, out, scratch.records);
  if (count == 0) return;
  const SortRecord<Index>* const sorted = sort_by_magnitude(out, count, scratch);
  // Of all of them there are n, unless another thread writes to x.
  const std::size_t rank = infinite < n - count ? infinite : n - count;
  const std::size_t blocks = pool(out, sorted, count, rank, strengths, scratch.blocks);
  std::size_t i = 0;
  for (std::size_t b = 0; b < blocks; ++b) {
    const PooledBlock<T>& block = scratch.blocks[b];
    const double value = mean(block.sum, 0.0, block.count) / strengths.scale;
    const T magnitude = value > 0 ? static_cast<T>(value) : T(0);
    for (const std::size_t end = i + static_cast<std::size_t>(block.count); i < end; ++i) {
      __builtin_prefetch(out + sorted[i + kAhead < count ? i + kAhead : i].place, 1);
      out[sorted[i].place] = ((sorted[i].key & 1) != 0 ? -magnitude : magnitude) + T(0);
    }
  }
}

// Bytes, aligned as double is.
template <class T>
constexpr std::size_t slope_scratch(std::size_t n) {
  return n < kShortPlaces ? SlopeScratch<T, std::uint32_t>::bytes(n)
                          : SlopeScratch<T, std::uint64_t>::bytes(n);
}

// T is float or double, S either of them, step >= 0, strengths >= 0 and not rising, out is x or
// does not overlap it or the strengths. A NaN makes all NaN. An infinite element stays what it is,
// where no strength is infinite; against an infinite strength it makes all NaN.
template <class T, class S>
void prox_slope(const T* x, std::size_t n, const S* strengths, double step, T* out, void* scratch) {
  if (n == 0) return;
  const UnsignedOf<T> infinity = infinity_bits<T>();
  UnsignedOf<T> largest = largest_magnitude_bits(x, n);
  if (largest > infinity) return fill(out, n, T(__builtin_nan("")));
  std::size_t infinite = 0;
  if (largest == infinity) {
    largest = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const UnsignedOf<T> bits = magnitude_bits(x[i]);
      infinite += bits == infinity;
      largest = bits > largest && bits < infinity ? bits : largest;
    }
  }
  const double first = ops::product(step, static_cast<double>(strengths[0]));
  if (infinite > 0 && first > ops::largest<double>()) return fill(out, n, T(__builtin_nan("")));
  if (first == 0.0) {
    if (out != x) __builtin_memcpy(out, x, n * sizeof(T));
    return;
  }
  const double scale = summable_scale(static_cast<double>(__builtin_bit_cast(T, largest)));
  const ScaledStrengths<S> scaled{strengths, step, scale};
  if (n < kShortPlaces) {
    prox_slope_finite(x, n, scaled, infinite, out, SlopeScratch<T, std::uint32_t>(scratch, n));
  } else {
    prox_slope_finite(x, n, scaled, infinite, out, SlopeScratch<T, std::uint64_t>(scratch, n));
  }
}

}  // namespace bridle::inline BRIDLE_ISA
