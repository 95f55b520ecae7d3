// Every entry works in a thread with a small stack (that of musl has 128 KiB, and Python and NumPy
// need a part of it).
#include <bridle/c_api.h>
#include <doctest/doctest.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bridle/prefetch.hpp>
#include <climits>
#include <vector>

#include "data.hpp"
#include "drivers/cast.hpp"
#include "drivers/combine.hpp"
#include "drivers/norm.hpp"
#include "drivers/slices.hpp"
#include "drivers/streaming.hpp"
#include "noise_call.hpp"
#include "reference.hpp"
#include "threads/parallel.hpp"
#include "update_case.hpp"

// What the core is linked with here in place of its own: everything exceeds the caches, and is
// streamed where it can be, for which a buffer is on the stack, too.
bool bridle::worth_streaming(std::size_t) noexcept { return true; }
std::size_t bridle::prefetch_distance() noexcept { return 6 * 1024; }

namespace bridle::test {
namespace {

constexpr std::size_t kStack = 64 * 1024, kSize = 3 * 32 * 1024;
constexpr std::size_t kCallers = 20 * 1024;  // what a call leaves them of the stack
constexpr unsigned char kUntouched = 0xa5;

// Runs work in a thread of kStack bytes, or of the fewest that a thread may have (glibc on aarch64:
// 128 KiB), below which lies a page that nobody may touch; returns how many of them it left.
template <class Work>
std::size_t stack_left(Work work) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const std::size_t size = std::max(kStack, static_cast<std::size_t>(PTHREAD_STACK_MIN));
  void* const memory =
      mmap(nullptr, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(memory != MAP_FAILED);
  REQUIRE(mprotect(memory, page, PROT_NONE) == 0);
  auto* const stack = static_cast<unsigned char*>(memory) + page;
  std::fill_n(stack, size, kUntouched);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  REQUIRE(pthread_attr_setstack(&attributes, stack, size) == 0);
  pthread_t thread;
  const auto run = [](void* context) -> void* {
    (*static_cast<Work*>(context))();
    return nullptr;
  };
  REQUIRE(pthread_create(&thread, &attributes, run, &work) == 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
  const auto* const deepest =
      std::find_if(stack, stack + size, [](unsigned char byte) { return byte != kUntouched; });
  const auto left = static_cast<std::size_t>(deepest - stack);
  munmap(memory, size + page);
  return left;
}

// One call of each kind, of operands that were made before.
class Calls {
 public:
  explicit Calls(DType dtype)
      : dtype_(dtype),
        item_(static_cast<std::ptrdiff_t>(item_size(dtype))),
        x_(item_size(dtype), ordinary_elements(dtype, 2 * kSize, 1), item_),
        out_(item_size(dtype), 2 * kSize, item_),
        state_(compute_size(dtype), 3 * kSize, static_cast<std::ptrdiff_t>(compute_size(dtype))),
        parameter_(compute_size(dtype), kSize, static_cast<std::ptrdiff_t>(compute_size(dtype))),
        sums_(2 * kSize),
        beside_(kLongColumn, 1.0),
        long_(kLongColumns * kLongColumn * item_size(dtype)) {}

  bool slices_done() const { return slices_done_; }

  // stride: in elements; that of the result is another one.
  void map_with(std::ptrdiff_t stride, bool arrays) {
    for (std::size_t op = 0; op < map_operators().size(); ++op) {
      MapCall call{{{x_.operand().data, stride * item_}}, kSize, Output::reused};
      std::size_t next = 1;
      for (std::size_t p = 0; p < map_operators()[op].rules.size(); ++p) {
        const auto step = static_cast<std::ptrdiff_t>(compute_size(dtype_));
        call.operand[next++] = {parameter_.operand().data, arrays ? step : 0};
      }
      call.operand[next] = {out_.operand().data, (3 - stride) * item_};
      map(static_cast<int>(op), dtype_, call);
    }
  }

  void sum_with(std::ptrdiff_t stride) {
    constexpr std::size_t rows = 300;
    const Operand x{x_.operand().data, stride * item_};
    for (std::size_t op = 0; op < reduce_operators().size(); ++op) {
      const int index = static_cast<int>(op);
      const std::ptrdiff_t columns = kSize / rows;
      const std::vector<double> parameters =
          parameters_of(reduce_operators()[op], std::max<std::size_t>(rows, kSize / rows));
      reduce(index, dtype_, x, kSize, parameters.data(), sums_.data());
      reduce_many(index, dtype_, {x, kSize / rows, columns * stride * item_, rows},
                  parameters.data(), sums_.data());
      reduce_many(index, dtype_, {{x.data, columns * item_}, rows, item_, kSize / rows},
                  parameters.data(), sums_.data());
      const Walk walk(x.stride), number(0);
      const std::vector<WalkedDoubles> numbers(parameters.size(), {parameters.data(), number});
      reduce_each(index, dtype_, x.data, walk, kSize, numbers.data());
    }
  }

  void draw_with(std::ptrdiff_t stride) {
    const NoiseSource noise = drawn_noise({{1, 2}, 1u << 31}, 0);
    const Operand x{x_.operand().data, stride * item_};
    const Operand out{out_.operand().data, (3 - stride) * item_};
    for (int op = 0; op < NoiseOps::size; ++op) {
      apply_noise(noise_call(op, dtype_, x, out, kSize, noise, {2.0, 1.0, 0.5}));
    }
    auto* const bytes = reinterpret_cast<std::uint8_t*>(out_.operand().data);
    noise_mask(noise, kSize, bytes);
    noise_mask_packed(noise, kSize, bytes);
  }

  void update_with(bool in_rows) {
    const auto state = [&](std::size_t s) {
      return state_.operand().data + s * kSize * compute_size(dtype_);
    };
    const UpdateNumbers numbers = update_numbers();
    UpdateRows rows;
    UpdateArray array{{x_.operand().data, x_.operand().data + kSize * item_size(dtype_), state(0),
                       state(1), state(2), out_.operand().data},
                      kSize,
                      &numbers,
                      0};
    if (in_rows) {
      array.size = kSize / 100 * 90;
      const auto wide = 100 * static_cast<std::ptrdiff_t>(compute_size(dtype_));
      rows = {90, {100 * item_, 100 * item_, wide, wide, wide, 100 * item_}};
      array.rows = &rows;
    }
    for (int op = 0; op < UpdateOps::size; ++op) {
      UpdateSums sums;
      UpdateCall call{op, {}, true, item_size(dtype_) == 2, {1, 2}, 0, &array, 1};
      set_types(dtype_, dtype_, call);
      update(call, &sums);
    }
  }

  // The state of halves is float, and they go into it and come back.
  void list_with(std::ptrdiff_t stride) {
    const Walk walk(stride * item_, kSize);
    const bool is_double = dtype_ == DType::float64;
    const Walked x{x_.operand().data, dtype_, stride == 1 ? nullptr : &walk};
    const Walked wide{state_.operand().data, is_double ? DType::float64 : DType::float32, nullptr};
    const NormArray array{x, kSize, 0};
    norm_sums(&array, 1);
    const ListedPair there{x, wide, kSize, 0}, back{wide, x, kSize, 0}, own{x, x, kSize, 0};
    combine(Combination::accumulate, 0.5, &there, 1);
    combine(Combination::average, 0.5, &there, 1);
    combine(Combination::scale, 0.5, &own, 1);
    cast({&there, 1, false, {0, 0}, 0});
    cast({&back, 1, item_ == 2, {1, 2}, 3});
  }

  // Vectors as rows and as columns: short ones, longer than a chunk, and so long that threads share
  // them out.
  void slice_with(std::ptrdiff_t stride) {
    for (const SliceOperator& op : slice_operators()) {
      for (const std::size_t length : {std::size_t{12}, std::size_t{300}, std::size_t{5000}}) {
        slice(op, x_.operand().data, stride * item_, kSize / length, length);
      }
      slice(op, long_.data(), item_, kLongColumns, kLongColumn);
    }
  }

 private:
  static constexpr std::size_t kLongColumns = 9, kLongColumn = 1 << 17;

  void slice(const SliceOperator& op, char* data, std::ptrdiff_t item, std::size_t count,
             std::size_t length) {
    const auto row = static_cast<std::ptrdiff_t>(length) * item;
    const auto column = static_cast<std::ptrdiff_t>(count) * item;
    const Walk rows(row, count), in_row(item, length), columns(item, count),
        in_column(column, length);
    slice(op, data, rows, in_row, count, length);
    slice(op, data, columns, in_column, count, length);
  }
  void slice(const SliceOperator& op, char* data, const Walk& vectors, const Walk& elements,
             std::size_t count, std::size_t length) {
    const double given[] = {1.0, 4.0, 0.5};
    slices_done_ &= apply_to_slices({.op = &op,
                                     .dtype = dtype_,
                                     .x = data,
                                     .x_vectors = vectors,
                                     .x_elements = elements,
                                     .out = data,
                                     .out_vectors = vectors,
                                     .out_elements = elements,
                                     .count = count,
                                     .length = length,
                                     .offsets = nullptr,
                                     .given = given,
                                     .weights = nullptr,
                                     .beside = beside_.data(),
                                     .numbers = op.measures ? sums_.data() : nullptr});
  }

  DType dtype_;
  std::ptrdiff_t item_;
  bool slices_done_ = true;
  Array x_, out_, state_, parameter_;
  std::vector<double> sums_, beside_;
  std::vector<char> long_;
};

// A step of which everything that can be rounded is, at random.
int mixed_step(std::vector<float>& w, std::vector<BFloat16>& halves, bool regularized) {
  const auto array = [&](std::size_t place) -> bridle_array {
    return BRIDLE_ARRAY(halves.data() + place * kSize, BRIDLE_BFLOAT16, kSize);
  };
  const bridle_array weights = BRIDLE_ARRAY(w.data(), BRIDLE_FLOAT32, kSize);
  const bridle_array gradient = array(0), first = array(1), second = array(2), copy = array(3);
  const double numbers[] = {0.1, 1.0, 0.9, 0.999, 1e-8}, strengths[] = {0.1, 0.3, 1.0};
  const bridle_regularizer regularizer{"prox_log_sum", strengths, "log_sum_penalty", strengths};
  const bridle_random_bits bits{1, 2, 3};
  bridle_update update = BRIDLE_UPDATE_INIT;
  update.name = "adamw_update";
  update.numbers = numbers;
  update.count = 1;
  update.w = &weights;
  update.gradient = &gradient;
  update.state[0] = &first;
  update.state[1] = &second;
  update.copy_out = &copy;
  update.regularizer = regularized ? &regularizer : nullptr;
  update.random_bits = &bits;
  return bridle_get_c_api()->update(&update, nullptr);
}

TEST_CASE("a step of mixed types, called from C, leaves room on a stack of 64 KiB") {
  set_num_threads(2);
  std::vector<float> w(kSize, 0.5f);
  std::vector<BFloat16> halves(4 * kSize, BFloat16{0x3f00});
  for_each_instruction_set([&](const std::string& isa) {
    CAPTURE(isa);
    for (const bool regularized : {false, true}) {
      CAPTURE(regularized);
      int result = 1;
      CHECK(stack_left([&] { result = mixed_step(w, halves, regularized); }) > kCallers);
      CHECK(result == 0);
    }
  });
  set_num_threads(0);
}

TEST_CASE("every kind of call leaves room on a stack of 64 KiB") {
  set_num_threads(2);
  for (const DType dtype : kAllTypes) {
    CAPTURE(name_of(dtype));
    Calls calls(dtype);
    for_each_instruction_set([&](const std::string& isa) {
      CAPTURE(isa);
      for (const std::ptrdiff_t stride : {1, 2}) {
        CAPTURE(stride);
        CHECK(stack_left([&] { calls.map_with(stride, false); }) > kCallers);
        CHECK(stack_left([&] { calls.map_with(stride, true); }) > kCallers);
        CHECK(stack_left([&] { calls.sum_with(stride); }) > kCallers);
        CHECK(stack_left([&] { calls.draw_with(stride); }) > kCallers);
        CHECK(stack_left([&] { calls.list_with(stride); }) > kCallers);
        CHECK(stack_left([&] { calls.slice_with(stride); }) > kCallers);
      }
      CHECK(calls.slices_done());
      CHECK(stack_left([&] { calls.update_with(false); }) > kCallers);
      CHECK(stack_left([&] { calls.update_with(true); }) > kCallers);
    });
  }
  set_num_threads(0);
}

}  // namespace
}  // namespace bridle::test
