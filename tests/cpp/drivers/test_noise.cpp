// The dropout family and its masks: every random number is that of the definition, in every layout,
// part and number of threads.
#include <doctest/doctest.h>

#include <bridle/loops/normal.hpp>
#include <cmath>
#include <cstring>

#include "chacha_reference.hpp"
#include "data.hpp"
#include "noise_call.hpp"
#include "reference.hpp"
#include "threads/parallel.hpp"

namespace bridle::test {
namespace {

constexpr std::uint64_t kAll = std::uint64_t{1} << 32;
constexpr RandomKey kKey{0x0123456789abcdef, 42};
constexpr double kMembers[] = {1.25, -0.5, 0.75};

std::vector<std::uint32_t> uniforms(std::uint64_t index, std::size_t size) {
  std::vector<std::uint32_t> u(size);
  for (std::size_t i = 0; i < size; ++i) u[i] = uniform(kKey, index + i);
  return u;
}

Bytes decisions(const std::vector<std::uint32_t>& u, std::uint64_t threshold) {
  Bytes keep(u.size());
  for (std::size_t i = 0; i < u.size(); ++i) keep[i] = u[i] < threshold;
  return keep;
}

Bytes packed(const Bytes& keep) {
  Bytes bits((keep.size() + 7) / 8);
  for (std::size_t i = 0; i < keep.size(); ++i)
    bits[i / 8] = static_cast<char>(bits[i / 8] | keep[i] << i % 8);
  return bits;
}

std::uint8_t* bytes_of(Array& array) {
  return reinterpret_cast<std::uint8_t*>(array.operand().data);
}

void check_masks(const NoiseSource& noise, const Bytes& keep) {
  Array bytes(1, keep.size(), 1, 3), bits(1, (keep.size() + 7) / 8, 1, 5);
  noise_mask(noise, keep.size(), bytes_of(bytes));
  noise_mask_packed(noise, keep.size(), bytes_of(bits));
  CHECK(bytes.elements() == keep);
  CHECK(bytes.gaps_untouched());
  CHECK(bits.elements() == packed(keep));
  CHECK(bits.gaps_untouched());
}

bool takes_deviates(int op) { return op >= 2; }

// What the operator makes of each element, one by one.
Bytes expected_result(int op, DType dtype, const Bytes& x, const std::vector<std::uint32_t>& u,
                      std::uint64_t threshold) {
  Bytes result(x.size());
  const std::size_t item = item_size(dtype);
  for (std::size_t i = 0; i < u.size(); ++i) {
    const float noise = takes_deviates(op) ? normal_of(u[i]) : u[i] < threshold ? 1.0f : 0.0f;
    apply_noise_to_one(op, dtype, &x[i * item], kMembers, noise, &result[i * item]);
  }
  return result;
}

struct Strides {
  std::ptrdiff_t x, out;
};

void check_apply(int op, DType dtype, const NoiseSource& noise, const Bytes& elements,
                 const Bytes& expected, Strides strides) {
  CAPTURE(op);
  CAPTURE(name_of(dtype));
  CAPTURE(strides.x);
  CAPTURE(strides.out);
  const std::size_t item = item_size(dtype), size = elements.size() / item;
  const auto members = {kMembers[0], kMembers[1], kMembers[2]};
  Array x(item, elements, strides.x, item), out(item, size, strides.out);
  apply_noise(noise_call(op, dtype, x.operand(), out.operand(), size, noise, members));
  CHECK(difference(dtype, expected, out.elements()) == "");
  CHECK(out.gaps_untouched());
  apply_noise(
      noise_call(op, dtype, x.operand(), x.operand(), size, noise, members, Output::reused));
  CHECK(difference(dtype, expected, x.elements()) == "");
  CHECK(x.gaps_untouched());
}

// The whole family, with the random numbers drawn and with the decisions stored.
void check_call(std::uint64_t threshold, std::uint64_t index, std::size_t size) {
  CAPTURE(threshold);
  CAPTURE(index);
  CAPTURE(size);
  const std::vector<std::uint32_t> u = uniforms(index, size);
  const NoiseSource drawn = drawn_noise({kKey, threshold}, index);
  const Bytes keep = decisions(u, threshold), bits = packed(keep);
  const NoiseSource stored{
      NoiseFrom::bits, {},     0, reinterpret_cast<const std::uint8_t*>(bits.data()),
      8 * bits.size(), Walk(1)};
  check_masks(drawn, keep);
  check_masks(stored, keep);
  for (int op = 0; op < NoiseOps::size; ++op) {
    for (const DType dtype : kAllTypes) {
      const auto item = static_cast<std::ptrdiff_t>(item_size(dtype));
      const Bytes elements = hostile_elements(dtype, size, size);
      const Bytes expected = expected_result(op, dtype, elements, u, threshold);
      for (const Strides strides :
           {Strides{item, item}, Strides{-item, 2 * item}, Strides{item + 1, -item}}) {
        check_apply(op, dtype, drawn, elements, expected, strides);
      }
      if (!takes_deviates(op)) check_apply(op, dtype, stored, elements, expected, {item, item});
    }
  }
}

TEST_CASE("every size, index and threshold") {
  for_each_instruction_set([&](const std::string& isa) {
    CAPTURE(isa);
    for (const std::uint64_t threshold :
         {std::uint64_t{0}, std::uint64_t{1} << 31, std::uint64_t{3865470566}, kAll}) {
      for (const std::uint64_t index : {0ull, 511ull, 1000ull, (1ull << 37) - 300, ~0ull - 2000})
        for (const std::size_t size : {0, 1, 8, 31, 513, 1029}) check_call(threshold, index, size);
    }
  });
}

TEST_CASE("a draw that equals the high half of the threshold is settled by the low half") {
  for_each_instruction_set([&](const std::string& isa) {
    CAPTURE(isa);
    for (const std::uint64_t index : {0, 77, 511, 512, 1023, 1500}) {
      const std::uint64_t tie = uniform(kKey, index);
      const std::vector<std::uint32_t> u = uniforms(0, 1600);
      for (const std::uint64_t threshold : {tie - 1, tie, tie + 1, tie & ~std::uint64_t{0xffff}})
        check_masks(drawn_noise({kKey, threshold}, 0), decisions(u, threshold));
    }
  });
}

TEST_CASE("thresholds of which one half is zero or full") {
  for_each_instruction_set([&](const std::string& isa) {
    CAPTURE(isa);
    const std::vector<std::uint32_t> u = uniforms(5, 3000);
    for (const std::uint64_t threshold :
         {0x1ull, 0xffffull, 0x10000ull, 0x10001ull, 0xffff0000ull, 0xffffffffull})
      check_masks(drawn_noise({kKey, threshold}, 5), decisions(u, threshold));
  });
}

TEST_CASE("the number of threads does not show") {
  for (int threads = 1; threads <= 4; ++threads) {
    CAPTURE(threads);
    set_num_threads(threads);
    check_call(std::uint64_t{1} << 31, 12345, 5 * 8 * 1024 + 77);
  }
  set_num_threads(0);
}

TEST_CASE("an identity copies every bit and draws nothing") {
  for (const DType dtype : kAllTypes) {
    const std::size_t item = item_size(dtype);
    const Bytes elements = hostile_elements(dtype, 3000, 1);
    Array x(item, elements, static_cast<std::ptrdiff_t>(item)), out(item, 3000, -2 * 8);
    NoiseCall call = noise_call(kDropout, dtype, x.operand(), out.operand(), 3000,
                                drawn_noise({kKey, kAll}, 0), {1.0});
    call.identity = true;
    apply_noise(call);
    CHECK(out.elements() == elements);
  }
}

TEST_CASE("arrays of several dimensions: noise that is shared, and blocks of a larger array") {
  // x[i][j][k] of shape 3 × 5 × 7; the strides of the noise as noise_shape and block make them.
  const std::size_t shape[] = {3, 5, 7};
  const std::ptrdiff_t noises[][3] = {{35, 7, 1}, {7, 0, 1}, {5, 1, 0},     {1, 0, 0},    {0, 0, 1},
                                      {0, 1, 0},  {0, 0, 0}, {2000, 40, 1}, {300, 100, 9}};
  const std::ptrdiff_t layouts[][3] = {{140, 28, 4}, {4, 12, 60}, {-140, 28, 4}, {560, 56, 8}};
  const std::uint64_t threshold = std::uint64_t{1} << 31;
  for (const auto& noise : noises) {
    for (const auto& layout : layouts) {
      std::vector<float> memory(500, 7.0f), expected = memory;
      const std::ptrdiff_t origin = layout[0] < 0 ? -2 * layout[0] / 4 : 0;
      for (std::ptrdiff_t i = 0; i < 105; ++i) {
        const std::ptrdiff_t at[] = {i / 35, i / 7 % 5, i % 7};
        std::ptrdiff_t number = 0, place = origin;
        for (int d = 0; d < 3; ++d) number += at[d] * noise[d], place += at[d] * layout[d] / 4;
        expected[place] = uniform(kKey, 1000 + number) < threshold ? 14.0f : 0.0f;
      }
      char* const x = reinterpret_cast<char*>(&memory[origin]);
      apply_noise({.op = kDropout,
                   .dtype = DType::float32,
                   .members = {2.0},
                   .noise = drawn_noise({kKey, threshold}, 1000, {3, shape, noise}),
                   .identity = false,
                   .size = 105,
                   .x = x,
                   .x_walk = {3, shape, layout},
                   .out = x,
                   .out_walk = {3, shape, layout},
                   .output = Output::reused});
      CHECK(memory == expected);
    }
  }
}

// The tail's probability of z, in double precision: an oracle that shares nothing with normal_of.
double uniform_of(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)) * 0x1p32 - 0.5; }

TEST_CASE("normal deviates invert the distribution function, within 5e-7") {
  for (std::uint64_t u = 0; u <= 0xffffffff; u += u < 4096 ? 1 : 65519) {
    const auto z = static_cast<double>(normal_of(static_cast<std::uint32_t>(u)));
    const double allowed = 5e-7 * std::max(1.0, std::abs(z));
    const auto exact = static_cast<double>(u);
    if (!(uniform_of(z - allowed) <= exact && exact <= uniform_of(z + allowed))) FAIL(u, " ", z);
    const float opposite = normal_of(~static_cast<std::uint32_t>(u));
    if (opposite != -static_cast<float>(z)) FAIL(u, " is not antisymmetric");
  }
}

}  // namespace
}  // namespace bridle::test
