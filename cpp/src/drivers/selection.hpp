// The largest magnitudes of arrays. Of equal ones the first count, in the order of the list and of
// the elements. Magnitudes are told apart exactly, by their bits; elements are contiguous.
#pragma once

#include <bridle/types.hpp>

#include "core.hpp"

namespace bridle {

struct SelectionArray {
  DType dtype;
  const void* x;
  std::size_t size;
};

inline constexpr std::size_t kAllTies = ~std::size_t{0};

// Those that are above `threshold` stay, and of those that equal it the first `ties`: k together.
struct Selection {
  bool nan;          // an element is NaN: nothing else is said
  double threshold;  // the k-th largest magnitude; of k = 0: infinity
  std::size_t above, ties;
  std::size_t equal;  // how many equal it; of k = 0 nobody counts them

  // What to tell keep_selected.
  std::size_t kept_ties() const { return ties > 0 && ties == equal ? kAllTies : ties; }
};

// Bytes that select_largest needs, whatever the arrays: some 0.5 MB for each thread, 32 at most.
BRIDLE_API std::size_t selection_scratch() noexcept;

// The k-th largest magnitude of all arrays together, k <= their size, k = 0: none. In passes over
// the arrays: one for halves, two for float32, four for float64 or a mixed list.
BRIDLE_API Selection select_largest(const SelectionArray* arrays, std::size_t count, std::size_t k,
                                    void* scratch) noexcept;

// out = x where the selection keeps it, +0.0 elsewhere; bits are kept. out is x or does not overlap
// it. Returns how many of `ties` are left for the next array of the list. With kAllTies they need
// not be counted, which takes another pass.
BRIDLE_API std::size_t keep_selected(const SelectionArray& array, void* out, double threshold,
                                     std::size_t ties) noexcept;

// Of one vector the k of largest magnitude stay, without scratch memory, by one thread: for short
// ones. Whether there is a NaN.
bool keep_largest(DType dtype, const void* x, void* out, std::size_t size, std::size_t k) noexcept;

// Of every m consecutive elements the n of largest magnitude stay, bit for bit, the others become
// +0.0; m >= 1, size a multiple of m. Whether there is a NaN.
bool keep_n_of_m(DType dtype, const void* x, void* out, std::size_t size, std::size_t n,
                 std::size_t m) noexcept;

}  // namespace bridle
