#include "slices.hpp"

#include <atomic>
#include <cmath>
#include <memory>
#include <new>

#include "threads/parallel.hpp"
#include "threads/status_flags.hpp"

namespace bridle::c {
namespace {

constexpr int kNotAllowed = 1, kNoMemory = 2;
constexpr std::size_t kLeastToCheck = 32 * 1024;               // numbers, of each thread
constexpr std::int64_t kMostElements = std::int64_t{1} << 60;  // of 8 bytes

// Whether good(i) of all i.
template <class Good>
bool all_of(std::size_t size, const Good& good) {
  std::atomic<bool> all = true;
  parallel_for(size, 64, kLeastToCheck, [&](std::size_t begin, std::size_t end) {
    bool here = true;
    for (std::size_t i = begin; i < end; ++i) here &= good(i);
    if (!here) all = false;
  });
  return all;
}

struct Piece {
  const void* data;
  std::size_t bytes;
};

template <class T>
Piece piece(const T* data, std::size_t size) {
  return {data, size * sizeof(T)};
}

bool apart(Piece a, Piece b) {
  const auto first = reinterpret_cast<std::uintptr_t>(a.data);
  const auto second = reinterpret_cast<std::uintptr_t>(b.data);
  return a.bytes == 0 || b.bytes == 0 ||
         (first < second ? second - first >= a.bytes : first - second >= b.bytes);
}

// What a call is about, once it is known to fit.
struct Extent {
  std::int64_t elements, vectors;
  std::int64_t length;  // of each vector, unless offsets or labels say it
  Piece places = {nullptr, 0};
};

bool is_array_of(DType dtype, const void* x, std::int64_t n) {
  return dtype == DType::float64 ? is_array(static_cast<const double*>(x), n)
                                 : is_array(static_cast<const float*>(x), n);
}

bool keeps_together(Together rule, const double* numbers, std::size_t size) {
  switch (rule) {
    case Together::any:
      return true;
    case Together::not_increasing:
      return all_of(size, [=](std::size_t i) { return i == 0 || numbers[i] <= numbers[i - 1]; });
    case Together::not_all_zero:
      return !all_of(size, [=](std::size_t i) { return numbers[i] == 0.0; });
  }
  return false;
}

// How many numbers the array of the operator has; -1 if it has one that is not there, or has none.
std::int64_t array_size(const SliceArguments& call, const Extent& extent) {
  if (call.op.beside.name) return extent.length;
  if (!call.array) return 0;
  return call.op.groups ? extent.vectors : -1;
}

bool allows_array(const SliceArguments& call, const Extent& extent) {
  const std::int64_t n = array_size(call, extent);
  if (!is_array(call.array, n)) return false;
  const double* const numbers = call.array;
  const Rule rule = call.op.beside.name ? call.op.beside.rule : Rule::non_negative;
  const auto size = static_cast<std::size_t>(n);
  return all_of(size, [=](std::size_t i) { return keeps(rule, numbers[i]); }) &&
         keeps_together(call.op.beside.together, numbers, size);
}

bool allows_length(const SliceArguments& call, std::int64_t length) {
  if (call.op.divisor < 0) return true;
  const double divisor = call.given[call.op.divisor];
  return divisor >= 1.0 && std::fmod(static_cast<double>(length), divisor) == 0.0;
}

// The result may be x, and shares no memory with anything else that is read.
bool allows_result(const SliceArguments& call, const Extent& extent) {
  if (call.op.measures) return is_array(static_cast<const double*>(call.out), 1);
  if (!is_array_of(call.dtype, call.out, extent.elements)) return false;
  const std::size_t bytes = static_cast<std::size_t>(extent.elements) * item_size(call.dtype);
  const Piece out{call.out, bytes};
  const std::int64_t numbers = array_size(call, extent);
  return (call.out == call.x || apart({call.x, bytes}, out)) && apart(extent.places, out) &&
         apart(piece(call.array, static_cast<std::size_t>(numbers)), out);
}

bool is_allowed(const SliceArguments& call, const Extent& extent) {
  return first_broken(call.op.params, call.given) == call.op.params.size() &&
         is_array_of(call.dtype, call.x, extent.elements) && allows_length(call, extent.length) &&
         allows_array(call, extent) && allows_result(call, extent);
}

// Calls run(numbers), `numbers` being one for each vector where the operator measures, and adds
// them up. Nothing is to be done without elements.
template <class Run>
int finish(const SliceArguments& call, const Extent& extent, const Run& run) {
  const auto elements = static_cast<std::size_t>(extent.elements);
  const auto vectors = static_cast<std::size_t>(extent.vectors);
  double total = 0.0;
  if (elements > 0 && !call.op.measures && !run(nullptr)) return kNoMemory;
  if (elements > 0 && call.op.measures) {
    const std::unique_ptr<double[]> numbers(new (std::nothrow) double[vectors]);
    if (!numbers || !run(numbers.get())) return kNoMemory;
    total = penalty_of<ops::l1_penalty>(numbers.get(), vectors, 1.0);
    if (call.of_elements) total += call.of_elements(call.x, elements, call.given[0]);
  }
  if (call.op.measures) *static_cast<double*>(call.out) = total;
  return 0;
}

char* bytes(const void* data) { return static_cast<char*>(const_cast<void*>(data)); }

int apply(const SliceArguments& call, const Extent& extent, const Walk& vectors,
          const Walk& elements, std::size_t length, const std::int64_t* offsets) {
  return finish(call, extent, [&](double* numbers) {
    return apply_to_slices({.op = &call.op,
                            .dtype = call.dtype,
                            .x = bytes(call.x),
                            .x_vectors = vectors,
                            .x_elements = elements,
                            .out = bytes(numbers ? call.x : call.out),
                            .out_vectors = vectors,
                            .out_elements = elements,
                            .count = static_cast<std::size_t>(extent.vectors),
                            .length = length,
                            .offsets = offsets,
                            .given = call.given,
                            .weights = call.op.groups ? call.array : nullptr,
                            .beside = call.op.groups ? nullptr : call.array,
                            .numbers = numbers});
  });
}

// Of arrays that may be as long as there is memory.
bool is_size(std::int64_t n) { return n >= 0 && n < kMostElements; }

}  // namespace

int call_along(const SliceArguments& call, std::int64_t before, std::int64_t length,
               std::int64_t after) noexcept {
  const KeepStatusFlags keep;
  Extent extent{0, 0, length};
  const auto multiply = [](std::int64_t a, std::int64_t b, std::int64_t& to) {
    return is_size(a) && is_size(b) && !__builtin_mul_overflow(a, b, &to) && is_size(to);
  };
  if (!multiply(before, after, extent.vectors)) return kNotAllowed;
  if (!multiply(extent.vectors, length, extent.elements)) return kNotAllowed;
  if (!is_allowed(call, extent)) return kNotAllowed;
  const auto item = static_cast<std::int64_t>(item_size(call.dtype));
  if (extent.elements == 0) length = after = 0;  // so that no stride overflows
  const std::int64_t lengths[] = {before, after}, strides[] = {length * after * item, item};
  return apply(call, extent, Walk(2, lengths, strides),
               Walk(after * item, static_cast<std::size_t>(length)),
               static_cast<std::size_t>(length), nullptr);
}

int call_between(const SliceArguments& call, std::int64_t n, const std::int64_t* offsets,
                 std::int64_t count) noexcept {
  const KeepStatusFlags keep;
  if (!is_size(n) || !is_size(count) || !is_array(offsets, count + 1)) return kNotAllowed;
  const auto vectors = static_cast<std::size_t>(count);
  const bool ascend = all_of(vectors, [=](std::size_t v) { return offsets[v] <= offsets[v + 1]; });
  if (offsets[0] != 0 || offsets[vectors] != n || !ascend) return kNotAllowed;
  const Extent extent{n, count, 0, piece(offsets, vectors + 1)};
  if (!is_allowed(call, extent)) return kNotAllowed;
  const auto size = static_cast<std::size_t>(n);
  const Walk elements(static_cast<std::ptrdiff_t>(item_size(call.dtype)), size);
  return apply(call, extent, Walk(0), elements, size, offsets);
}

int call_by_labels(const SliceArguments& call, std::int64_t n, const std::int64_t* labels,
                   std::int64_t count) noexcept {
  const KeepStatusFlags keep;
  if (!is_size(n) || !is_size(count) || !is_array(labels, n)) return kNotAllowed;
  const auto size = static_cast<std::size_t>(n);
  if (!all_of(size, [=](std::size_t i) { return labels[i] < count; })) return kNotAllowed;
  const Extent extent{n, count, 0, piece(labels, size)};
  if (!is_allowed(call, extent)) return kNotAllowed;
  return finish(call, extent, [&](double* numbers) {
    return apply_by_labels({.op = &call.op,
                            .dtype = call.dtype,
                            .x = bytes(call.x),
                            .out = bytes(numbers ? call.x : call.out),
                            .size = size,
                            .labels = labels,
                            .count = static_cast<std::size_t>(count),
                            .given = call.given,
                            .weights = call.array,
                            .numbers = numbers});
  });
}

}  // namespace bridle::c
