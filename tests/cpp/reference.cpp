#include "reference.hpp"

#include <algorithm>
#include <bridle/loops/storage.hpp>
#include <bridle/ops.hpp>
#include <cstring>
#include <iterator>
#include <limits>
#include <utility>

namespace bridle::test {
namespace {

template <class T>
T read(const void* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <template <class> class Op, class S, std::size_t... P>
void apply_one(const void* x, const void* const* parameters, void* out, std::index_sequence<P...>) {
  using T = Compute<S>;
  S result;
  narrow<kKeepsZeros<Op<T>>>(Op<T>{read<T>(parameters[P])...}(widen(read<S>(x))), result);
  std::memcpy(out, &result, sizeof result);
}

template <template <class> class Op, class S>
void apply(const void* x, const void* const* parameters, void* out) {
  apply_one<Op, S>(x, parameters, out, std::make_index_sequence<Op<float>::params.size()>{});
}

template <template <class> class Op>
MapOperator describe() {
  MapOperator op{Op<float>::name,
                 {},
                 {apply<Op, Float16>, apply<Op, BFloat16>, apply<Op, float>, apply<Op, double>}};
  for (const Param& param : Op<float>::params) op.rules.push_back(param.rule);
  return op;
}

template <class Op, std::size_t... P>
Op penalty_with(const double* parameters, std::index_sequence<P...>) {
  return {parameters[P]...};
}

template <class Op>
void find_terms(const double* parameters, double w, double* term) {
  const Op op = penalty_with<Op>(parameters, std::make_index_sequence<Op::params.size()>{});
  double terms[Op::sums];
  if constexpr (kHasBeside<Op>) {
    op.terms(w, parameters[0], terms);
  } else {
    op.terms(w, terms);
  }
  std::copy_n(terms, Op::sums, term);
}

template <class Op>
ReduceOperator describe() {
  ReduceOperator op{Op::name, Op::sums, {}, find_terms<Op>};
  for (const Param& param : Op::params) {
    const double index = static_cast<double>(op.parameters.size());
    op.parameters.push_back((param.rule == Rule::above_two ? 2.5 : 0.3) + 0.125 * index);
  }
  return op;
}

template <template <class> class Op, class T, std::size_t... M>
Op<T> made_of(const double* members, std::index_sequence<M...>) {
  return {static_cast<T>(members[M])...};
}

template <template <class> class Op, class T>
ops::Updated<T> updated(const UpdateNumbers& n, UpdateForm form, T w, T toward, T g,
                        ops::State<T> state) {
  const auto op = made_of<Op, T>(n.members, std::make_index_sequence<sizeof(Op<T>) / sizeof(T)>());
  const auto t = [](double x) { return static_cast<T>(x); };
  constexpr T infinity = std::numeric_limits<T>::infinity();
  const T spare_above = n.keep == 1 ? -infinity : n.cautious ? T(0) : infinity;
  const ops::Regularization<T> r{t(n.scale), t(n.coupled), t(n.keep),  t(n.l1),
                                 t(n.l2),    t(n.size),    spare_above};
  if constexpr (ops::SolvesForWeight<Op<T>, T>) {
    return op.weight(w, r.scale * g, state, r.l1, r.l2);
  } else {
    const bool adaptive = form.adaptive && Op<T>::adaptive;
    switch (form.kind) {
      case UpdateKind::plain:
        return ops::decayed(op, r, w, g, state);
      case UpdateKind::sparse:
        return adaptive ? ops::penalized<true, false>(op, r, w, g, state)
                        : ops::penalized<false, false>(op, r, w, g, state);
      case UpdateKind::elastic:
        return adaptive ? ops::penalized<true, true>(op, r, w, g, state)
                        : ops::penalized<false, true>(op, r, w, g, state);
      default:
        return adaptive ? ops::regularized<true>(op, r, w, toward, g, state)
                        : ops::regularized<false>(op, r, w, toward, g, state);
    }
  }
}

template <template <class> class Op, class T>
void update_one(const UpdateNumbers& numbers, UpdateForm form, UpdateElement& e) {
  const auto t = [](double x) { return static_cast<T>(x); };
  const ops::State<T> state{t(e.state[0]), t(e.state[1]), t(e.state[2])};
  const ops::Updated<T> result =
      updated<Op, T>(numbers, form, t(e.weight), t(e.toward), t(e.gradient), state);
  e.weight = result.weight + T(0);
  e.state[0] = result.state.first;
  e.state[1] = result.state.second;
  e.state[2] = result.state.third;
}

template <template <class> class... Op>
std::vector<UpdateOperator> describe_all(UpdateList<Op...>) {
  return {{Op<float>::name, Op<float>::states, {update_one<Op, float>, update_one<Op, double>}}...};
}

template <template <class> class... Op>
std::vector<MapOperator> describe_all(MapList<Op...>) {
  return {describe<Op>()...};
}
template <class... Op>
std::vector<ReduceOperator> describe_all(ReduceList<Op...>) {
  return {describe<Op>()...};
}

double chunk_sum(const ReduceOperator& op, std::size_t s, const double* w, std::size_t size) {
  double lane[32] = {};
  for (std::size_t j = 0; j < size; ++j) {
    double term[kMaxSums];
    op.terms(op.parameters.data(), w[j], term);
    lane[j % 32] += term[s];
  }
  for (const std::size_t half : {16, 8, 4, 2, 1}) {
    for (std::size_t k = 0; k < half; ++k) lane[k] += lane[k + half];
  }
  return lane[0];
}

template <class S>
void noise_on_one(int op, const void* x, const double* m, float noise, void* out) {
  using T = Compute<S>;
  const auto t = [m](int i) { return static_cast<T>(m[i]); };
  const T value = widen(read<S>(x));
  const bool keep = noise != 0.0f;
  const T results[] = {
      ops::dropout<T>{t(0)}(value, keep), ops::alpha_dropout<T>{t(0), t(1), t(2)}(value, keep),
      ops::gaussian_dropout<T>{t(0)}(value, noise), ops::gaussian_noise<T>{t(0)}(value, noise)};
  static_assert(std::size(results) == NoiseOps::size);
  S result;
  narrow(results[op], result);
  std::memcpy(out, &result, sizeof result);
}

}  // namespace

std::string name_of(DType dtype) {
  constexpr const char* names[kDTypes] = {"float16", "bfloat16", "float32", "float64"};
  return names[static_cast<int>(dtype)];
}

std::vector<double> parameters_of(const ReduceOperator& op, std::size_t vectors) {
  std::vector<double> all;
  for (std::size_t v = 0; v < vectors; ++v) {
    all.insert(all.end(), op.parameters.begin(), op.parameters.end());
  }
  return all;
}

const std::vector<MapOperator>& map_operators() {
  static const std::vector<MapOperator> operators = describe_all(MapOps{});
  return operators;
}

const std::vector<ReduceOperator>& reduce_operators() {
  static const std::vector<ReduceOperator> operators = describe_all(ReduceOps{});
  return operators;
}

const std::vector<UpdateOperator>& update_operators() {
  static const std::vector<UpdateOperator> operators = describe_all(UpdateOps{});
  return operators;
}

double value_of(DType dtype, const void* element) {
  switch (dtype) {
    case DType::float16:
      return widen(read<Float16>(element));
    case DType::bfloat16:
      return widen(read<BFloat16>(element));
    case DType::float32:
      return read<float>(element);
    default:
      return read<double>(element);
  }
}

std::vector<double> reference_sums(const ReduceOperator& op, const std::vector<double>& w) {
  std::vector<double> result;
  for (std::size_t s = 0; s < op.sums; ++s) {
    std::vector<double> level;
    for (std::size_t i = 0; i < w.size(); i += 4096) {
      level.push_back(chunk_sum(op, s, w.data() + i, std::min<std::size_t>(4096, w.size() - i)));
    }
    while (level.size() > 1) {
      std::vector<double> above;
      for (std::size_t k = 0; k + 1 < level.size(); k += 2)
        above.push_back(level[k] + level[k + 1]);
      if (level.size() % 2 == 1) above.push_back(level.back());
      level = above;
    }
    result.push_back(level.empty() ? 0.0 : level.front());
  }
  return result;
}

void apply_noise_to_one(int op, DType dtype, const void* x, const double* members, float noise,
                        void* out) {
  constexpr decltype(&noise_on_one<float>) on_one[kDTypes] = {
      noise_on_one<Float16>, noise_on_one<BFloat16>, noise_on_one<float>, noise_on_one<double>};
  on_one[static_cast<int>(dtype)](op, x, members, noise, out);
}

}  // namespace bridle::test
