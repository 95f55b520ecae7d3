// The fused updates of lists of arrays as a C function.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <string_view>
#include <vector>

#include "arguments.hpp"
#include "arrays.hpp"
#include "drivers/operators.hpp"
#include "lists.hpp"
#include "refusal.hpp"
#include "regularizers.hpp"

namespace bridle::c {
namespace {

constexpr bridle_regularization kNothing = BRIDLE_REGULARIZATION_INIT;
constexpr bridle_update kNoUpdate = BRIDLE_UPDATE_INIT;

// The sizes of the structures in bridle 0.1. A member in their padding would not show in the size.
constexpr std::size_t kFirstRegularization = 48, kFirstSummary = 24, kFirstUpdate = 144;
static_assert(sizeof(bridle_regularization) == offsetof(bridle_regularization, grad_scale) + 8);
static_assert(sizeof(bridle_update_summary) == offsetof(bridle_update_summary, nonzeros) + 8);
static_assert(sizeof(bridle_update) == offsetof(bridle_update, random_bits) + 8);

// The place in UpdateOps of the update that users call so.
int find_update(std::string_view name, bool centered) {
  const bool other = name == ops::rmsprop_update<float>::name && centered;
  return bridle::find_update(other ? ops::centered_rmsprop_update<float>::name : name);
}

void check_not_given(const char* function, const char* option, bool given) {
  if (given) fail(function, std::string(option) + " must not be given");
}

void check_given(const char* function, const char* parameter, bool given) {
  if (!given) fail(function, std::string(parameter) + " must be given, got null");
}

template <class S>
void check_size(const char* function, const char* parameter, const S* structure,
                std::size_t first) {
  if (is_structure(structure, first)) return;
  fail(function,
       std::string(parameter) + " must be an aligned structure of a size that it had " + "once");
}

// A number for all arrays, or one for each.
struct PerArray {
  double one;
  const double* each;

  double operator[](std::size_t i) const { return each ? each[i] : one; }
  std::size_t size(std::size_t count) const { return each ? count : 1; }
};

using Arrays = std::pmr::vector<UpdateArray>;
using Sums = std::pmr::vector<UpdateSums>;
using Types = std::array<DType, UpdateRole::count>;

bridle_update_summary summary_of(const Arrays& arrays, const Sums& sums) {
  bridle_update_summary summary{0, 1, 0.0, 0};
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const UpdateRegularizer* const regularizer = arrays[i].regularizer;
    const double costs = regularizer ? penalty_of(*regularizer, sums[i]) : 0.0;
    summary.penalty += penalty_of(arrays[i], sums[i]) + costs;
    summary.nonzeros += static_cast<std::int64_t>(sums[i].nonzeros);
    summary.finite &= sums[i].not_finite == 0;
  }
  return summary;
}

// A call that is looked at, part by part, before anything is written.
class Update {
 public:
  Update(const bridle_update& given, std::size_t count)
      : given_(given),
        function_(given.name),
        count_(count),
        op_(find_update(given.name, given.state[2] != nullptr)) {}

  // Throws what is wrong with it.
  void check();
  bridle_update_summary run();

 private:
  using Groups = std::array<ArrayGroup, UpdateRole::count>;

  const FusedUpdate& facts() const { return kUpdateOperators[static_cast<std::size_t>(op_)]; }

  void check_numbers();
  void check_options() const;
  void check_what_is_taken() const;
  void check_per_array(const Param& param, const PerArray& numbers) const;
  void check_rates() const;
  void check_lists();
  void read_regularizers();
  void check_state(const StateArray& array, bool given) const;
  void check_flags() const;
  void check_rounding(const ArrayGroups& every) const;
  Groups groups_of(const bridle_update& given) const;
  Types types_of(std::size_t i) const;
  bool in_one_row(std::size_t i) const;
  UpdateRows rows_of(std::size_t i) const;
  UpdateNumbers numbers_of(std::size_t i) const;

  const bridle_update& given_;
  const char* function_;
  std::size_t count_;
  int op_;
  std::array<double, std::extent_v<decltype(UpdateNumbers::members)>> numbers_{};
  bridle_regularization regularization_ = kNothing;
  PerArray step_size_, l1_, l2_, weight_decay_;
  Groups groups_{};
  CallMemory memory_;
  std::pmr::vector<std::optional<UpdateRegularizer>> regularizers_{memory_.get()};
};

void Update::check() {
  if (op_ == static_cast<int>(kUpdateOperators.size())) {
    fail("update", std::string("name must be that of an update, got ") + function_);
  }
  check_size(function_, "regularization", given_.regularization, kFirstRegularization);
  read_structure(given_.regularization, kFirstRegularization, regularization_);
  check_numbers();
  check_options();
  check_lists();
  read_regularizers();
}

void Update::check_numbers() {
  check_given(function_, "numbers", given_.numbers != nullptr);
  std::copy_n(given_.numbers, facts().params.size(), numbers_.begin());
  detail::check_parameters(function_, facts().params.subspan(1), numbers_.data() + 1);
  check_flags();
  step_size_ = {numbers_[0], given_.lr};
  l1_ = {regularization_.l1, given_.l1};
  l2_ = {regularization_.l2, given_.l2};
  weight_decay_ = {regularization_.weight_decay, given_.weight_decay};
}

void Update::check_options() const {
  const bridle_regularization& r = regularization_;
  if (r.decay < BRIDLE_DECAY_DECOUPLED || r.decay > BRIDLE_DECAY_FULL) {
    fail(function_, "decay must be one of enum bridle_decay, got " + std::to_string(r.decay));
  }
  if (r.prox_step != BRIDLE_PROX_STEP_ADAPTIVE && r.prox_step != BRIDLE_PROX_STEP_SCALAR) {
    fail(function_,
         "prox_step must be one of enum bridle_prox_step, got " + std::to_string(r.prox_step));
  }
  check_what_is_taken();
  const Param& step_size = facts().params[0];
  // What must be positive must not be negative before anything else.
  check_per_array({step_size.name, Rule::non_negative}, step_size_);
  check_per_array(step_size, step_size_);
  check_per_array({"l1", Rule::non_negative}, l1_);
  check_per_array({"l2", Rule::non_negative}, l2_);
  check_per_array({"weight_decay", Rule::non_negative}, weight_decay_);
  if (std::isnan(r.grad_scale)) fail(function_, "grad_scale must not be NaN, got nan");
  check_rates();
}

void Update::check_what_is_taken() const {
  const bool all = facts().has_gradient && !facts().solves;
  if (all) return;
  const bridle_regularization& r = regularization_;
  check_not_given(function_, "weight_decay",
                  facts().solves && (r.weight_decay != 0 || given_.weight_decay));
  check_not_given(function_, "decay", r.decay != kNothing.decay);
  check_not_given(function_, "cautious", r.cautious != kNothing.cautious);
  check_not_given(function_, "prox_step", r.prox_step != kNothing.prox_step);
  check_not_given(function_, "grad_scale",
                  !facts().has_gradient && r.grad_scale != kNothing.grad_scale);
  check_not_given(function_, "toward", facts().solves && given_.toward);
  check_not_given(function_, "regularizer", facts().solves && given_.regularizer);
  check_not_given(function_, "copy_out", given_.copy_out);
  check_not_given(function_, "rounding", given_.random_bits);
}

void Update::check_per_array(const Param& param, const PerArray& numbers) const {
  for (std::size_t i = 0; i < numbers.size(count_); ++i) {
    if (keeps(param.rule, numbers[i])) continue;
    const std::string name =
        numbers.each ? std::string(param.name) + "[" + std::to_string(i) + "]" : param.name;
    detail::check_parameter(function_, {name.c_str(), param.rule}, numbers[i]);
  }
}

void Update::check_rates() const {
  const auto decay = static_cast<Decay>(regularization_.decay);
  const std::size_t rates = std::max(step_size_.size(count_), weight_decay_.size(count_));
  for (std::size_t i = 0; i < rates; ++i) {
    const double rate = ops::decay_rate(decay, step_size_[i], weight_decay_[i]);
    if (keeps(Rule::unit_interval, rate)) continue;
    const std::string factor =
        decay == Decay::full ? "" : std::string(facts().params[0].name) + " * ";
    detail::check_parameter(function_, {(factor + "weight_decay").c_str(), Rule::unit_interval},
                            rate);
  }
}

Update::Groups Update::groups_of(const bridle_update& given) const {
  Groups groups{};
  groups[UpdateRole::weights] = {"w", given.w, true};
  groups[UpdateRole::gradient] = {"gradient", given.gradient, false};
  for (std::size_t s = 0; s < facts().state.size(); ++s) {
    groups[UpdateRole::first_state + s] = {facts().state[s].name, given.state[s], true};
  }
  groups[UpdateRole::toward] = {"toward", given.toward, false};
  groups[UpdateRole::copy_out] = {"copy_out", given.copy_out, true};
  return groups;
}

// An optional array may be null; one that goes with a parameter is there exactly if that is not 0.
void Update::check_state(const StateArray& array, bool given) const {
  if (array.with == StateArray::optional) return;
  if (array.with == StateArray::always) return check_given(function_, array.name, given);
  const auto place = static_cast<std::size_t>(array.with);
  if (given == (numbers_[place] != 0)) return;
  fail(function_, std::string(array.name) + " must be " + (given ? "None" : "given") + " for " +
                      facts().params[place].name + " " + detail::text_of(numbers_[place]) +
                      ", got " + (given ? "one" : "None"));
}

void Update::check_lists() {
  if (count_ == 0) return;
  groups_ = groups_of(given_);
  check_given(function_, "w", given_.w != nullptr);
  if (facts().has_gradient) check_given(function_, "gradient", given_.gradient != nullptr);
  check_not_given(function_, "gradient", !facts().has_gradient && given_.gradient);
  for (std::size_t s = 0; s < std::size(given_.state); ++s) {
    const bool given = given_.state[s] != nullptr;
    if (s < facts().state.size()) check_state(facts().state[s], given);
    check_not_given(function_, "more state", given && s >= facts().state.size());
  }
  const ArrayGroups every{function_, groups_, count_, memory_.get()};
  every.check(update_rule);
  check_rounding(every);
  if (given_.random_bits) {
    check_offset(function_, *given_.random_bits, total_size(given_.w, count_));
  }
}

// What a flag asks for belongs to the number before it.
void Update::check_flags() const {
  for (std::size_t p = 1; p < facts().params.size(); ++p) {
    const Param &flag = facts().params[p], &number = facts().params[p - 1];
    if (flag.rule != Rule::flag || numbers_[p] == 0 || numbers_[p - 1] != 0) continue;
    fail(function_,
         std::string(flag.name) + " must be False without " + number.name + ", got True");
  }
}

// At random only where something is rounded; and always where the next step needs what rounding to
// nearest would lose.
void Update::check_rounding(const ArrayGroups& every) const {
  bool rounds = false;
  for (std::size_t g = 0; g < every.groups.size(); ++g) {
    const ArrayGroup& group = every.groups[g];
    for (std::size_t i = 0; i < count_ && group.arrays && group.written; ++i) {
      if (!is_half(static_cast<DType>(group.arrays[i].dtype))) continue;
      rounds = true;
      if (is_state(static_cast<int>(g)) && !given_.random_bits) {
        every.fail(g, i, kMustBeWide, description(group.arrays[i]));
      }
    }
  }
  if (given_.random_bits && !rounds) fail(function_, kNothingToRound);
}

Types Update::types_of(std::size_t i) const {
  Types types{};
  for (std::size_t role = 0; role < groups_.size(); ++role) {
    if (groups_[role].arrays) types[role] = static_cast<DType>(groups_[role].arrays[i].dtype);
  }
  return types;
}

void Update::read_regularizers() {
  if (!given_.regularizer) return;
  regularizers_.reserve(count_);
  for (std::size_t i = 0; i < count_; ++i) {
    const std::string name = count_ == 1 ? "regularizer" : "regularizer[" + std::to_string(i) + "]";
    regularizers_.push_back(regularizer_of(function_, name, given_.regularizer[i]));
  }
}

// Whether arrays i are contiguous all.
bool Update::in_one_row(std::size_t i) const {
  return std::ranges::none_of(groups_, [i](const ArrayGroup& group) {
    return group.arrays && !is_contiguous(group.arrays[i]);
  });
}

UpdateRows Update::rows_of(std::size_t i) const {
  UpdateRows rows;
  rows.length = static_cast<std::size_t>(given_.w[i].length);
  for (std::size_t role = 0; role < groups_.size(); ++role) {
    if (!groups_[role].arrays) continue;
    const bridle_array& array = groups_[role].arrays[i];
    const auto item = static_cast<std::int64_t>(item_size(static_cast<DType>(array.dtype)));
    rows.apart[role] = array.stride * item;
  }
  return rows;
}

UpdateNumbers Update::numbers_of(std::size_t i) const {
  UpdateNumbers numbers{};
  auto of_operator = numbers_;
  of_operator[0] = step_size_[i];
  facts().set_numbers(of_operator.data(), numbers);
  numbers.scale = regularization_.grad_scale;
  numbers.cautious = regularization_.cautious != 0;
  numbers.l1 = l1_[i];
  numbers.l2 = l2_[i];
  set_decay(static_cast<Decay>(regularization_.decay), step_size_[i], weight_decay_[i], numbers);
  return numbers;
}

bridle_update_summary Update::run() {
  const PerArray each[] = {step_size_, weight_decay_, l1_, l2_};
  const bool differ =
      std::ranges::any_of(each, [](const PerArray& numbers) { return numbers.each; });
  std::pmr::vector<UpdateNumbers> numbers(memory_.get());
  std::pmr::vector<UpdateRows> rows(memory_.get());
  std::pmr::vector<UpdateArray> arrays(count_, memory_.get());
  std::pmr::vector<UpdateSums> sums(count_, memory_.get());
  numbers.reserve(differ ? count_ : 1);
  std::uint64_t first = 0;
  for (std::size_t i = 0; i < count_; ++i) {
    UpdateArray& array = arrays[i];
    for (std::size_t role = 0; role < groups_.size(); ++role) {
      array.data[role] = groups_[role].arrays ? groups_[role].arrays[i].data : nullptr;
    }
    array.size = size_of(given_.w[i]);
    if (differ || i == 0) numbers.push_back(numbers_of(i));
    array.numbers = &numbers.back();
    array.first = first;
    if (!in_one_row(i)) {
      if (rows.empty()) rows.resize(count_);
      array.rows = &(rows[i] = rows_of(i));
    }
    if (i < regularizers_.size() && regularizers_[i]) array.regularizer = &*regularizers_[i];
    first += array.size;
  }
  UpdateCall call{};
  call.op = op_;
  call.adaptive = regularization_.prox_step == BRIDLE_PROX_STEP_ADAPTIVE;
  call.stochastic = given_.random_bits != nullptr;
  const bridle_random_bits bits = call.stochastic ? *given_.random_bits : bridle_random_bits{};
  call.key = {bits.seed, bits.stream};
  call.index = bits.offset;
  for (std::size_t begin = 0, end; begin < count_; begin = end) {  // a call for a run of a type
    const Types types = types_of(begin);
    end = begin + 1;
    while (end < count_ && types_of(end) == types) ++end;
    std::ranges::copy(types, call.types);
    call.arrays = arrays.data() + begin;
    call.count = end - begin;
    update(call, sums.data() + begin);
  }
  return summary_of(arrays, sums);
}

}  // namespace

int update_arrays(const bridle_update* given, bridle_update_summary* summary) noexcept {
  return guarded([&] {
    constexpr const char* name = "update";
    check_given(name, "update", given != nullptr);
    check_size(name, "update", given, kFirstUpdate);
    check_size(name, "summary", summary, kFirstSummary);
    bridle_update update = kNoUpdate;
    read_structure(given, kFirstUpdate, update);
    check_given(name, "name", update.name != nullptr);
    Update call(update, checked_count(name, update.count));
    call.check();
    const bridle_update_summary found = call.run();
    if (summary) write_structure(found, summary);
  });
}

}  // namespace bridle::c
