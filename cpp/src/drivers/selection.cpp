#include "selection.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <limits>

#include "dispatch.hpp"
#include "threads/parallel.hpp"
#include "threads/slots.hpp"

namespace bridle {
namespace {

constexpr std::size_t kDigits = std::size_t{1} << kDigitBits;
constexpr std::size_t kMostTables = Slots::kMost;
constexpr std::size_t kLeastPerThread = 128 * 1024;  // elements
constexpr std::size_t kMostParts = 256;

const SelectKernels& kernels_of(DType dtype) {
  return kernels().selections.of[static_cast<int>(dtype)];
}

// Tables of counts, one for each thread that is at work at a time.
class Tables {
 public:
  explicit Tables(void* memory) : memory_(static_cast<std::uint64_t*>(memory)) {}

  int take() {
    const int table = slots_.take();
    if (!used_[table]) std::memset(counts(table), 0, kDigits * sizeof(std::uint64_t));
    used_[table] = true;
    return table;
  }
  void give_back(int table) { slots_.give_back(table); }
  std::uint64_t* counts(int table) { return memory_ + static_cast<std::size_t>(table) * kDigits; }

  // Those of all threads, by one.
  std::uint64_t total(std::size_t digit) {
    std::uint64_t sum = 0;
    for (std::size_t t = 0; t < kMostTables && used_[t]; ++t) {
      sum += counts(static_cast<int>(t))[digit];
    }
    return sum;
  }

 private:
  std::uint64_t* memory_;
  Slots slots_;
  bool used_[kMostTables] = {};  // the lowest free table is taken, so that these are the first ones
};

// A list as one sequence of keys: those of its type, or of float64 if there are several.
struct KeyList {
  const SelectionArray* arrays;
  std::size_t count, size;
  DType dtype;

  KeyList(const SelectionArray* list, std::size_t n)
      : arrays(list), count(n), size(0), dtype(n > 0 ? list[0].dtype : DType::float64) {
    for (std::size_t a = 0; a < n; ++a) {
      size += list[a].size;
      if (list[a].dtype != dtype) dtype = DType::float64;
    }
  }

  // Calls piece(data, count) for elements begin … end, of type `dtype`.
  template <class Piece>
  void for_each_piece(std::size_t begin, std::size_t end, const Piece& piece) const {
    std::size_t first = 0;
    for (std::size_t a = 0; a < count && first < end; first += arrays[a++].size) {
      const std::size_t from = std::max(begin, first), to = std::min(end, first + arrays[a].size);
      if (from >= to) continue;
      const char* const data =
          static_cast<const char*>(arrays[a].x) + (from - first) * item_size(arrays[a].dtype);
      if (arrays[a].dtype == dtype) {
        piece(data, to - from);
      } else {
        widened(arrays[a].dtype, data, to - from, piece);
      }
    }
  }

 private:
  template <class Piece>
  static void widened(DType from, const char* data, std::size_t n, const Piece& piece) {
    constexpr std::size_t block = 256;
    float narrow[block];
    double wide[block];
    for (std::size_t i = 0; i < n; i += block) {
      const std::size_t some = std::min(block, n - i);
      const char* const at = data + i * item_size(from);
      if (from == DType::float32) {
        std::memcpy(narrow, at, some * sizeof(float));
      } else {
        kernels().half[static_cast<int>(from)].widen(at, narrow, some);
      }
      std::copy_n(narrow, some, wide);
      piece(wide, some);
    }
  }
};

double value_of_key(DType dtype, std::uint64_t key) {
  if (dtype == DType::float64) return __builtin_bit_cast(double, key);
  if (dtype == DType::float32) {
    return __builtin_bit_cast(float, static_cast<std::uint32_t>(key));
  }
  const auto bits = static_cast<std::uint16_t>(key);
  float value;
  kernels().half[static_cast<int>(dtype)].widen(&bits, &value, 1);
  return value;
}

// The key of the largest number of a type that is not above `value` >= 0.
std::uint64_t key_below(DType dtype, double value) {
  const std::uint64_t bits = 8 * item_size(dtype);
  std::uint64_t key = 0;
  for (std::uint64_t bit = bits - 1; bit-- > 0;) {
    const std::uint64_t next = key | std::uint64_t{1} << bit;
    if (value_of_key(dtype, next) <= value) key = next;
  }
  return key;
}

}  // namespace

std::size_t selection_scratch() noexcept { return kMostTables * kDigits * sizeof(std::uint64_t); }

Selection select_largest(const SelectionArray* arrays, std::size_t count, std::size_t k,
                         void* scratch) noexcept {
  const KeyList list(arrays, count);
  const auto digits = kernels_of(list.dtype).digits;
  std::uint64_t key = 0, left = k, equal = 0;
  const int bits = 8 * static_cast<int>(item_size(list.dtype));
  for (int shift = bits - kDigitBits; shift >= 0; shift -= kDigitBits) {
    Tables tables(scratch);
    std::atomic<bool> nan{false};
    const auto count_range = [&](std::size_t begin, std::size_t end) {
      const int table = tables.take();
      list.for_each_piece(begin, end, [&](const void* data, std::size_t n) {
        if (digits(data, n, shift, key, tables.counts(table))) nan = true;
      });
      tables.give_back(table);
    };
    parallel_for(list.size, 64, kLeastPerThread, count_range, work_of(digits, shift));
    if (nan) return {true, 0.0, 0, 0, 0};
    if (k == 0) return {false, std::numeric_limits<double>::infinity(), 0, 0, 0};
    std::size_t digit = kDigits - 1;
    // Fewer than are left there are only where another thread writes to the arrays.
    while ((equal = tables.total(digit)) < left && digit > 0) {
      left -= equal;
      --digit;
    }
    key = key << kDigitBits | digit;
  }
  return {false, value_of_key(list.dtype, key), k - static_cast<std::size_t>(left),
          static_cast<std::size_t>(left), static_cast<std::size_t>(equal)};
}

std::size_t keep_selected(const SelectionArray& array, void* out, double threshold,
                          std::size_t ties) noexcept {
  const SelectKernels& select = kernels_of(array.dtype);
  const std::size_t item = item_size(array.dtype);
  const std::uint64_t key = key_below(array.dtype, threshold);
  const bool exact = value_of_key(array.dtype, key) == threshold;
  std::size_t elements = 4096;  // of one part
  while (elements * kMostParts < array.size) elements *= 2;
  const std::size_t parts = (array.size + elements - 1) / elements;
  const std::size_t least = std::max<std::size_t>(1, kLeastPerThread / elements);
  const char* const from = static_cast<const char*>(array.x);
  const auto size_of = [&](std::size_t p) { return std::min(elements, array.size - p * elements); };
  // How many ties each part may keep: all, or none, or what those in front of it leave.
  std::size_t keeps[kMostParts];
  std::size_t left = ties;
  const bool counted = exact && ties > 0 && ties != kAllTies;
  std::fill_n(keeps, parts, exact ? ties : 0);
  // In a threshold that is none of its numbers' magnitudes, nothing can be equal: but the number
  // below may be there, and is not above.
  if (counted) {
    parallel_for(
        parts, 1, least,
        [&](std::size_t begin, std::size_t end) {
          for (std::size_t p = begin; p < end; ++p) {
            keeps[p] = select.ties(from + p * elements * item, size_of(p), key);
          }
        },
        work_of(select.ties));
    for (std::size_t p = 0; p < parts; ++p) {
      keeps[p] = std::min(keeps[p], left);
      left -= keeps[p];
    }
  }
  parallel_for(
      parts, 1, least,
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t p = begin; p < end; ++p) {
          const std::size_t at = p * elements * item;
          select.keep(from + at, static_cast<char*>(out) + at, size_of(p), key, keeps[p]);
        }
      },
      work_of(select.keep, array.x == out));
  return left;
}

bool keep_largest(DType dtype, const void* x, void* out, std::size_t size, std::size_t k) noexcept {
  return kernels_of(dtype).keep_largest(x, out, size, k);
}

bool keep_n_of_m(DType dtype, const void* x, void* out, std::size_t size, std::size_t n,
                 std::size_t m) noexcept {
  const auto kernel = kernels_of(dtype).n_of_m;
  const std::size_t bytes = m * item_size(dtype);
  std::atomic<bool> nan{false};
  parallel_for(
      size / m, 64, std::max<std::size_t>(1, 32 * 1024 / m),
      [&](std::size_t begin, std::size_t end) {
        const std::size_t at = begin * bytes;
        if (kernel(static_cast<const char*>(x) + at, static_cast<char*>(out) + at,
                   (end - begin) * m, n, m)) {
          nan = true;
        }
      },
      work_of(kernel, static_cast<int>(2 * (m % 64) + (x == out))));
  return nan;
}

}  // namespace bridle
