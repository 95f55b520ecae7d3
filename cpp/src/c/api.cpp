// The C functions: plain arrays, every argument checked. Made from the list of operators.
#include <bridle/c_api.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <string_view>
#include <type_traits>
#include <utility>

#include "arguments.hpp"
#include "functions.hpp"
#include "lists.hpp"
#include "refusal.hpp"
#include "slices.hpp"
#include "threads/parallel.hpp"
#include "threads/status_flags.hpp"

namespace bridle::c {
namespace {

template <class T, std::size_t>
using Same = T;  // for one T of each parameter

template <class Op>
using Parameters = std::make_index_sequence<Op::params.size()>;

template <class Op, class... T>
bool allowed(T... parameter) {
  const double values[] = {static_cast<double>(parameter)..., 0.0};  // one at least
  return first_broken(Op::params, values) == Op::params.size();
}

template <int kIndex, template <class> class Op, class T, class Indices = Parameters<Op<T>>>
struct MapFunction;
template <int kIndex, template <class> class Op, class T, std::size_t... P>
struct MapFunction<kIndex, Op, T, std::index_sequence<P...>> {
  static int call(const T* x, Same<T, P>... parameter, T* out, std::int64_t n) noexcept {
    const KeepStatusFlags keep;
    if (!is_array(x, n) || !is_array(out, n) || (x != out && !apart(x, out, n))) return 1;
    if (!allowed<Op<T>>(parameter...)) return 1;
    MapCall call{{contiguous_operand(x)}, static_cast<std::size_t>(n), Output::reused};
    std::size_t next = 1;
    ((call.operand[next++] = {reinterpret_cast<char*>(&parameter), 0}), ...);
    call.operand[next] = contiguous_operand(out);
    map(kIndex, kDTypeOf<T>, call);
    return 0;
  }
};

template <int kIndex, class Op, class T, class Indices = Parameters<Op>>
struct ReduceFunction;
template <int kIndex, class Op, class T, std::size_t... P>
struct ReduceFunction<kIndex, Op, T, std::index_sequence<P...>> {
  static int call(const T* w, Same<double, P>... parameter, std::int64_t n,
                  double* result) noexcept {
    const KeepStatusFlags keep;
    if (!is_array(w, n) || !is_array(result, 1)) return 1;
    if (!allowed<Op>(parameter...)) return 1;
    const double parameters[] = {parameter..., 0.0};  // one at least
    double sums[kMaxSums];
    reduce(kIndex, kDTypeOf<T>, contiguous_operand(w), static_cast<std::size_t>(n), parameters,
           sums);
    *result = Op{parameter...}.finish(sums);
    return 0;
  }
};

template <template <class> class Op, class T>
constexpr auto map_function = MapFunction<index_in<Op<float>>(MapOps{}), Op, T>::call;
template <class Op, class T>
constexpr auto reduce_function = ReduceFunction<index_in<Op>(ReduceOps{}), Op, T>::call;

// As the compiler checks it: each function has the type of its member.
constexpr bridle_c_api table = {
    .version = BRIDLE_C_API_VERSION,
    .size = sizeof(bridle_c_api),
    .soft_threshold_f32 = map_function<ops::soft_threshold, float>,
    .soft_threshold_f64 = map_function<ops::soft_threshold, double>,
    .prox_elastic_net_f32 = map_function<ops::prox_elastic_net, float>,
    .prox_elastic_net_f64 = map_function<ops::prox_elastic_net, double>,
    .prox_l2_f32 = map_function<ops::prox_l2, float>,
    .prox_l2_f64 = map_function<ops::prox_l2, double>,
    .decay_f32 = map_function<ops::decay, float>,
    .decay_f64 = map_function<ops::decay, double>,
    .elastic_net_gradient_f32 = map_function<ops::elastic_net_gradient, float>,
    .elastic_net_gradient_f64 = map_function<ops::elastic_net_gradient, double>,
    .l1_penalty_f32 = reduce_function<ops::l1_penalty, float>,
    .l1_penalty_f64 = reduce_function<ops::l1_penalty, double>,
    .l2_penalty_f32 = reduce_function<ops::l2_penalty, float>,
    .l2_penalty_f64 = reduce_function<ops::l2_penalty, double>,
    .elastic_net_penalty_f32 = reduce_function<ops::elastic_net_penalty, float>,
    .elastic_net_penalty_f64 = reduce_function<ops::elastic_net_penalty, double>,
    .dropout_f32 = dropout<float>,
    .dropout_f64 = dropout<double>,
    .dropout_mask = dropout_mask,
    .proximal_step_f32 = Updates<float>::proximal_step,
    .proximal_step_f64 = Updates<double>::proximal_step,
    .sgd_update_f32 = Updates<float>::sgd_update,
    .sgd_update_f64 = Updates<double>::sgd_update,
    .adamw_update_f32 = Updates<float>::adamw_update,
    .adamw_update_f64 = Updates<double>::adamw_update,
    .adagrad_update_f32 = Updates<float>::adagrad_update,
    .adagrad_update_f64 = Updates<double>::adagrad_update,
    .rmsprop_update_f32 = Updates<float>::rmsprop_update,
    .rmsprop_update_f64 = Updates<double>::rmsprop_update,
    .lion_update_f32 = Updates<float>::lion_update,
    .lion_update_f64 = Updates<double>::lion_update,
    .ftrl_update_f32 = Updates<float>::ftrl_update,
    .ftrl_update_f64 = Updates<double>::ftrl_update,
    .update = update_arrays,
    .global_norm = global_norm,
    .clip_scale = clip_scale,
    .clip_by_global_norm = clip_by_global_norm,
    .accumulate = accumulate,
    .average_update = average_update,
    .cast = cast_arrays,
    .last_error = last_error,
};

struct Entry {
  std::array<char, 64> name;
  bridle_any_function function;
};

template <class Result, class... Argument>
bridle_any_function any(Result (*function)(Argument...) noexcept) {
  return reinterpret_cast<bridle_any_function>(function);
}

template <class Op, std::size_t... P>
constexpr std::array<const char*, sizeof...(P) + 1> names_of(std::index_sequence<P...>) {
  return {Op::params[P].name..., nullptr};
}
template <class Op>
constexpr auto parameter_names = names_of<Op>(Parameters<Op>{});

template <class Op>
bridle_operator describe(int kind, bridle_any_function single, bridle_any_function double_) {
  static_assert(std::string_view(Op::name).size() + sizeof("_offsets_f32") <= sizeof(Entry::name));
  bridle_operator op{};
  op.size = sizeof(bridle_operator);
  op.kind = kind;
  op.parameter_count = static_cast<int>(Op::params.size());
  op.name = Op::name;
  op.parameter_names = parameter_names<Op>.data();
  op.f32 = single;
  op.f64 = double_;
  return op;
}

template <template <class> class Op>
bridle_operator describe_elementwise() {
  return describe<Op<float>>(BRIDLE_ELEMENTWISE, any(map_function<Op, float>),
                             any(map_function<Op, double>));
}
template <class Op>
bridle_operator describe_penalty() {
  return describe<Op>(BRIDLE_PENALTY, any(reduce_function<Op, float>),
                      any(reduce_function<Op, double>));
}
template <class Op>
bridle_operator describe_slices() {
  using Single = SliceFunctions<Op, float>;
  using Double = SliceFunctions<Op, double>;
  bridle_operator op = describe<Op>(kIsMeasure<Op> ? BRIDLE_SLICE_PENALTY : BRIDLE_SLICES,
                                    any(Single::along), any(Double::along));
  op.array_name = kTakesGroups<Op> ? "weights" : kArrayOf<Op>.name;
  if constexpr (kTakesGroups<Op>) {
    op.f32_offsets = any(Single::between);
    op.f64_offsets = any(Double::between);
    op.f32_labels = any(Single::by_labels);
    op.f64_labels = any(Double::by_labels);
  }
  return op;
}

template <class Op>
constexpr auto state_names() {
  if constexpr (requires { Op::state_arrays; }) {
    std::array<const char*, std::size(Op::state_arrays) + 1> names{};
    std::ranges::transform(Op::state_arrays, names.begin(), &StateArray::name);
    return names;
  } else {
    return std::array<const char*, 1>{};
  }
}
template <class Op>
constexpr auto kStateNames = state_names<Op>();

template <template <class> class Op, class Single, class Double>
bridle_operator describe_update(Single* single, Double* double_) {
  bridle_operator op = describe<Op<float>>(BRIDLE_UPDATE, any(single), any(double_));
  op.state_names = kStateNames<Op<float>>.data();
  return op;
}

template <template <class> class... Map, class... Reduce, class... Slice>
auto describe_all(MapList<Map...>, ReduceList<Reduce...>, SliceList<Slice...>) {
  using F = Updates<float>;
  using D = Updates<double>;
  return std::array{describe_elementwise<Map>()...,
                    describe_penalty<Reduce>()...,
                    describe_slices<Slice>()...,
                    describe_update<ops::proximal_step>(F::proximal_step, D::proximal_step),
                    describe_update<ops::sgd_update>(F::sgd_update, D::sgd_update),
                    describe_update<ops::adamw_update>(F::adamw_update, D::adamw_update),
                    describe_update<ops::adagrad_update>(F::adagrad_update, D::adagrad_update),
                    describe_update<ops::rmsprop_update>(F::rmsprop_update, D::rmsprop_update),
                    describe_update<ops::lion_update>(F::lion_update, D::lion_update),
                    describe_update<ops::ftrl_update>(F::ftrl_update, D::ftrl_update)};
}

const auto operators = describe_all(MapOps{}, ReduceOps{}, SliceOps{});

// The functions by name: those of the operators, and those that are written out.
class Names {
 public:
  Names() {
    for (const bridle_operator& op : operators) {
      add(op.name, "", op.f32, op.f64);
      add(op.name, "_offsets", op.f32_offsets, op.f64_offsets);
      add(op.name, "_labels", op.f32_labels, op.f64_labels);
    }
    add("dropout", "", any(dropout<float>), any(dropout<double>));
    add("dropout_mask", dropout_mask);
    add("update", update_arrays);
    add("global_norm", global_norm);
    add("clip_scale", clip_scale);
    add("clip_by_global_norm", clip_by_global_norm);
    add("accumulate", accumulate);
    add("average_update", average_update);
    add("cast", cast_arrays);
    add("last_error", last_error);
  }

  const Entry* begin() const { return entries_.data(); }
  const Entry* end() const { return begin() + count_; }

 private:
  void add(std::string_view name, std::string_view form, std::string_view type,
           bridle_any_function function) {
    if (!function) return;
    Entry& entry = entries_[count_++];  // zeros
    char* end = std::copy(name.begin(), name.end(), entry.name.begin());
    end = std::copy(form.begin(), form.end(), end);
    std::copy(type.begin(), type.end(), end);
    entry.function = function;
  }
  void add(std::string_view name, std::string_view form, bridle_any_function single,
           bridle_any_function double_) {
    add(name, form, "_f32", single);
    add(name, form, "_f64", double_);
  }
  template <class Function>
  void add(std::string_view name, Function* function) {
    add(name, "", "", any(function));
  }

  std::array<Entry, 6 * operators.size() + 16> entries_{};
  std::size_t count_ = 0;
};

const Names names;

}  // namespace
}  // namespace bridle::c

extern "C" {

const bridle_c_api* bridle_get_c_api() { return &bridle::c::table; }

bridle_any_function bridle_function(const char* name) {
  if (!name) return nullptr;
  for (const auto& entry : bridle::c::names) {
    if (std::strcmp(entry.name.data(), name) == 0) return entry.function;
  }
  return nullptr;
}

const bridle_operator* bridle_find(const char* name) {
  if (!name) return nullptr;
  for (const bridle_operator& op : bridle::c::operators) {
    if (std::strcmp(op.name, name) == 0) return &op;
  }
  return nullptr;
}

const char* bridle_function_name(int index) {
  const auto& names = bridle::c::names;
  const bool known = index >= 0 && index < names.end() - names.begin();
  return known ? names.begin()[index].name.data() : nullptr;
}

int bridle_get_num_threads() { return bridle::get_num_threads(); }

int bridle_set_num_threads(int n) {
  if (n < 1 || n > bridle::kMaxThreads) return 1;
  bridle::set_num_threads(n);
  return 0;
}

void bridle_parallel_for(std::size_t size, std::size_t grain, std::size_t minimum,
                         void (*body)(const void* context, std::size_t begin, std::size_t end),
                         const void* context) {
  if (size == 0 || !body) return;
  bridle::parallel_ranges(size, std::max<std::size_t>(grain, 1), std::max<std::size_t>(minimum, 1),
                          body, context, nullptr);
}
}
