// Dropout of the C++ package against the random bits written down once more.
#include <doctest/doctest.h>

#include "chacha_reference.hpp"
#include "public.hpp"

namespace bridle::test {
namespace {

constexpr RandomBits kBits{.seed = 0xfedcba9876543210, .stream = 5, .offset = (1ull << 40) + 77};

bool is_kept(double p, std::size_t i) {
  const double threshold = std::nearbyint((1.0 - p) * 4294967296.0);
  return uniform({kBits.seed, kBits.stream}, kBits.offset + i) < threshold;
}

template <class T>
void check_dropout(double p, std::size_t size) {
  const double kept = std::nearbyint((1.0 - p) * 4294967296.0);
  const T scale = static_cast<T>(4294967296.0 / kept);
  const std::vector<T> x = values<T>(size);
  std::vector<T> expected(size), out(size), in_place = x;
  std::vector<std::uint8_t> keep(size), expected_keep(size);
  for (std::size_t i = 0; i < size; ++i) {
    expected_keep[i] = is_kept(p, i);
    expected[i] = expected_keep[i] ? x[i] * scale + T(0) : T(0);
  }
  dropout(x, p, kBits, out);
  CHECK(first_difference(out, expected) == size);
  dropout(in_place, p, kBits, in_place);
  CHECK(first_difference(in_place, expected) == size);
  dropout_mask(p, kBits, keep);
  CHECK(keep == expected_keep);
}

TEST_CASE("kept and dropped are the elements of the definition, for any number of threads") {
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    for (const double p : {0.1, 0.5, 0.7, 1.0 - 1e-9}) {
      for (const std::size_t size : {0, 1, 4097, 40'001}) {
        CAPTURE(p);
        CAPTURE(size);
        check_dropout<float>(p, size);
        check_dropout<double>(p, size);
      }
    }
  }
}

TEST_CASE("p = 0 leaves every bit, p = 1 gives zeros") {
  const std::vector<float> x = values<float>(1000), zeros(1000);
  std::vector<float> out(1000);
  dropout(x, 0.0, kBits, out);
  CHECK(first_difference(out, x) == 1000);
  dropout(x, 1.0, kBits, out);
  CHECK(first_difference(out, zeros) == 1000);
}

TEST_CASE("what is not allowed is refused in the words of Python, and nothing is written") {
  const std::vector<double> before = values<double>(100);
  std::vector<double> x = before;
  const std::span<double> all(x);
  CHECK(refusal([&] { dropout(x, -0.5, kBits, x); }) ==
        "dropout: p must be between 0 and 1, got -0.5");
  CHECK(refusal([&] { dropout(x, NAN, kBits, x); }) ==
        "dropout: p must be between 0 and 1, got nan");
  CHECK(refusal([&] { dropout(x, 0.5, {1, 2, UINT64_MAX - 99}, x); }) ==
        "dropout: offset must be >= 0 and < 18446744073709551516, got 18446744073709551516");
  CHECK(refusal([&] { dropout(all.first(50), 0.5, kBits, all.subspan(1, 50)); }) ==
        "dropout: out must be x or share no element with it");
  CHECK(refusal([&] { dropout(all.first(3), 0.5, kBits, all.last(4)); }) ==
        "dropout: out must have as many elements as x, got 4 and 3");
  CHECK(first_difference(x, before) == x.size());
  std::vector<std::uint8_t> keep(100, 9);
  CHECK(refusal([&] { dropout_mask(1.5, kBits, keep); }) ==
        "dropout_mask: p must be between 0 and 1, got 1.5");
  CHECK(refusal([&] { dropout_mask(0.5, {.seed = 1, .offset = UINT64_MAX}, keep); }) ==
        "dropout_mask: offset must be >= 0 and < 18446744073709551516, got 18446744073709551615");
  CHECK(keep == std::vector<std::uint8_t>(100, 9));
  CHECK(refusal([&] { dropout(x, 0.5, {1, 2, UINT64_MAX - 100}, x); }) == "");
}

}  // namespace
}  // namespace bridle::test
