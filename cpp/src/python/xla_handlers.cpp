#include "xla_handlers.hpp"

#include <algorithm>
#include <memory>
#include <new>
#include <stdexcept>

#include "threads/status_flags.hpp"
#include "xla_arguments.hpp"

namespace bridle::xla {
namespace {

// One parameter of an elementwise operator.
template <class T>
struct Parameter {
  const T* values;
  std::size_t count;
};

template <class T>
Parameter<T> parameter(const Operator& op, std::size_t index, const Buffer& given) {
  const Param& param = op.params[index];
  const Parameter<T> result{static_cast<const T*>(given.data), size(given)};
  const T* const end = result.values + result.count;
  bool kept = true;
  for (const T* value = result.values; value != end; ++value) {
    kept &= keeps(param.rule, static_cast<double>(*value));
  }
  for (const T* value = result.values; !kept && value != end; ++value) {
    detail::check_parameter(op.name, param, *value);
  }
  return result;
}

// The same for all rows, as vmap makes them of one number.
template <class T>
bool is_one_number(const Parameter<T>& given) {
  const T first = *given.values;
  return std::all_of(given.values, given.values + given.count, [&](T v) { return v == first; });
}

template <class T>
void map_rows(int index, const CallFrame& frame, DType dtype, const Buffer& x, const Buffer& out) {
  const Operator& op = kMapOperators[static_cast<std::size_t>(index)];
  const std::size_t params = op.params.size(), n = size(x);
  Parameter<T> given[kMaxOperands];
  std::size_t rows = 1;
  for (std::size_t p = 0; p < params; ++p) {
    const Buffer& buffer = *static_cast<const Buffer*>(frame.arguments.values[1 + p]);
    if (buffer.type != compute_type(dtype) || !are_rows(buffer, x)) {
      fail(op.name, "a parameter must be of the type and of the first dimensions of x");
    }
    given[p] = parameter<T>(op, p, buffer);
    if (n == 0 || given[p].count == n) continue;
    if (is_one_number(given[p])) given[p].count = 1;
    rows = std::max(rows, given[p].count);
  }
  if (n == 0) return;
  const auto item = static_cast<std::ptrdiff_t>(item_size(dtype));
  MapCall call{{}, n / rows, Output::reused};
  for (std::size_t row = 0; row < rows; ++row) {
    const std::ptrdiff_t begin = static_cast<std::ptrdiff_t>(row * call.size) * item;
    call.operand[0] = {static_cast<char*>(x.data) + begin, item};
    call.operand[1 + params] = {static_cast<char*>(out.data) + begin, item};
    for (std::size_t p = 0; p < params; ++p) {
      const auto [values, count] = given[p];
      const bool each = count == n;
      const T* const value = values + (each ? row * call.size : row / (rows / count));
      call.operand[1 + p] = {reinterpret_cast<char*>(const_cast<T*>(value)),
                             each ? static_cast<std::ptrdiff_t>(sizeof(T)) : 0};
    }
    map(index, dtype, call);
  }
}

template <int kIndex>
void elementwise(const CallFrame& frame) {
  constexpr const Operator& op = kMapOperators[kIndex];
  constexpr auto operands = static_cast<std::int64_t>(op.params.size() + 1);
  const Buffer& x = buffer(op.name, frame.arguments, 0, operands);
  const Buffer& out = buffer(op.name, frame.results, 0, 1);
  const DType dtype = float_type(op.name, x);
  check_like(op.name, x, out);
  const bool wide = compute_size(dtype) == sizeof(double);
  (wide ? map_rows<double> : map_rows<float>)(kIndex, frame, dtype, x, out);
}

template <int kIndex>
void penalty(const CallFrame& frame) {
  constexpr const PenaltyOperator& op = kPenalties[kIndex];
  const Buffer& w = buffer(op.name, frame.arguments, 0, 2);
  const Buffer& out = buffer(op.name, frame.results, 0, 1);
  const DType dtype = float_type(op.name, w);
  const auto [count, length] = rows(op.name, w, out.rank);
  if (size(out) != count || out.type != compute_type(dtype)) {
    fail(op.name, "the result must have one number for each row");
  }
  static_assert(op.params.size() == 1 && op.sums == 1);
  const Numbers strength(op.name, buffer(op.name, frame.arguments, 1, 2), count);
  const std::unique_ptr<double[]> strengths(new double[count]), sums(new double[count]);
  for (std::size_t row = 0; row < count; ++row) {
    strengths[row] = strength.parameter(op.name, op.params[0], row);
  }
  const auto item = static_cast<std::ptrdiff_t>(item_size(dtype));
  reduce_many(kIndex, dtype,
              {{static_cast<char*>(w.data), item},
               length,
               static_cast<std::ptrdiff_t>(length) * item,
               count},
              strengths.get(), sums.get());
  for (std::size_t row = 0; row < count; ++row) {
    const double result = op.finish(&strengths[row], &sums[row]);
    if (out.type == ElementType::f64) {
      static_cast<double*>(out.data)[row] = result;
    } else {
      static_cast<float*>(out.data)[row] = static_cast<float>(result);
    }
  }
}

// How the decisions of dropout lie.
struct Decisions {
  bool inverted;
  std::uint64_t first;
  std::span<const std::int64_t> strides, lengths;
};

Decisions decisions(const CallFrame& frame, const Buffer& x) {
  const std::span<const std::int64_t> noise = integers("dropout", frame.attributes, "noise");
  if (noise.size() < 2 || noise.size() - 2 > static_cast<std::size_t>(x.rank) ||
      noise.size() - 2 > kMaxDimensions - 1) {
    fail("dropout", "another version of bridle made this call");
  }
  const std::span<const std::int64_t> strides = noise.subspan(2);
  return {noise[0] != 0, static_cast<std::uint64_t>(noise[1]), strides,
          shape(x).last(strides.size())};
}

// With `count` copies of the decisions, one after the other.
Walk walk(const Decisions& noise, std::size_t count) {
  std::size_t lengths[kMaxDimensions] = {count};
  std::int64_t strides[kMaxDimensions] = {0};
  std::copy(noise.lengths.begin(), noise.lengths.end(), lengths + 1);
  std::copy(noise.strides.begin(), noise.strides.end(), strides + 1);
  return {static_cast<int>(noise.lengths.size() + 1), lengths, strides};
}

// The random numbers of one row.
NoiseSource source(const Numbers* numbers, const ops::KeepNumbers& kept, const Decisions& noise,
                   std::size_t row, std::size_t copies) {
  const std::uint64_t seed = numbers[1].counter("dropout", "seed", row);
  const std::uint64_t stream = numbers[2].counter("dropout", "stream", row);
  const std::uint64_t offset = numbers[3].counter("dropout", "offset", row);
  std::uint64_t last = noise.first;
  for (std::size_t d = 0; d < noise.lengths.size(); ++d) {
    if (noise.lengths[d] == 0) continue;
    last += static_cast<std::uint64_t>(noise.lengths[d] - 1) *
            static_cast<std::uint64_t>(noise.strides[d]);
  }
  if (offset >= UINT64_MAX - last) {
    fail("dropout", "offset must be >= 0 and < " + std::to_string(UINT64_MAX - last) + ", got " +
                        std::to_string(offset));
  }
  return drawn_noise({{seed, stream}, kept.threshold}, offset + noise.first, walk(noise, copies));
}

void dropout(const CallFrame& frame) {
  const Buffer& x = buffer("dropout", frame.arguments, 0, 5);
  const Buffer& out = buffer("dropout", frame.results, 0, 1);
  const DType dtype = float_type("dropout", x);
  check_like("dropout", x, out);
  const Decisions noise = decisions(frame, x);
  const auto outer = x.rank - static_cast<std::int64_t>(noise.lengths.size());
  const auto [count, length] = rows("dropout", x, outer);
  const auto numbers_at = [&, rows = count](std::int64_t index) {
    return Numbers("dropout", buffer("dropout", frame.arguments, index, 5), rows);
  };
  const Numbers numbers[] = {numbers_at(1), numbers_at(2), numbers_at(3), numbers_at(4)};
  const bool differ = std::ranges::any_of(numbers, &Numbers::differ);
  const std::size_t copies = differ ? 1 : count, calls = differ || count == 0 ? count : 1;
  const auto item = static_cast<std::ptrdiff_t>(item_size(dtype));
  const auto row_call = [&, size = length](std::size_t row) {
    const double p = numbers[0].parameter("dropout", ops::dropout<float>::params[0], row);
    const ops::KeepNumbers kept = ops::keep_numbers(p, noise.inverted);
    const std::ptrdiff_t begin = static_cast<std::ptrdiff_t>(row * size) * item;
    return NoiseCall{.op = static_cast<int>(std::ranges::find(kNoiseOperators, "dropout") -
                                            kNoiseOperators.begin()),
                     .dtype = dtype,
                     .members = {kept.scale},
                     .noise = source(numbers, kept, noise, row, copies),
                     .identity = p == 0.0,
                     .size = copies * size,
                     .x = static_cast<char*>(x.data) + begin,
                     .x_walk = Walk(item),
                     .out = static_cast<char*>(out.data) + begin,
                     .out_walk = Walk(item),
                     .output = Output::reused};
  };
  for (std::size_t row = 0; row < calls; ++row) (void)row_call(row);  // checks
  for (std::size_t row = 0; row < calls; ++row) apply_noise(row_call(row));
}

Error* error(const Api* api, ErrorCode code, const char* message) {
  ErrorArguments arguments{sizeof(ErrorArguments), nullptr, message, code};
  return api->create_error(&arguments);
}

// XLA asks which version of its interface a function knows. All that is used here has been the same
// since 0.1, so that the answer is the newest that both know: XLA took no other than its own while
// it was at 0.1, when it did not tell which that is.
void tell_version(const CallFrame& frame) {
  Metadata& metadata = *reinterpret_cast<MetadataExtension*>(frame.extension)->metadata;
  metadata.version.major = kMajor;
  metadata.version.minor = frame.api ? std::min(kMinor, frame.api->version.minor) : kOldestMinor;
  metadata.traits = 0;
}

template <void (*kRun)(const CallFrame&)>
Error* handler(CallFrame* frame) {
  if (frame->extension && frame->extension->type == ExtensionType::metadata) {
    tell_version(*frame);
    return nullptr;
  }
  const KeepStatusFlags keep;  // XLA computes with subnormals flushed to zero
  try {
    kRun(*frame);
    return nullptr;
  } catch (const std::invalid_argument& wrong) {
    return error(frame->api, ErrorCode::invalid_argument, wrong.what());
  } catch (const std::bad_alloc&) {
    return error(frame->api, ErrorCode::resource_exhausted, "bridle: out of memory");
  }
}

}  // namespace
}  // namespace bridle::xla

namespace bridle::python {
namespace {

void add(pybind11::dict& handlers, const char* name, xla::Handler* handler) {
  handlers[name] = pybind11::capsule(reinterpret_cast<void*>(handler));
}

}  // namespace

pybind11::dict xla_handlers() {
  using namespace xla;
  pybind11::dict handlers;
  add(handlers, "soft_threshold", handler<elementwise<place_of(kMapOperators, "soft_threshold")>>);
  add(handlers, "prox_elastic_net",
      handler<elementwise<place_of(kMapOperators, "prox_elastic_net")>>);
  add(handlers, "decay", handler<elementwise<place_of(kMapOperators, "decay")>>);
  add(handlers, "l1_penalty", handler<penalty<place_of(kPenalties, "l1_penalty")>>);
  add(handlers, "l2_penalty", handler<penalty<place_of(kPenalties, "l2_penalty")>>);
  add(handlers, "dropout", handler<dropout>);
  return handlers;
}

}  // namespace bridle::python
