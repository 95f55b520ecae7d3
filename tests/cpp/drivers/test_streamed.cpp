// Results that bypass the caches: the bits of the ordinary path, and nothing beside them touched.
#include <doctest/doctest.h>

#include <bridle/prefetch.hpp>

#include "data.hpp"
#include "drivers/slices.hpp"
#include "drivers/streaming.hpp"
#include "noise_call.hpp"
#include "reference.hpp"
#include "threads/parallel.hpp"
#include "update_case.hpp"

namespace {
bool large = false;  // whether everything exceeds the caches, or nothing
}

// What the core is linked with here in place of its own.
bool bridle::worth_streaming(std::size_t) noexcept { return large; }
std::size_t bridle::prefetch_distance() noexcept { return large ? 6 * 1024 : 0; }

namespace bridle::test {
namespace {

// run(x, out, size, output) computes the same out of place, streamed, into fresh memory and in
// place.
template <class Run>
void check_large(DType dtype, std::size_t size, Run run) {
  CAPTURE(size);
  const std::size_t item = item_size(dtype);
  const auto step = static_cast<std::ptrdiff_t>(item);
  for (std::size_t phase = 0; phase < 64; phase += 7 * item) {
    CAPTURE(phase);
    Array x(item, hostile_elements(dtype, size, size), step, 64 - phase);
    Array plain(item, size, step), streamed(item, size, step, phase), fresh(item, size, step);
    large = false;
    run(x.operand(), plain.operand(), size, Output::reused);
    large = true;
    run(x.operand(), streamed.operand(), size, Output::reused);
    run(x.operand(), fresh.operand(), size, Output::fresh);
    run(x.operand(), x.operand(), size, Output::reused);
    for (const Array* result : {&streamed, &fresh, &x}) {
      CHECK(difference(dtype, plain.elements(), result->elements()) == "");
      CHECK(result->gaps_untouched());
    }
  }
}

template <class Run>
void for_sizes_and_threads(DType dtype, Run run) {
  CAPTURE(name_of(dtype));
  for (const std::size_t size : {1, 500, 511, 513, 3000}) check_large(dtype, size, run);
  for (const int threads : {1, 3}) {
    CAPTURE(threads);
    set_num_threads(threads);
    check_large(dtype, 3 * 32 * 1024 + 5, run);
  }
  set_num_threads(0);
}

TEST_CASE("elementwise operators") {
  for (std::size_t op = 0; op < map_operators().size(); ++op) {
    CAPTURE(map_operators()[op].name);
    const std::vector<Rule>& rules = map_operators()[op].rules;
    for (const DType dtype : kAllTypes) {
      std::vector<Bytes> values;
      for (const Rule rule : rules) values.push_back(parameter_values(rule, dtype, 1, op));
      for_sizes_and_threads(dtype, [&](Operand x, Operand out, std::size_t size, Output output) {
        MapCall call{{x}, size, output};
        for (std::size_t p = 0; p < rules.size(); ++p) call.operand[1 + p] = {values[p].data(), 0};
        call.operand[1 + rules.size()] = out;
        map(static_cast<int>(op), dtype, call);
      });
    }
  }
}

TEST_CASE("elementwise operators with an array of parameters") {
  for (const DType dtype : kAllTypes) {
    const std::size_t compute = compute_size(dtype);
    Array thresholds(compute, parameter_values(Rule::non_negative, dtype, 1 << 17, 1),
                     -static_cast<std::ptrdiff_t>(compute));
    for_sizes_and_threads(dtype, [&](Operand x, Operand out, std::size_t size, Output output) {
      map(0, dtype, {{x, thresholds.operand(), out}, size, output});
    });
  }
}

TEST_CASE("the dropout family") {
  for_each_instruction_set([&](const std::string& isa) {
    CAPTURE(isa);
    for (int op = 0; op < NoiseOps::size; ++op) {
      CAPTURE(op);
      for (const DType dtype : kAllTypes) {
        const NoiseSource noise = drawn_noise({{1, 2}, 0x80001234u}, 100);
        for_sizes_and_threads(dtype, [&](Operand x, Operand out, std::size_t size, Output output) {
          apply_noise(noise_call(op, dtype, x, out, size, noise, {2.0, 1.0, 0.5}, output));
        });
      }
    }
  });
}

// Rows of some lengths, columns that all threads work on together, and offsets of short and long
// groups.
TEST_CASE("operators of slices") {
  struct Matrix {
    std::size_t count, length;
    bool by_column;
  };
  const auto run = [](const SliceOperator& op, DType dtype, const Matrix& matrix,
                      const std::int64_t* offsets) {
    return [=, &op](Operand x, Operand out, std::size_t, Output output) {
      const double given[] = {0.7, 4.0, 0.5};
      const auto item = static_cast<std::ptrdiff_t>(item_size(dtype));
      const auto apart = [&](std::size_t n) { return static_cast<std::ptrdiff_t>(n) * item; };
      const Walk vectors(matrix.by_column ? item : apart(matrix.length), matrix.count);
      const Walk elements(matrix.by_column ? apart(matrix.count) : item, matrix.length);
      CHECK(apply_to_slices({.op = &op,
                             .dtype = dtype,
                             .x = x.data,
                             .x_vectors = vectors,
                             .x_elements = elements,
                             .out = out.data,
                             .out_vectors = vectors,
                             .out_elements = elements,
                             .count = matrix.count,
                             .length = matrix.length,
                             .offsets = offsets,
                             .given = given,
                             .weights = nullptr,
                             .beside = nullptr,
                             .numbers = nullptr,
                             .output = output}));
    };
  };
  constexpr Matrix matrices[] = {{70, 100, false}, {5, 3000, false},  {1, 140'001, false},
                                 {3, 4097, false}, {9, 50'000, true}, {700, 10, false}};
  const std::int64_t offsets[] = {0, 3, 3, 40, 900, 2000, 9000, 9010, 9100};
  constexpr std::size_t groups = std::size(offsets) - 1;
  for (const SliceOperator& op : slice_operators()) {
    if (op.whole || op.measures) continue;
    CAPTURE(op.name);
    for (const DType dtype : {DType::bfloat16, DType::float32, DType::float64}) {
      CAPTURE(name_of(dtype));
      for (const Matrix& matrix : matrices) {
        check_large(dtype, matrix.count * matrix.length, run(op, dtype, matrix, nullptr));
      }
      check_large(dtype, 9100, run(op, dtype, {groups, 9100, false}, offsets));
    }
  }
}

// What lies beside the weights in another type after an update.
void check_copies(UpdateCall call, std::size_t size) {
  CAPTURE(size);
  const DType type = call.types[UpdateRole::copy_out];
  const std::size_t item = item_size(type);
  const auto step = static_cast<std::ptrdiff_t>(item);
  const auto copies = [&](std::size_t phase, UpdateCase& test) {
    Array copy(item, size, step, phase);
    const UpdateNumbers numbers = update_numbers();
    UpdateArray array = test.array(numbers);
    array.data[UpdateRole::copy_out] = copy.operand().data;
    call.arrays = &array;
    call.count = 1;
    UpdateSums sums;
    update(call, &sums);
    CHECK(copy.gaps_untouched());
    CHECK(test.gaps_untouched());
    return copy.elements();
  };
  const UpdateCase before(DType::float32, DType::bfloat16, size, {true, false, 3}, size);
  UpdateCase plain = before;
  large = false;
  const Bytes expected = copies(0, plain);
  large = true;
  for (std::size_t phase = 0; phase < 64; phase += 7 * item) {
    CAPTURE(phase);
    UpdateCase streamed = before;
    CHECK(difference(type, expected, copies(phase, streamed)) == "");
    CHECK(difference(plain.elements(), streamed.elements(), 3) == "");
  }
}

TEST_CASE("copies of updates") {
  for_each_instruction_set([&](const std::string& isa) {
    CAPTURE(isa);
    for (const DType type : {DType::float16, DType::bfloat16, DType::float32}) {
      CAPTURE(name_of(type));
      for (const bool stochastic : {false, true}) {
        CAPTURE(stochastic);
        UpdateCall call{};
        call.stochastic = stochastic;
        call.key = {1, 2};
        call.index = 3;
        set_types(DType::float32, DType::bfloat16, call);
        call.types[UpdateRole::copy_out] = type;
        for (const std::size_t size : {1, 31, 500, 513, 3000}) check_copies(call, size);
        for (const int threads : {1, 3}) {
          set_num_threads(threads);
          check_copies(call, 3 * 32 * 1024 + 5);
        }
        set_num_threads(0);
      }
    }
  });
}

}  // namespace
}  // namespace bridle::test
