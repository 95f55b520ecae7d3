// The options and the summary of the functions of updates.hpp, and how these are made: a call finds
// the C function of that name in the library, and has its refusal explained by an exception.
#pragma once

#include <array>
#include <bridle/ops.hpp>
#include <bridle/span_functions.hpp>
#include <cmath>
#include <tuple>
#include <type_traits>

namespace bridle {

static_assert(static_cast<int>(Decay::decoupled) == BRIDLE_DECAY_DECOUPLED);
static_assert(static_cast<int>(Decay::coupled) == BRIDLE_DECAY_COUPLED);
static_assert(static_cast<int>(Decay::full) == BRIDLE_DECAY_FULL);

// The step of the proximal operator: the learning rate over the denominator of each element's
// update, where it has one, or the learning rate.
enum class ProxStep : int {
  adaptive = BRIDLE_PROX_STEP_ADAPTIVE,
  scalar = BRIDLE_PROX_STEP_SCALAR
};

// What regularizes a fused update of weights of type T: nothing, unless it is said.
//   {.l1 = 1e-4, .weight_decay = 1e-2, .decay = bridle::Decay::full}
template <class T>
struct UpdateOptions {
  double l1 = 0.0, l2 = 0.0;       // of the penalty l1·Σ|w| + l2·Σw²; >= 0
  double weight_decay = 0.0;       // >= 0; its rate, lr·weight_decay or (full) weight_decay, <= 1
  Decay decay = Decay::decoupled;  // see Decay
  bool cautious = false;           // no decay, unless coupled, where update and distance from
                                   // `toward` have opposite signs (Chen et al. 2025)
  std::span<const T> toward = {};  // the weights to decay towards; zero, if it is empty
  ProxStep prox_step = ProxStep::adaptive;  // see ProxStep
  double grad_scale = 1.0;                  // multiplies the gradient; not NaN
};

// What an update tells of the weights that it has written.
struct UpdateSummary {
  double penalty;         // l1·Σ|w| + l2·Σw²
  std::int64_t nonzeros;  // number of weights that are not zero
  bool finite;            // whether no weight is infinite or NaN

  bool operator==(const UpdateSummary&) const = default;
};

inline namespace BRIDLE_ISA {
namespace detail {

// What is a mutable span of float or double, and of which.
template <class W>
concept Weights =
    std::is_convertible_v<W, std::span<float>> || std::is_convertible_v<W, std::span<double>>;
template <class W>
using WeightOf = std::conditional_t<std::is_convertible_v<W, std::span<float>>, float, double>;

// Arguments that take their type from the weights.
template <class T>
using Read = std::type_identity_t<std::span<const T>>;
template <class T>
using Written = std::type_identity_t<std::span<T>>;
template <class T>
using Options = std::type_identity_t<UpdateOptions<T>>;

enum class Need { always, optional };

// An array beside the weights: const where an update only reads it. One that is optional may be
// empty.
template <class X>
struct Operand {
  const char* name;
  std::span<X> span;
  Need need = Need::always;

  X* data() const { return span.empty() ? nullptr : span.data(); }
  void check_size(const char* function, std::size_t size) const {
    if (need == Need::optional && span.empty()) return;
    check_sizes(function, name, span.size(), "w", size);
  }
};

inline void check_not_given(const char* function, const char* option, bool given) {
  if (given) fail(function, std::string(option) + " must not be given");
}

inline void check_buffer(const char* function, double momentum, bool given) {
  if (given == (momentum > 0.0)) return;
  fail(function, std::string("momentum_buffer must be ") + (given ? "None" : "given") +
                     " for momentum " + text_of(momentum) + ", got " + (given ? "one" : "None"));
}

template <class T>
void check_options(const char* function, const Param& lr_param, double lr,
                   const UpdateOptions<T>& options) {
  check_parameter(function, {"l1", Rule::non_negative}, options.l1);
  check_parameter(function, {"l2", Rule::non_negative}, options.l2);
  check_parameter(function, {"weight_decay", Rule::non_negative}, options.weight_decay);
  const std::string factor = options.decay == Decay::full ? "" : std::string(lr_param.name) + " * ";
  check_parameter(function, {(factor + "weight_decay").c_str(), Rule::unit_interval},
                  ops::decay_rate(options.decay, lr, options.weight_decay));
  if (std::isnan(options.grad_scale)) fail(function, "grad_scale must not be NaN, got nan");
}

// What must be positive must not be negative before anything else.
template <class T>
void check_number(const char* function, Param param, T value) {
  if (param.rule == Rule::positive)
    check_parameter(function, {param.name, Rule::non_negative}, value);
  check_parameter(function, param, value);
}

template <class Op, class... Number, std::size_t... P>
void check_numbers(const std::tuple<Number...>& numbers, std::index_sequence<P...>) {
  (check_number(Op::name, Op::params[P], std::get<P>(numbers)), ...);
}

// Whether an array that is written overlaps another one, the later one being named.
template <class T, std::size_t kCount>
void check_apart(const char* function, std::size_t size,
                 const std::array<Operand<const T>, kCount>& arrays,
                 const std::array<bool, kCount>& written) {
  for (std::size_t i = 0; i < kCount; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const T *const a = arrays[i].data(), *const b = arrays[j].data();
      if (!a || !b || !(written[i] || written[j])) continue;
      if (a != b && same_or_apart(a, b, size)) continue;
      fail(function, std::string(arrays[i].name) + " must share no memory with the other arrays");
    }
  }
}

inline bridle_regularization regularization_of(const auto& options) {
  return {.size = sizeof(bridle_regularization),
          .decay = static_cast<int>(options.decay),
          .cautious = options.cautious,
          .prox_step = static_cast<int>(options.prox_step),
          .l1 = options.l1,
          .l2 = options.l2,
          .weight_decay = options.weight_decay,
          .grad_scale = options.grad_scale};
}

// What the C function has refused. check() explains what it refuses of this update alone.
template <class Op, class T, class... X, class... Number>
[[noreturn]] void refuse(std::span<T> w, const UpdateOptions<T>& options,
                         const std::tuple<Number...>& numbers, const auto& check,
                         const Operand<X>&... other) {
  check_numbers<Op>(numbers, std::index_sequence_for<Number...>{});
  check();
  check_options(Op::name, Op::params[0], std::get<0>(numbers), options);
  constexpr std::size_t count = sizeof...(X) + 1;
  check_apart(Op::name, w.size(),
              std::array<Operand<const T>, count>{{{"w", w}, {other.name, other.span}...}},
              std::array<bool, count>{true, !std::is_const_v<X>...});
  fail(Op::name, "every array must be aligned to its type");
}

// Updates w by the operator `Op`. `others` are the Operands in the order of the C function, numbers
// those of Op::params with their types there; check as for refuse.
template <class Op, class T, class... X, class... Number>
UpdateSummary run_update(std::span<T> w, const UpdateOptions<T>& options,
                         const std::tuple<Operand<X>...>& others,
                         const std::tuple<Number...>& numbers, const auto& check) {
  using Function = int(T*, X * ..., Number..., const bridle_regularization*, const T*, std::int64_t,
                       bridle_update_summary*);
  static Function* const function = find<Function>(Op::name, kSuffix<T>);
  const auto size = static_cast<std::int64_t>(w.size());
  const Operand<const T> toward{"toward", options.toward, Need::optional};
  const bridle_regularization regularization = regularization_of(options);
  bridle_update_summary summary = BRIDLE_UPDATE_SUMMARY_INIT;
  const auto call = [&](const Operand<X>&... other) {
    (other.check_size(Op::name, w.size()), ...);
    toward.check_size(Op::name, w.size());
    const auto with_numbers = [&](Number... number) {
      return function(w.data(), other.data()..., number..., &regularization, toward.data(), size,
                      &summary);
    };
    if (std::apply(with_numbers, numbers) != 0) {
      refuse<Op>(w, options, numbers, check, other..., toward);
    }
  };
  std::apply(call, others);
  return {summary.penalty, summary.nonzeros, summary.finite != 0};
}

}  // namespace detail
}  // namespace BRIDLE_ISA
}  // namespace bridle
