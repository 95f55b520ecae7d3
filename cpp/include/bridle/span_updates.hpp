// The options and the summary of the functions of updates.hpp, and how these call the library.
#pragma once

#include <array>
#include <bridle/array_list.hpp>
#include <bridle/rounding.hpp>
#include <bridle/span_functions.hpp>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

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

// What an update tells of the weights that it has written, of all arrays.
struct UpdateSummary {
  double penalty;         // l1·Σ|w| + l2·Σw², and that of a regularizer
  std::int64_t nonzeros;  // number of weights that are not zero
  bool finite;            // whether no weight is infinite or NaN

  bool operator==(const UpdateSummary&) const = default;
};

inline namespace BRIDLE_ISA {

// Numbers for each array of a list, which stand for the one of all. Empty: there are none.
struct ForEachArray {
  std::span<const double> lr = {}, l1 = {}, l2 = {}, weight_decay = {};
};

// A regularizer of each element by itself: its proximal operator, by the name of a function,
// follows the update in the same pass, and the penalty of that name is added to the summary.
// Parameters are in the order of those functions; for `step` stands the step size of each element.
//   Regularizer{"prox_mcp", {0.1, 3.0, 1.0}, "mcp_penalty", {0.1, 3.0}}
struct Regularizer {
  const char* prox = nullptr;  // null: there is none
  std::array<double, 3> prox_parameters = {};
  const char* penalty = nullptr;  // null: it costs nothing
  std::array<double, 3> penalty_parameters = {};
};

// What regularizes a fused update, and how its results are written: nothing, unless it is said.
//   {.l1 = 1e-4, .weight_decay = 1e-2, .decay = bridle::Decay::full}
struct UpdateOptions {
  double l1 = 0.0, l2 = 0.0;       // of the penalty l1·Σ|w| + l2·Σw²; >= 0
  double weight_decay = 0.0;       // >= 0; its rate, lr·weight_decay or (full) weight_decay, <= 1
  Decay decay = Decay::decoupled;  // see Decay
  bool cautious = false;           // no decay, unless coupled, where update and distance from
                                   // `toward` have opposite signs (Chen et al. 2025)
  ConstArrays toward = {};         // the weights to decay towards, like w; none: zero
  ProxStep prox_step = ProxStep::adaptive;        // see ProxStep
  double grad_scale = 1.0;                        // multiplies the gradient; not NaN
  Arrays copy_out = {};                           // gets the new weights of float in any type but
                                                  // double
  Rounding rounding = {};                         // of what is written as halves; see Rounding
  std::span<const Regularizer> regularizer = {};  // for each array; empty: none
  ForEachArray each = {};                         // see ForEachArray
};

namespace detail {

// A list beside the weights.
struct State {
  const char* name;
  const Arrays& arrays;
};

// Null where there are none: an empty span beside weights that are not empty is none.
template <bool kWritten>
const bridle_array* beside(const char* function, const char* name, const Arrays& w,
                           const BasicArrays<kWritten>& arrays) {
  if (!arrays.is_given() || (arrays.empty() && !w.empty() && !w.is_list())) return nullptr;
  check_count(function, name, arrays, "w", w);
  return arrays.data();
}

inline const double* for_each_of(const char* function, const char* name, const Arrays& w,
                                 std::span<const double> numbers) {
  if (numbers.empty()) return nullptr;
  if (w.is_list() && numbers.size() == w.count()) return numbers.data();
  const std::string arrays =
      w.is_list() ? "a list of " + std::to_string(w.count()) : std::string("one array");
  fail(function, std::string(name) + " must be a number, or one for each array of a list, got " +
                     std::to_string(numbers.size()) + " for " + arrays);
}

inline bridle_regularization regularization_of(const UpdateOptions& options) {
  return {.size = sizeof(bridle_regularization),
          .decay = static_cast<int>(options.decay),
          .cautious = options.cautious,
          .prox_step = static_cast<int>(options.prox_step),
          .l1 = options.l1,
          .l2 = options.l2,
          .weight_decay = options.weight_decay,
          .grad_scale = options.grad_scale};
}

inline std::vector<bridle_regularizer> regularizers_of(const char* function, const Arrays& w,
                                                       std::span<const Regularizer> given) {
  if (!given.empty() && given.size() != w.count()) {
    fail(function, "regularizer must be one for each array, got " + std::to_string(given.size()) +
                       " for " + std::to_string(w.count()));
  }
  std::vector<bridle_regularizer> result;
  for (const Regularizer& r : given) {
    result.push_back({r.prox, r.prox_parameters.data(), r.penalty, r.penalty_parameters.data()});
  }
  return result;
}

// The step of the optimizer of that name. numbers, the first of which is the step size, called lr,
// and state: in the order of the library.
inline UpdateSummary run_update(const char* name, const Arrays& w, const ConstArrays& gradient,
                                std::initializer_list<State> state,
                                std::initializer_list<double> numbers,
                                const UpdateOptions& options) {
  using Function = int(const bridle_update*, bridle_update_summary*);
  static Function* const function = find<Function>("update", "");
  const bridle_regularization regularization = regularization_of(options);
  const auto regularizers = regularizers_of(name, w, options.regularizer);
  bridle_update update = BRIDLE_UPDATE_INIT;
  update.name = name;
  update.numbers = numbers.begin();
  update.count = static_cast<std::int64_t>(w.count());
  update.w = w.data();
  update.gradient = beside(name, "gradient", w, gradient);
  std::size_t s = 0;
  for (const State& each : state) update.state[s++] = beside(name, each.name, w, each.arrays);
  update.toward = beside(name, "toward", w, options.toward);
  update.copy_out = beside(name, "copy_out", w, options.copy_out);
  update.lr = for_each_of(name, "lr", w, options.each.lr);
  update.l1 = for_each_of(name, "l1", w, options.each.l1);
  update.l2 = for_each_of(name, "l2", w, options.each.l2);
  update.weight_decay = for_each_of(name, "weight_decay", w, options.each.weight_decay);
  update.regularization = &regularization;
  if (!regularizers.empty()) update.regularizer = regularizers.data();
  update.random_bits = options.rounding.random_bits();
  bridle_update_summary summary = BRIDLE_UPDATE_SUMMARY_INIT;
  require(function(&update, &summary));
  return {summary.penalty, summary.nonzeros, summary.finite != 0};
}

}  // namespace detail
}  // namespace BRIDLE_ISA
}  // namespace bridle
