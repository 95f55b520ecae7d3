// Selection by magnitude, by a stable sort of all of it.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "data.hpp"
#include "drivers/selection.hpp"
#include "threads/parallel.hpp"

namespace bridle::test {
namespace {

const DType kTypes[] = {DType::float16, DType::bfloat16, DType::float32, DType::float64};

double magnitude(DType dtype, const char* element) {
  if (dtype == DType::float64) {
    double value;
    std::memcpy(&value, element, sizeof value);
    return std::fabs(value);
  }
  float value;
  if (dtype == DType::float32) {
    std::memcpy(&value, element, sizeof value);
  } else {
    kernels().half[static_cast<int>(dtype)].widen(element, &value, 1);
  }
  return std::fabs(value);
}

struct Element {
  double magnitude;
  std::size_t array, at;
};

using List = std::vector<Bytes>;
using Types = std::vector<DType>;

std::vector<Element> sorted(const List& list, const Types& types) {
  std::vector<Element> all;
  for (std::size_t a = 0; a < list.size(); ++a) {
    const std::size_t item = item_size(types[a]);
    for (std::size_t i = 0; i < list[a].size() / item; ++i) {
      all.push_back({magnitude(types[a], &list[a][i * item]), a, i});
    }
  }
  std::sort(all.begin(), all.end(), [](const Element& a, const Element& b) {
    return a.magnitude != b.magnitude ? a.magnitude > b.magnitude
                                      : std::pair(a.array, a.at) < std::pair(b.array, b.at);
  });
  return all;
}

// Elements of which many are equal, without NaN.
Bytes elements(DType dtype, std::size_t size, std::uint64_t seed, bool ties) {
  Bytes bytes = ordinary_elements(dtype, size, seed);
  Random random(seed + 1);
  const std::size_t item = item_size(dtype);
  for (std::size_t i = 0; ties && i < size; ++i) {
    if (random.below(3) > 0)
      std::memcpy(&bytes[i * item], &bytes[random.below(3) * item % bytes.size()], item);
  }
  return bytes;
}

List kept(const List& list, const Types& types, const std::vector<Element>& order, std::size_t k) {
  List result;
  for (const Bytes& array : list) result.push_back(Bytes(array.size(), 0));
  for (std::size_t j = 0; j < k; ++j) {
    const Element& e = order[j];
    const std::size_t item = item_size(types[e.array]);
    std::memcpy(&result[e.array][e.at * item], &list[e.array][e.at * item], item);
  }
  return result;
}

std::vector<SelectionArray> arrays_of(const List& list, const Types& types) {
  std::vector<SelectionArray> arrays;
  for (std::size_t a = 0; a < list.size(); ++a) {
    arrays.push_back({types[a], list[a].data(), list[a].size() / item_size(types[a])});
  }
  return arrays;
}

void check(const List& list, const Types& types, std::vector<char>& scratch) {
  const std::vector<Element> order = sorted(list, types);
  const std::vector<SelectionArray> arrays = arrays_of(list, types);
  for (const std::size_t k : {std::size_t{0}, std::size_t{1}, order.size() / 3, order.size() / 2,
                              order.size() - 1, order.size()}) {
    CAPTURE(k);
    const Selection found = select_largest(arrays.data(), arrays.size(), k, scratch.data());
    REQUIRE(!found.nan);
    CHECK(found.above + found.ties == k);
    if (k > 0) {
      const double expected = order[k - 1].magnitude;
      CHECK(found.threshold == expected);
      CHECK(found.above == static_cast<std::size_t>(std::count_if(
                               order.begin(), order.end(),
                               [&](const Element& e) { return e.magnitude > expected; })));
      CHECK(found.equal == static_cast<std::size_t>(std::count_if(
                               order.begin(), order.end(),
                               [&](const Element& e) { return e.magnitude == expected; })));
    }
    const List expected = kept(list, types, order, k);
    std::size_t ties = found.ties;
    for (std::size_t a = 0; a < list.size(); ++a) {
      Bytes out(list[a].size() + 8, '\x55'), in_place(list[a]);
      const std::size_t left = keep_selected(arrays[a], out.data(), found.threshold, ties);
      CHECK(std::count(out.end() - 8, out.end(), '\x55') == 8);
      out.resize(list[a].size());
      CHECK(out == expected[a]);
      const SelectionArray same{types[a], in_place.data(), arrays[a].size};
      CHECK(keep_selected(same, in_place.data(), found.threshold, ties) == left);
      CHECK(in_place == expected[a]);
      keep_selected(arrays[a], out.data(), found.threshold,
                    found.kept_ties() == kAllTies ? kAllTies : ties);
      CHECK(out == expected[a]);
      ties = left;
    }
  }
}

TEST_CASE("the largest of one array") {
  std::vector<char> scratch(selection_scratch());
  for (const DType dtype : kTypes) {
    for (const std::size_t size : {1, 2, 5, 100, 1000, 4500}) {
      for (const bool ties : {false, true}) {
        CAPTURE(size);
        CAPTURE(ties);
        for_each_instruction_set([&](const std::string& isa) {
          CAPTURE(isa);
          check({elements(dtype, size, size, ties)}, {dtype}, scratch);
        });
      }
    }
  }
}

TEST_CASE("the largest of a list, whatever the types and the threads") {
  std::vector<char> scratch(selection_scratch());
  for (int threads = 1; threads <= 4; ++threads) {
    set_num_threads(threads);
    CAPTURE(threads);
    List list;
    Types types;
    for (const std::size_t size : {3000, 0, 1, 300000, 20000}) {
      types.push_back(kTypes[list.size() % 4]);
      list.push_back(elements(types.back(), size, size + 7, true));
    }
    check(list, types, scratch);
    const Types same(5, DType::float32);
    for (std::size_t a = 0; a < 5; ++a)
      list[a] = elements(same[a], 100000 * (a % 3), a, a % 2 == 0);
    check(list, same, scratch);
    const float equal[] = {1.5f, -1.5f, 1.5f};  // fewer than stay of them
    for (Bytes& array : list) {
      array.resize(sizeof equal);
      std::memcpy(array.data(), equal, sizeof equal);
    }
    check(list, same, scratch);
  }
  set_num_threads(0);
}

TEST_CASE("infinity is the largest, and NaN is told") {
  std::vector<char> scratch(selection_scratch());
  const float inf = std::numeric_limits<float>::infinity();
  std::vector<float> x = {1, -inf, 0, -0.0f, inf, 2, -inf};
  const SelectionArray array{DType::float32, x.data(), x.size()};
  const Selection found = select_largest(&array, 1, 2, scratch.data());
  CHECK(found.threshold == inf);
  CHECK(found.ties == 2);
  CHECK(found.equal == 3);
  std::vector<float> out(x.size());
  keep_selected(array, out.data(), found.threshold, found.ties);
  CHECK(out == std::vector<float>{0, -inf, 0, 0, inf, 0, 0});
  const Selection none = select_largest(&array, 1, 0, scratch.data());
  keep_selected(array, out.data(), none.threshold, none.kept_ties());
  CHECK(out == std::vector<float>(x.size()));
  for (const DType dtype : kTypes) {
    for (const std::size_t at : {0, 70, 299999}) {
      Bytes bytes = elements(dtype, 300000, 1, false);
      const std::size_t item = item_size(dtype);
      // The least NaN: infinity and one bit more.
      const std::uint64_t least[] = {0x7c01, 0x7f81, 0x7f800001, 0x7ff0000000000001};
      std::memcpy(&bytes[at * item], &least[static_cast<int>(dtype)], item);
      const SelectionArray one{dtype, bytes.data(), 300000};
      for (const std::size_t k : {0, 1, 300000}) {
        CHECK(select_largest(&one, 1, k, scratch.data()).nan);
      }
      Bytes out_bytes(bytes.size());
      CHECK(keep_n_of_m(dtype, bytes.data(), out_bytes.data(), 300000, 2, 4));
      CHECK(keep_n_of_m(dtype, bytes.data(), out_bytes.data(), 300000, 3, 5));
      CHECK(keep_n_of_m(dtype, bytes.data(), out_bytes.data(), 300000, 3, 100));
    }
  }
}

TEST_CASE("n of m stay") {
  const volatile long double half = 0.5;
  for (const DType dtype : kTypes) {
    const std::size_t item = item_size(dtype);
    for (const std::size_t m : {1, 2, 3, 4, 5, 8, 16, 32, 33, 64, 100, 300}) {
      for (const std::size_t n :
           {std::size_t{0}, std::size_t{1}, std::size_t{2}, m / 2, m - 1, m}) {
        if (n > m) continue;
        for (const std::size_t groups : {0, 1, 3, 17, 101}) {
          CAPTURE(m);
          CAPTURE(n);
          CAPTURE(groups);
          const std::size_t size = m * groups;
          const Bytes x =
              size > 0 ? elements(dtype, size, n + m + groups, groups % 2 == 1) : Bytes{};
          Bytes expected(x.size(), 0);
          for (std::size_t g = 0; g < groups; ++g) {
            const List group = {Bytes(x.begin() + static_cast<std::ptrdiff_t>(g * m * item),
                                      x.begin() + static_cast<std::ptrdiff_t>((g + 1) * m * item))};
            const List best = kept(group, {dtype}, sorted(group, {dtype}), n);
            std::copy(best[0].begin(), best[0].end(),
                      expected.begin() + static_cast<std::ptrdiff_t>(g * m * item));
          }
          for_each_instruction_set([&](const std::string& isa) {
            CAPTURE(isa);
            Bytes out(x.size() + 8, '\x55'), in_place(x);
            CHECK(!keep_n_of_m(dtype, x.data(), out.data(), size, n, m));
            CHECK(half + half == 1);  // registers of MMX are those of long double
            CHECK(std::count(out.end() - 8, out.end(), '\x55') == 8);
            out.resize(x.size());
            CHECK(out == expected);
            CHECK(!keep_n_of_m(dtype, in_place.data(), in_place.data(), size, n, m));
            CHECK(in_place == expected);
            if (groups == 1) {
              CHECK(!keep_largest(dtype, x.data(), out.data(), size, n));
              CHECK(out == expected);
            }
          });
        }
      }
    }
  }
}

}  // namespace
}  // namespace bridle::test
