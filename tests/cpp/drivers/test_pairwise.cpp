// PairwiseSum against the definition: level by level, s[2k] + s[2k+1], an odd last one moves up.
#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "data.hpp"
#include "drivers/pairwise.hpp"

namespace bridle::test {
namespace {

std::vector<double> level_by_level(std::vector<std::vector<double>> level, std::size_t width) {
  if (level.empty()) return std::vector<double>(width, 0.0);
  while (level.size() > 1) {
    std::vector<std::vector<double>> above;
    for (std::size_t k = 0; k < level.size(); k += 2) {
      above.push_back(level[k]);
      if (k + 1 == level.size()) continue;
      for (std::size_t i = 0; i < width; ++i) above.back()[i] = level[k][i] + level[k + 1][i];
    }
    level = above;
  }
  return level.front();
}

void check_count(std::size_t count, std::size_t width) {
  Random random(count);
  std::vector<std::vector<double>> vectors(count, std::vector<double>(width));
  PairwiseSum<3> total(width);
  for (std::vector<double>& vector : vectors) {
    for (double& x : vector) x = random.uniform() * static_cast<double>(random.below(1 << 20));
    std::copy(vector.begin(), vector.end(), total.next());
    total.push();
  }
  std::vector<double> sums(width, -1.0);
  total.finish(sums.data());
  CHECK(sums == level_by_level(vectors, width));
}

TEST_CASE("vectors are added level by level") {
  for (std::size_t count = 0; count <= 200; ++count) {
    CAPTURE(count);
    for (const std::size_t width : {1, 2, 3}) check_count(count, width);
  }
}

TEST_CASE("a subtree of a power of two may be added by itself") {
  constexpr std::size_t subtree = 8;
  Random random(1);
  for (std::size_t count = 1; count <= 100; ++count) {
    CAPTURE(count);
    PairwiseSum<1> whole(1), top(1);
    for (std::size_t begin = 0; begin < count; begin += subtree) {
      PairwiseSum<1> part(1);
      for (std::size_t i = begin; i < std::min(count, begin + subtree); ++i) {
        *whole.next() = *part.next() = random.uniform();
        whole.push();
        part.push();
      }
      part.finish(top.next());
      top.push();
    }
    double expected, sum;
    whole.finish(&expected);
    top.finish(&sum);
    CHECK(sum == expected);
  }
}

}  // namespace
}  // namespace bridle::test
