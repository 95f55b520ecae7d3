// Lists of arrays: the bits of the plain definition for each element, nothing beside them, through
// the caches or past them, by any number of threads.
#include <doctest/doctest.h>

#include <bridle/prefetch.hpp>
#include <cmath>
#include <cstring>
#include <deque>

#include "data.hpp"
#include "drivers/cast.hpp"
#include "drivers/combine.hpp"
#include "drivers/norm.hpp"
#include "drivers/streaming.hpp"
#include "reference.hpp"
#include "threads/parallel.hpp"

namespace {
bool streaming = false;
}

// What the core is linked with here in place of its own.
bool bridle::worth_streaming(std::size_t) noexcept { return streaming; }
std::size_t bridle::prefetch_distance() noexcept { return streaming ? 6 * 1024 : 0; }

namespace bridle::test {
namespace {

constexpr std::size_t kSizes[] = {0, 1, 7, 512, 33, 40'000, 0, 513, 3 * 4096 + 5, 1};

// A list of arrays, every other one of elements that lie apart.
class List {
 public:
  List(DType dtype, std::uint64_t seed, std::size_t phase) {
    const std::size_t item = item_size(dtype);
    for (const std::size_t size : kSizes) {
      const auto stride = static_cast<std::ptrdiff_t>(arrays_.size() % 2 == 1 ? 2 * item : item);
      arrays_.emplace_back(item, ordinary_elements(dtype, size, seed + size), stride, phase);
      Array& array = arrays_.back();
      const bool apart = stride > static_cast<std::ptrdiff_t>(item);
      walks_.emplace_back(stride, size);
      walked_.push_back({array.operand().data, dtype, apart ? &walks_.back() : nullptr});
    }
  }

  const Walked& operator[](std::size_t i) const { return walked_[i]; }
  Bytes elements(std::size_t i) const { return arrays_[i].elements(); }
  bool gaps_untouched() const {
    return std::all_of(arrays_.begin(), arrays_.end(),
                       [](const Array& array) { return array.gaps_untouched(); });
  }

 private:
  std::deque<Array> arrays_;
  std::deque<Walk> walks_;
  std::vector<Walked> walked_;
};

std::vector<ListedPair> pairs_of(const List& from, const List& to) {
  std::vector<ListedPair> pairs;
  std::uint64_t first = 0;
  for (std::size_t i = 0; i < std::size(kSizes); ++i) {
    pairs.push_back({from[i], to[i], kSizes[i], first});
    first += kSizes[i];
  }
  return pairs;
}

template <class Test>
void for_each_way(Test test) {
  for (const bool past_the_caches : {false, true}) {
    CAPTURE(past_the_caches);
    streaming = past_the_caches;
    for (int threads = 1; threads <= 3; ++threads) {
      CAPTURE(threads);
      set_num_threads(threads);
      for_each_instruction_set([&](const std::string& isa) {
        CAPTURE(isa);
        test();
      });
    }
  }
  set_num_threads(0);
}

TEST_CASE("a list is converted element by element, wherever it is cut") {
  for (const DType from : kAllTypes) {
    for (const DType to : kAllTypes) {
      CAPTURE(name_of(from));
      CAPTURE(name_of(to));
      const List x(from, 1, 2 * item_size(from));
      const auto kernel = kernels().cast[static_cast<int>(from)].to[static_cast<int>(to)];
      std::vector<Bytes> expected;
      for (std::size_t i = 0; i < std::size(kSizes); ++i) {
        const Bytes elements = x.elements(i);
        expected.emplace_back(kSizes[i] * item_size(to));
        for (std::size_t k = 0; k < kSizes[i]; ++k) {
          kernel(&elements[k * item_size(from)], &expected[i][k * item_size(to)], 1);
        }
      }
      for_each_way([&] {
        const List out(to, 2, 0);
        const std::vector<ListedPair> pairs = pairs_of(x, out);
        cast({pairs.data(), pairs.size(), false, {0, 0}, 0});
        for (std::size_t i = 0; i < expected.size(); ++i) CHECK(out.elements(i) == expected[i]);
        CHECK(out.gaps_untouched());
      });
    }
  }
}

TEST_CASE("sums, averages and scaling follow their formulas") {
  constexpr float factor = 0.3f;
  for (const Combination combination :
       {Combination::accumulate, Combination::average, Combination::scale}) {
    const List x(DType::float32, 3, 4);
    for_each_way([&] {
      const List to(DType::float32, 4, 0), before(DType::float32, 4, 0);
      const bool scales = combination == Combination::scale;
      const std::vector<ListedPair> pairs = pairs_of(scales ? to : x, to);
      combine(combination, factor, pairs.data(), pairs.size());
      bool right = true;
      for (std::size_t i = 0; i < std::size(kSizes); ++i) {
        const Bytes given = x.elements(i), old = before.elements(i), now = to.elements(i);
        for (std::size_t k = 0; k < now.size(); k += sizeof(float)) {
          float a, b, c;
          std::memcpy(&a, &old[k], sizeof a);
          std::memcpy(&b, &given[k], sizeof b);
          std::memcpy(&c, &now[k], sizeof c);
          const volatile float product = factor * (combination == Combination::average ? b - a : b);
          const float wanted = scales ? factor * a : a + product;
          right &= wanted == c;
        }
      }
      CHECK(right);
      CHECK(to.gaps_untouched());
    });
  }
}

TEST_CASE("the norm of a list has the same bits however it is summed") {
  const List halves(DType::bfloat16, 5, 2), doubles(DType::float64, 6, 8);
  std::vector<NormArray> arrays;
  std::size_t chunks = 0;
  double squares = 0.0;
  for (const List* list : {&halves, &doubles}) {
    for (std::size_t i = 0; i < std::size(kSizes); ++i) {
      arrays.push_back({(*list)[i], kSizes[i], chunks});
      chunks += chunks_of(kSizes[i]);
      const Bytes elements = list->elements(i);
      const DType dtype = (*list)[i].dtype;
      for (std::size_t k = 0; k < elements.size(); k += item_size(dtype)) {
        squares += std::pow(value_of(dtype, &elements[k]), 2);
      }
    }
  }
  const NormSums first = norm_sums(arrays.data(), arrays.size());
  CHECK(first.exponent == 0);
  CHECK(std::fabs(first.squares - squares) < 1e-10 * squares);
  for_each_way([&] {
    const NormSums sums = norm_sums(arrays.data(), arrays.size());
    CHECK(sums.squares == first.squares);
    CHECK(sums.largest == first.largest);
  });
}

}  // namespace
}  // namespace bridle::test
