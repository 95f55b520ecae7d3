// Every operator of the list with every dtype, at four sizes, on one thread and on all of them, as
// a fraction of what the memory allows. An operator that is added to the list is benchmarked by
// existing.
#include <benchmark/benchmark.h>

#include <array>
#include <bridle/loops/reduce.hpp>
#include <bridle/loops/storage.hpp>
#include <bridle/ops.hpp>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include "dispatch.hpp"
#include "drivers/core.hpp"
#include "drivers/noise_reader.hpp"
#include "harness.hpp"
#include "threads/parallel.hpp"

namespace bridle::bench {
namespace {

bool all_correct = true;

template <class S>
constexpr DType kDType = DType::float64;
template <>
constexpr DType kDType<float> = DType::float32;
template <>
constexpr DType kDType<BFloat16> = DType::bfloat16;
template <>
constexpr DType kDType<Float16> = DType::float16;

// Arrays repeat this pattern, so that results can be checked against those for one period.
constexpr std::size_t kPeriod = 1000;

template <class S>
std::array<S, kPeriod> pattern() {
  std::array<S, kPeriod> values;
  for (std::size_t i = 0; i < kPeriod; ++i) {
    narrow(Compute<S>(static_cast<int>(i * 37 % kPeriod) - 500) / Compute<S>(256), values[i]);
  }
  return values;
}

template <class S>
void repeat(const std::array<S, kPeriod>& values, std::size_t size, void* to) {
  for (std::size_t i = 0; i < size; i += kPeriod) {
    std::memcpy(static_cast<S*>(to) + i, values.data(), std::min(kPeriod, size - i) * sizeof(S));
  }
}

template <class S>
bool repeats(const std::array<S, kPeriod>& values, std::size_t size, const void* from) {
  bool same = true;
  for (std::size_t i = 0; i < size; i += kPeriod) {
    const std::size_t bytes = std::min(kPeriod, size - i) * sizeof(S);
    same &= std::memcmp(static_cast<const S*>(from) + i, values.data(), bytes) == 0;
  }
  return same;
}

// Results are checked with the first parameter and timed with the second, which leaves weights of
// normal size however often the call is repeated in place.
constexpr double kChecked = 0.25;
constexpr double kTimed = 1e-10;

template <template <class> class Op, class S>
struct MapWork {
  using T = Compute<S>;
  static constexpr std::size_t params = Op<T>::params.size();
  int op;

  static constexpr const char* name = Op<T>::name;

  void run(const Setting& setting, Arrays arrays, double parameter) const {
    constexpr auto item = static_cast<std::ptrdiff_t>(sizeof(S));
    T value = static_cast<T>(parameter);
    MapCall call;
    call.size = setting.size;
    call.output = Output::reused;
    call.operand[0] = {arrays.x, item};
    for (std::size_t p = 1; p <= params; ++p)
      call.operand[p] = {reinterpret_cast<char*>(&value), 0};
    call.operand[1 + params] = {setting.out(arrays), item};
    map(op, setting.dtype, call);
  }

  bool correct(const Setting& setting, Arrays arrays) const {
    const Op<T> formula = [&]<std::size_t... P>(std::index_sequence<P...>) {
      return Op<T>{((void)P, T(kChecked))...};
    }(std::make_index_sequence<params>{});
    std::array<S, kPeriod> expected = pattern<S>();
    for (S& value : expected) narrow(formula(widen(value)), value);
    run(setting, arrays, kChecked);
    return repeats(expected, setting.size, setting.out(arrays));
  }
};

template <class Op, class S>
struct ReduceWork {
  int op;

  static constexpr const char* name = Op::name;
  static constexpr double kParameters[] = {3.0, 3.0, 3.0};  // what any parameter may be

  void run(const Setting& setting, Arrays arrays, double) const {
    double sums[Op::sums];
    reduce(op, setting.dtype, {arrays.x, sizeof(S)}, setting.size, kParameters, sums);
    benchmark::DoNotOptimize(sums);
  }

  bool correct(const Setting& setting, Arrays arrays) const {
    const std::array<S, kPeriod> values = pattern<S>();
    long double expected[Op::sums] = {};
    for (std::size_t i = 0; i < kPeriod; ++i) {
      double term[Op::sums];
      const Op formula = penalty_of<Op>(kParameters);
      find_terms(formula, static_cast<double>(widen(values[i])), kParameters[0], term);
      const std::size_t times = setting.size / kPeriod + (i < setting.size % kPeriod);
      for (int s = 0; s < Op::sums; ++s) expected[s] += static_cast<long double>(term[s]) * times;
    }
    double sums[Op::sums];
    reduce(op, setting.dtype, {arrays.x, sizeof(S)}, setting.size, kParameters, sums);
    bool close = true;
    for (int s = 0; s < Op::sums; ++s) {
      const bool infinite = std::isinf(sums[s]) && sums[s] == expected[s];
      close &= infinite || std::abs(sums[s] - expected[s]) <= 1e-14L * expected[s];
    }
    return close;
  }
};

template <template <class> class Op, class S>
struct NoiseWork {
  using T = Compute<S>;
  using Value = NoiseValue<typename Op<T>::Noise>;
  static constexpr std::size_t members = sizeof(Op<T>) / sizeof(T);
  int op;

  static constexpr const char* name = Op<T>::name;

  // p = 0.1. It is no multiple of 2⁻¹⁶, so ties of the high half are looked for, as for most p.
  static constexpr RandomDraws kRandom{{1, 2}, 3'865'470'566};

  // Decisions scale by a number near 1, whatever the parameter: a small one would make subnormals.
  static double member(double parameter) {
    return std::is_same_v<Value, float> ? parameter : 1.0 / 0.9;
  }

  void run(const Setting& setting, Arrays arrays, double parameter) const {
    constexpr auto item = static_cast<std::ptrdiff_t>(sizeof(S));
    const double m = member(parameter);
    apply_noise({.op = op,
                 .dtype = setting.dtype,
                 .members = {m, m, m},
                 .noise = drawn_noise(kRandom, 0),
                 .identity = false,
                 .size = setting.size,
                 .x = arrays.x,
                 .x_walk = Walk(item),
                 .out = setting.out(arrays),
                 .out_walk = Walk(item),
                 .output = Output::reused});
  }

  // Against the formula on one random number after another.
  bool correct(const Setting& setting, Arrays arrays) const {
    const Op<T> formula = [&]<std::size_t... M>(std::index_sequence<M...>) {
      return Op<T>{((void)M, static_cast<T>(member(kChecked)))...};
    }(std::make_index_sequence<members>{});
    const std::array<S, kPeriod> values = pattern<S>();
    run(setting, arrays, kChecked);
    const NoiseSource source = drawn_noise(kRandom, 0);
    NoiseReader<Value> reader(source);
    const S* const out = reinterpret_cast<const S*>(setting.out(arrays));
    bool same = true;
    for (std::size_t i = 0; i < setting.size; ++i) {
      std::size_t one = 1;
      const Value value = *reader.read(i, one);
      S expected;
      if constexpr (std::is_same_v<Value, float>) {
        narrow(formula(widen(values[i % kPeriod]), value), expected);
      } else {
        narrow(formula(widen(values[i % kPeriod]), value < draw_limit(source)), expected);
      }
      same &= std::memcmp(&out[i], &expected, sizeof expected) == 0;
    }
    return same;
  }
};

// Weights and state lie one after the other in arrays.x, the gradient in arrays.other.
template <template <class> class Op, class S>
struct UpdateWork {
  using T = Compute<S>;
  static constexpr int states = Op<T>::states;
  static constexpr bool gradient = !std::is_same_v<Op<T>, ops::proximal_step<T>>;
  int op;

  static constexpr const char* name = Op<T>::name;

  static T* state(const Setting& setting, Arrays arrays, int s) {
    return reinterpret_cast<T*>(arrays.x + setting.before_state()) +
           static_cast<std::size_t>(s) * setting.size;
  }

  // Decay, update, a proximal step of each element's own size, and the summary.
  void run(const Setting& setting, Arrays arrays, double parameter) const {
    UpdateArray array{};
    array.data[UpdateRole::weights] = arrays.x;
    array.data[UpdateRole::gradient] = gradient ? arrays.other : nullptr;
    for (int s = 0; s < states; ++s) {
      array.data[UpdateRole::first_state + s] = state(setting, arrays, s);
    }
    array.size = setting.size;
    UpdateNumbers numbers{};
    std::fill_n(numbers.members, std::size(numbers.members), parameter);
    numbers.scale = 1;
    numbers.keep = 1 - parameter;
    numbers.l1 = numbers.l2 = parameter;
    array.numbers = &numbers;
    UpdateCall call{};
    call.op = op;
    set_types(setting.dtype, setting.dtype, call);
    call.adaptive = true;
    call.arrays = &array;
    call.count = 1;
    UpdateSums sums;
    update(call, &sums);
    benchmark::DoNotOptimize(sums);
  }

  ops::Updated<T> formula(T w) const {
    constexpr T p = T(kChecked);
    const Op<T> of = [&]<std::size_t... M>(std::index_sequence<M...>) {
      return Op<T>{((void)M, p)...};
    }(std::make_index_sequence<sizeof(Op<T>) / sizeof(T)>{});
    const T g = gradient ? w : T(0);
    if constexpr (ops::SolvesForWeight<Op<T>, T>) {
      return of.weight(w, g, {}, p, p);
    } else {
      constexpr T never = std::numeric_limits<T>::infinity();
      const ops::Regularization<T> around{T(1), T(0), T(1 - kChecked), p, p, T(0), never};
      return ops::regularized<Op<T>::adaptive>(of, around, w, T(0), g, {});
    }
  }

  // The gradient is like the weights, the state zero.
  bool correct(const Setting& setting, Arrays arrays) const {
    std::array<S, kPeriod> weights = pattern<S>();
    repeat(weights, setting.size, arrays.other);
    std::memset(arrays.x + setting.bytes(), 0, setting.written() - setting.bytes());
    std::array<T, kPeriod> expected[3];
    for (std::size_t i = 0; i < kPeriod; ++i) {
      const ops::Updated<T> result = formula(widen(weights[i]));
      narrow(result.weight, weights[i]);
      expected[0][i] = result.state.first;
      expected[1][i] = result.state.second;
      expected[2][i] = result.state.third;
    }
    run(setting, arrays, kChecked);
    bool same = repeats(weights, setting.size, arrays.x);
    for (int s = 0; s < states; ++s) {
      same &= repeats(expected[s], setting.size, state(setting, arrays, s));
    }
    return same;
  }
};

template <class S, class Work>
void measure(benchmark::State& state, const Work& work, const Setting& setting, bool check) {
  set_num_threads(setting.threads);
  const Arrays arrays = arrays_of(setting.written());
  repeat(pattern<S>(), setting.size, arrays.x);
  if (check) {
    if (!work.correct(setting, arrays)) {
      all_correct = false;
      state.SkipWithError("wrong result");
      return;
    }
    repeat(pattern<S>(), setting.size, arrays.x);
  }
  Limit limit(setting, arrays);
  limit.measure();
  work.run(setting, arrays, kTimed);
  const Clock::time_point begin = Clock::now();
  for (auto _ : state) {
    work.run(setting, arrays, kTimed);
    benchmark::ClobberMemory();
  }
  const double seconds = seconds_since(begin) / static_cast<double>(state.iterations());
  limit.measure();
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(setting.traffic()));
  state.counters["share_of_limit"] = limit.seconds() / seconds;
}

template <class S, class Work>
void add(const Work& work, std::initializer_list<Place> places, int states = 0,
         bool gradient = false) {
  constexpr std::size_t most_arrays = 8;  // of an update, the limit's own included
  const int all = get_num_threads();
  for (const std::size_t size : *places.begin() == Place::updated ? sizes(most_arrays) : sizes()) {
    for (const Place place : places) {
      for (int threads = 1; threads <= all; threads += std::max(1, all - 1)) {
        const Setting setting{kDType<S>, size, place, threads, states, gradient};
        benchmark::RegisterBenchmark(
            name_of(Work::name, setting).c_str(),
            [work, setting, check = true](benchmark::State& state) mutable {
              measure<S>(state, work, setting, std::exchange(check, false));
            })
            ->UseRealTime();
      }
    }
  }
}

template <class S, template <class> class... Op>
void add_all(MapList<Op...>) {
  int op = 0;
  (add<S>(MapWork<Op, S>{op++}, {Place::in_place, Place::given}), ...);
}

template <class S, template <class> class... Op>
void add_all(NoiseList<Op...>) {
  int op = 0;
  (add<S>(NoiseWork<Op, S>{op++}, {Place::in_place, Place::given}), ...);
}

template <class S, template <class> class... Op>
void add_all(UpdateList<Op...>) {
  int op = 0;
  (add<S>(UpdateWork<Op, S>{op++}, {Place::updated}, UpdateWork<Op, S>::states,
          UpdateWork<Op, S>::gradient),
   ...);
}

template <class S, class... Op>
void add_all(ReduceList<Op...>) {
  int op = 0;
  (add<S>(ReduceWork<Op, S>{op++}, {Place::read}), ...);
}

template <class... S>
void add_dtypes() {
  (add_all<S>(MapOps{}), ...);
  (add_all<S>(ReduceOps{}), ...);
  (add_all<S>(NoiseOps{}), ...);
  (add_all<S>(UpdateOps{}), ...);
}

int run(int argc, char** argv) {
  const char* const isa = std::getenv("BRIDLE_ISA");
  if (isa && *isa && !select_instruction_set(isa)) {
    std::fprintf(stderr, "BRIDLE_ISA=%s is not available\n", isa);
    return 1;
  }
  benchmark::AddCustomContext("instruction_set", active_instruction_set().name);
  benchmark::AddCustomContext("threads", std::to_string(get_num_threads()));
  benchmark::AddCustomContext("openmp_runtime", openmp_runtime());
  benchmark::AddCustomContext("compiler", __VERSION__);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  add_dtypes<Float16, BFloat16, float, double>();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return all_correct ? 0 : 1;
}

}  // namespace
}  // namespace bridle::bench

int main(int argc, char** argv) { return bridle::bench::run(argc, argv); }
