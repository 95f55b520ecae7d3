// Nothing global changes: neither status flags nor control bits, on the calling thread or on a
// worker.
#include <doctest/doctest.h>

#include <algorithm>
#include <bridle/transform.hpp>
#include <cfenv>
#include <cstdint>
#include <cstring>
#include <vector>

#include "data.hpp"
#include "noise_call.hpp"
#include "reference.hpp"
#include "threads/parallel.hpp"
#include "update_case.hpp"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace bridle::test {
namespace {

constexpr int kThreads = 2;
constexpr std::size_t kSmall = 1000, kLarge = 4 * 32 * 1024;

unsigned floating_point_state() {
#if defined(__x86_64__)
  return _mm_getcsr();
#else
  return static_cast<unsigned>(std::fetestexcept(FE_ALL_EXCEPT));
#endif
}

// Operands for one call of every kind, made beforehand: making them raises flags as well.
class EveryCall {
 public:
  EveryCall(DType dtype, std::size_t size)
      : dtype_(dtype),
        size_(size),
        x_(item_size(dtype), hostile_elements(dtype, size, 1), step()),
        out_(item_size(dtype), size, step()),
        state_(compute_size(dtype), hostile_elements(wide(), 3 * size, 2),
               static_cast<std::ptrdiff_t>(compute_size(dtype))),
        sums_(size * kMaxSums) {
    const auto apart = static_cast<std::ptrdiff_t>(compute_size(dtype));
    for (const MapOperator& op : map_operators()) {
      std::vector<Array>& arrays = parameters_.emplace_back();
      for (const Rule rule : op.rules) {
        arrays.emplace_back(compute_size(dtype), parameter_values(rule, dtype, size, arrays.size()),
                            apart);
      }
    }
  }

  void run() {
    for (std::size_t op = 0; op < parameters_.size(); ++op) {
      MapCall call{{x_.operand()}, size_, Output::fresh};
      std::size_t next = 1;
      for (Array& parameter : parameters_[op]) call.operand[next++] = parameter.operand();
      call.operand[next] = out_.operand();
      map(static_cast<int>(op), dtype_, call);
    }
    for (std::size_t op = 0; op < reduce_operators().size(); ++op)
      run_penalty(static_cast<int>(op));
    const NoiseSource noise = drawn_noise({{1, 2}, 1u << 31}, 0);
    for (int op = 0; op < NoiseOps::size; ++op) {
      apply_noise(
          noise_call(op, dtype_, x_.operand(), out_.operand(), size_, noise, {2.0, 1.0, 0.5}));
    }
    for (int op = 0; op < UpdateOps::size; ++op) run_update(op);
  }

 private:
  std::ptrdiff_t step() const { return static_cast<std::ptrdiff_t>(item_size(dtype_)); }

  void run_penalty(int op) {
    constexpr std::ptrdiff_t rows = 100;
    const auto columns = static_cast<std::ptrdiff_t>(size_) / rows;
    const Operand x = x_.operand();
    const auto length = static_cast<std::size_t>(columns);
    const std::vector<double> parameters = parameters_of(
        reduce_operators()[static_cast<std::size_t>(op)], std::max<std::size_t>(rows, length));
    reduce(op, dtype_, x, size_, parameters.data(), sums_.data());
    reduce_many(op, dtype_, {x, length, columns * step(), rows}, parameters.data(), sums_.data());
    reduce_many(op, dtype_, {{x.data, columns * step()}, rows, step(), length}, parameters.data(),
                sums_.data());
    const Walk walk(x.stride), number(0);
    const std::vector<WalkedDoubles> numbers(parameters.size(), {parameters.data(), number});
    reduce_each(op, dtype_, x.data, walk, size_, numbers.data());
  }

  void run_update(int op) {
    const auto state = [&](std::size_t s) {
      return state_.operand().data + s * size_ * compute_size(dtype_);
    };
    const UpdateNumbers numbers = update_numbers();
    const UpdateArray array{
        {out_.operand().data, x_.operand().data, state(0), state(1), state(2)}, size_, &numbers, 0};
    UpdateSums sums;
    UpdateCall call{op, {}, true, item_size(dtype_) == 2, {1, 2}, 0, &array, 1};
    set_types(dtype_, dtype_, call);
    update(call, &sums);
  }

  DType wide() const { return dtype_ == DType::float64 ? dtype_ : DType::float32; }

  DType dtype_;
  std::size_t size_;
  Array x_, out_, state_;
  std::vector<std::vector<Array>> parameters_;
  std::vector<double> sums_;
};

void check_all_types(std::size_t size, int raised) {
  for (const DType dtype : kAllTypes) {
    CAPTURE(name_of(dtype));
    EveryCall calls(dtype, size);
    for_each_instruction_set([&](const std::string& isa) {
      CAPTURE(isa);
      std::feclearexcept(FE_ALL_EXCEPT);
      std::feraiseexcept(raised);
      const unsigned before = floating_point_state();
      calls.run();
      const int flags = std::fetestexcept(FE_ALL_EXCEPT);
      const unsigned after = floating_point_state();
      CHECK(after == before);
      CHECK(flags == raised);
    });
  }
}

TEST_CASE("flags that were clear stay clear, flags that were raised stay raised") {
  set_num_threads(kThreads);
  for (const int raised : {0, FE_INEXACT, FE_INVALID | FE_DIVBYZERO}) {
    CAPTURE(raised);
    check_all_types(kSmall, raised);
    check_all_types(kLarge, raised);
  }
  std::feclearexcept(FE_ALL_EXCEPT);
  set_num_threads(0);
}

// What every operator of the list makes of x, one after the other.
Bytes results(Operand x, std::size_t size) {
  Array to(sizeof(float), size, sizeof(float));
  float third = 1.0f / 3.0f;
  Bytes all;
  for (std::size_t op = 0; op < map_operators().size(); ++op) {
    MapCall call{{x}, size, Output::fresh};
    for (std::size_t p = 1; p < kMaxOperands; ++p) {
      call.operand[p] = {reinterpret_cast<char*>(&third), 0};
    }
    call.operand[1 + map_operators()[op].rules.size()] = to.operand();
    map(static_cast<int>(op), DType::float32, call);
    const Bytes result = to.elements();
    all.insert(all.end(), result.begin(), result.end());
  }
  for (int op = 0; op < UpdateOps::size; ++op) {
    const std::size_t bytes = size * sizeof(float);
    std::vector<Array> memory(4, Array(sizeof(float), size, sizeof(float)));
    for (Array& array : memory) std::memcpy(array.operand().data, x.data, bytes);
    const auto data = [&](std::size_t k) { return memory[k].operand().data; };
    const UpdateNumbers numbers = update_numbers();
    const UpdateArray array{{data(0), x.data, data(1), data(2), data(3)}, size, &numbers, 0};
    UpdateSums sums;
    UpdateCall call{op, {}, true, false, {0, 0}, 0, &array, 1};
    set_types(DType::float32, DType::float32, call);
    update(call, &sums);
    for (const Array& written : memory) {
      const Bytes result = written.elements();
      all.insert(all.end(), result.begin(), result.end());
    }
  }
  return all;
}

// The control bits of a thread: what is set of them is what it does to numbers.
#if defined(__x86_64__)
constexpr unsigned kFlushToZero = 0x8040, kRoundUp = 0x4000;
unsigned control() { return _mm_getcsr() & ~0x3fu; }
void set_control(unsigned bits) { _mm_setcsr(bits); }
#elif defined(__aarch64__)
constexpr unsigned kFlushToZero = 1u << 24, kRoundUp = 1u << 22;
unsigned control() {
  std::uint64_t bits;
  asm volatile("mrs %0, fpcr" : "=r"(bits));
  return static_cast<unsigned>(bits);
}
void set_control(unsigned bits) { asm volatile("msr fpcr, %0" : : "r"(std::uint64_t{bits})); }
#endif

#if defined(__x86_64__) || defined(__aarch64__)

TEST_CASE("the control bits of the calling thread do not show, and stay as they are") {
  const unsigned before = control();
  Array x(sizeof(float), hostile_elements(DType::float32, kLarge, 1), sizeof(float));
  const Bytes expected = results(x.operand(), kLarge);
  for (int threads = 1; threads <= kThreads; ++threads) {
    CAPTURE(threads);
    set_num_threads(threads);
    for (const unsigned bits : {kFlushToZero, kRoundUp}) {
      CAPTURE(bits);
      set_control(before | bits);
      const Bytes actual = results(x.operand(), kLarge);
      const unsigned after = control();
      set_control(before);
      CHECK(difference(DType::float32, expected, actual) == "");
      CHECK(after == (before | bits));
    }
  }
  set_num_threads(0);
}

TEST_CASE("a parameter that is subnormal is one also for a host that flushes") {
  const auto shrunk = [](unsigned bits) {
    std::vector<float> w(4, 3e-40f), by_name(4, 3e-40f), to(4);
    const unsigned before = control();
    set_control(before | bits);
    transform(w, ops::soft_threshold{1e-40});  // a double, rounded to float
    const int refused =
        bridle_get_c_api()->soft_threshold_f32(by_name.data(), 1e-40f, to.data(), 4);
    set_control(before);
    CHECK(refused == 0);
    w.insert(w.end(), to.begin(), to.end());
    return w;
  };
  CHECK(shrunk(kFlushToZero) == shrunk(0));
  CHECK(shrunk(0)[0] < 2.5e-40f);
}

#endif

}  // namespace
}  // namespace bridle::test
