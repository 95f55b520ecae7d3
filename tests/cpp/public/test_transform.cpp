// transform against plain loops.
#include <doctest/doctest.h>

#include <atomic>
#include <numeric>

#include "public.hpp"

namespace bridle::test {
namespace {

template <class T>
void check_against_functions() {
  for (const std::size_t size : kSizes) {
    CAPTURE(size);
    const std::vector<T> x = values<T>(size);
    std::vector<T> fused = x, separate = x;
    transform(fused, ops::decay{T(0.25)}, ops::elastic_net_gradient{T(0.5), T(0.3)},
              ops::prox_elastic_net{T(0.1), T(0.2), T(0.7)}, ops::soft_threshold{T(0.3)});
    decay(separate, T(0.25), separate);
    elastic_net_gradient(separate, T(0.5), T(0.3), separate);
    prox_elastic_net(separate, T(0.1), T(0.2), T(0.7), separate);
    soft_threshold(separate, T(0.3), separate);
    CHECK(first_difference(fused, separate) == size);
  }
}

template <class T>
void check_step() {
  const T rate = T(0.1), momentum = T(0.5);  // momentum·v is exact, contracted or not
  for (const std::size_t size : kSizes) {
    CAPTURE(size);
    std::vector<T> w = values<T>(size), velocity(size, T(0.5)), gradient(size);
    std::iota(gradient.begin(), gradient.end(), T(-9));
    std::vector<T> w_loop = w, velocity_loop = velocity;
    transform(
        w, velocity, std::span<const T>(gradient), ops::decay{T(0.01)},
        [=](T weight, T& v, T g) {
          v = momentum * v + g;
          return weight - v;
        },
        ops::soft_threshold{rate});
    for (std::size_t i = 0; i < size; ++i) {
      velocity_loop[i] = momentum * velocity_loop[i] + gradient[i];
      const T stepped = (ops::decay{T(0.01)}(w_loop[i]) + T(0)) - velocity_loop[i];
      w_loop[i] = ops::soft_threshold{rate}(stepped) + T(0);
    }
    CHECK(first_difference(w, w_loop) == size);
    CHECK(first_difference(velocity, velocity_loop) == size);
  }
}

TEST_CASE("operators fused give the bits of their functions one after the other") {
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    check_against_functions<float>();
    check_against_functions<double>();
  }
}

TEST_CASE("one pass does a step of an optimizer and keeps its state") {
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    check_step<float>();
    check_step<double>();
  }
}

TEST_CASE("every element is visited once") {
  set_num_threads(3);
  std::vector<double> w(1'000'003, 1.0);
  std::atomic<std::size_t> visits = 0;
  transform(w, [&](double x) {
    visits.fetch_add(1, std::memory_order_relaxed);
    return x + 1.0;
  });
  CHECK(visits == w.size());
  CHECK(w == std::vector<double>(w.size(), 2.0));
}

TEST_CASE("numbers of another type are those of the weights") {
  const std::vector<float> x = values<float>(100);
  std::vector<float> a = x, b = x;
  transform(a, ops::decay{0.1}, ops::soft_threshold{1}, [](double w) { return 2 * w; });
  transform(b, ops::decay{0.1f}, ops::soft_threshold{1.0f}, [](float w) { return 2 * w; });
  CHECK(first_difference(a, b) == a.size());
}

TEST_CASE("an operator gives +0.0, another operation what it likes") {
  std::vector<float> w = {-1.0f};
  transform(w, ops::decay{1.0f});
  CHECK(!std::signbit(w[0]));
  transform(w, [](float) { return -0.0f; });
  CHECK(std::signbit(w[0]));
}

TEST_CASE("an array may be given twice") {
  std::vector<float> w = {1.0f, 2.0f, 3.0f};
  const std::vector<float> x = {10.0f, 20.0f, 30.0f};
  transform(w, w, x, x, [](float a, float b, float c, float d) { return a + b + c + d; });
  CHECK(w == std::vector<float>{22.0f, 44.0f, 66.0f});
}

TEST_CASE("a bad argument throws, and nothing is written") {
  const std::vector<float> before = values<float>(100);
  std::vector<float> w = before, other = before;
  const std::span<float> all(w);
  const auto add = [](float a, float b) { return a + b; };
  const auto said = [&](auto&&... arguments) { return refusal([&] { transform(arguments...); }); };
  CHECK(said(w, ops::decay{0.5f}, ops::decay{1.5f}) ==
        "decay: rate must be between 0 and 1, got 1.5");
  CHECK(said(w, ops::decay{2}) == "decay: rate must be between 0 and 1, got 2.0");
  CHECK(said(w, ops::prox_elastic_net{0.0, -1e-60, 1.0}) ==
        "prox_elastic_net: l2 must be >= 0, got -1e-60");
  CHECK(said(w, all.first(99), add) ==
        "transform: every array must have as many elements as the first, got 99 and 100");
  const std::string overlap = "transform: two arrays must be one or share no element";
  for (const std::size_t begin : {1u, 49u}) {
    CHECK(said(all.first(50), all.subspan(begin, 50), add) == overlap);
    CHECK(said(all.subspan(begin, 50), all.first(50), add) == overlap);
  }
  CHECK(said(other, all, [](float a, float b) { return a - b; }) == "");
  CHECK(first_difference(w, before) == w.size());
}

}  // namespace
}  // namespace bridle::test
