// What a program may compute with the public headers. Compiled as CONSUMER with flags of its own,
// and by default, as programs are, with contraction to fused multiply-add.
#include "consumer.hpp"

#include "public.hpp"

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

namespace bridle::test::CONSUMER {
namespace {

#if defined(__AVX__) || defined(__ARM_FEATURE_SVE)
constexpr bool kWide = true;
#else
constexpr bool kWide = false;
#endif

constexpr std::size_t kSize = 70'003;  // worth two threads

template <template <class> class Op, class T, std::size_t... P>
void run(Results<T>& results, std::index_sequence<P...>) {
  const Op<T> op{static_cast<T>(sample(Op<T>::params[P].rule, P))...};
  results.arrays.push_back(values<T>(kSize));
  Elementwise<Op>{}(results.arrays.back(), static_cast<T>(sample(Op<T>::params[P].rule, P))...,
                    results.arrays.back());
  results.arrays.push_back(values<T>(kSize));
  transform(results.arrays.back(), op);
}

template <class T, template <class> class... Op, class... Reduce>
Results<T> run_all(MapList<Op...>, ReduceList<Reduce...>) {
  Results<T> results;
  (run<Op>(results, detail::Parameters<Op<T>>{}), ...);
  results.arrays.push_back(values<T>(kSize));
  const std::vector<T> gradient = values<T>(kSize);
  transform(
      results.arrays.back(), gradient, ops::decay{0.01}, [](T w, T g) { return w - g; },
      ops::elastic_net_gradient{0.3, 0.7}, ops::soft_threshold{0.1});
  std::vector<T> ordinary(kSize);
  soft_threshold(values<T>(kSize), T(0), ordinary);
  for (T& w : ordinary) w = std::abs(w) < T(10) ? w : T(1);
  results.penalties = {l1_penalty(ordinary, 0.3), l2_penalty(ordinary, 0.3),
                       elastic_net_penalty(ordinary, 0.3, 0.7)};
  return results;
}

}  // namespace

extern const Consumer consumer = {TEXT(BRIDLE_ISA), kWide,
                                  [] { return run_all<float>(MapOps{}, ReduceOps{}); },
                                  [] { return run_all<double>(MapOps{}, ReduceOps{}); }};

}  // namespace bridle::test::CONSUMER
