// The C functions: plain arrays, every argument checked. Made from the list of operators.
#include <bridle/c_api.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <string_view>
#include <type_traits>
#include <utility>

#include "core.hpp"
#include "parallel.hpp"
#include "status_flags.hpp"

namespace bridle {
namespace {

template <class T, std::size_t>
using Same = T;  // for one T of each parameter

template <class T>
constexpr DType kDTypeOf = sizeof(T) == 8 ? DType::float64 : DType::float32;

template <class Op>
using Parameters = std::make_index_sequence<std::size(Op::params)>;

// Whether n elements at x may be read (or written).
template <class T>
bool is_array(const T* x, std::int64_t n) {
  return n == 0 || (n > 0 && x && reinterpret_cast<std::uintptr_t>(x) % alignof(T) == 0);
}

template <class T>
bool apart(const T* x, const T* out, std::int64_t n) {
  const auto a = reinterpret_cast<std::uintptr_t>(x), b = reinterpret_cast<std::uintptr_t>(out);
  const auto distance = a < b ? b - a : a - b;
  return distance / sizeof(T) >= static_cast<std::uint64_t>(n);
}

template <class Op, std::size_t... P>
bool allowed(std::index_sequence<P...>, Same<double, P>... parameter) {
  return (keeps(Op::params[P].rule, parameter) && ...);
}

template <class T>
Operand contiguous_operand(const T* x) {
  return {reinterpret_cast<char*>(const_cast<T*>(x)), sizeof(T)};
}

template <int kIndex, template <class> class Op, class T, class Indices = Parameters<Op<T>>>
struct MapFunction;
template <int kIndex, template <class> class Op, class T, std::size_t... P>
struct MapFunction<kIndex, Op, T, std::index_sequence<P...>> {
  static int call(const T* x, Same<T, P>... parameter, T* out, std::int64_t n) noexcept {
    if (!is_array(x, n) || !is_array(out, n) || (x != out && !apart(x, out, n))) return 1;
    if (!allowed<Op<T>>(std::index_sequence<P...>{}, parameter...)) return 1;
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
    if (!is_array(w, n) || !is_array(result, 1)) return 1;
    if (!allowed<Op>(std::index_sequence<P...>{}, parameter...)) return 1;
    const KeepStatusFlags keep;
    double sums[kMaxSums];
    reduce(kIndex, kDTypeOf<T>, contiguous_operand(w), static_cast<std::size_t>(n), sums);
    *result = Op{parameter...}.finish(sums);
    return 0;
  }
};

template <class Wanted, template <class> class... Op>
constexpr int index_in(MapList<Op...>) {
  int index = 0;
  (void)((std::is_same_v<Wanted, Op<float>> || (++index, false)) || ...);
  return index;
}
template <class Wanted, class... Op>
constexpr int index_in(ReduceList<Op...>) {
  int index = 0;
  (void)((std::is_same_v<Wanted, Op> || (++index, false)) || ...);
  return index;
}

template <template <class> class Op, class T>
constexpr auto map_function = MapFunction<index_in<Op<float>>(MapOps{}), Op, T>::call;
template <class Op, class T>
constexpr auto reduce_function = ReduceFunction<index_in<Op>(ReduceOps{}), Op, T>::call;

// As the compiler checks it: each function has the type of its member.
constexpr bridle_c_api c_api = {
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
};

// The same functions by name, made from the list.
struct Entry {
  std::array<char, 64> name;
  bridle_any_function function;
};

template <class... Argument>
Entry entry(std::string_view name, std::string_view suffix, int (*function)(Argument...) noexcept) {
  Entry result{{}, reinterpret_cast<bridle_any_function>(function)};
  char* const end = std::copy(name.begin(), name.end(), result.name.begin());
  std::copy(suffix.begin(), suffix.end(), end);
  return result;
}

template <template <class> class... Map, class... Reduce>
auto make_entries(MapList<Map...>, ReduceList<Reduce...>) {
  static_assert(((std::string_view(Map<float>::name).size() < 60) && ...));
  return std::array{entry(Map<float>::name, "_f32", map_function<Map, float>)...,
                    entry(Map<float>::name, "_f64", map_function<Map, double>)...,
                    entry(Reduce::name, "_f32", reduce_function<Reduce, float>)...,
                    entry(Reduce::name, "_f64", reduce_function<Reduce, double>)...};
}

const auto entries = make_entries(MapOps{}, ReduceOps{});

}  // namespace
}  // namespace bridle

extern "C" {

const bridle_c_api* bridle_get_c_api() { return &bridle::c_api; }

bridle_any_function bridle_function(const char* name) {
  for (const bridle::Entry& entry : bridle::entries) {
    if (std::strcmp(entry.name.data(), name) == 0) return entry.function;
  }
  return nullptr;
}

const char* bridle_function_name(int index) {
  const bool known = index >= 0 && static_cast<std::size_t>(index) < bridle::entries.size();
  return known ? bridle::entries[static_cast<std::size_t>(index)].name.data() : nullptr;
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
  bridle::parallel_ranges(size, grain, minimum, body, context);
}
}
