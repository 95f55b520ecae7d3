// Dropout as C functions.
#include "arguments.hpp"
#include "functions.hpp"
#include "threads/status_flags.hpp"

namespace bridle::c {
namespace {

// Whether p is a probability, and n indices from offset on are below 2⁶⁴.
bool allowed(double p, std::uint64_t offset, std::int64_t n) {
  return keeps(ops::dropout<float>::params[0].rule, p) && n >= 0 &&
         offset <= UINT64_MAX - static_cast<std::uint64_t>(n);
}

}  // namespace

template <class T>
int dropout(const T* x, double p, std::uint64_t seed, std::uint64_t stream, std::uint64_t offset,
            T* out, std::int64_t n) noexcept {
  const KeepStatusFlags keep;
  if (!allowed(p, offset, n) || !is_array(x, n) || !is_array(out, n)) return 1;
  if (x != out && !apart<T>(x, out, n)) return 1;
  const ops::KeepNumbers numbers = ops::keep_numbers(p, true);
  constexpr auto item = static_cast<std::ptrdiff_t>(sizeof(T));
  apply_noise({.op = index_in<ops::dropout<float>>(NoiseOps{}),
               .dtype = kDTypeOf<T>,
               .members = {numbers.scale},
               .noise = drawn_noise({{seed, stream}, numbers.threshold}, offset),
               .identity = p == 0.0,
               .size = static_cast<std::size_t>(n),
               .x = reinterpret_cast<char*>(const_cast<T*>(x)),
               .x_walk = Walk(item),
               .out = reinterpret_cast<char*>(out),
               .out_walk = Walk(item),
               .output = Output::reused});
  return 0;
}

int dropout_mask(double p, std::uint64_t seed, std::uint64_t stream, std::uint64_t offset,
                 std::uint8_t* keep, std::int64_t n) noexcept {
  const KeepStatusFlags flags;
  if (!allowed(p, offset, n) || !is_array(keep, n)) return 1;
  const RandomDraws draws{{seed, stream}, ops::keep_numbers(p, true).threshold};
  noise_mask(drawn_noise(draws, offset), static_cast<std::size_t>(n), keep);
  return 0;
}

template int dropout(const float*, double, std::uint64_t, std::uint64_t, std::uint64_t, float*,
                     std::int64_t) noexcept;
template int dropout(const double*, double, std::uint64_t, std::uint64_t, std::uint64_t, double*,
                     std::int64_t) noexcept;

}  // namespace bridle::c
