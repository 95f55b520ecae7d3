// Nothing is read or written outside the operands: they end, or begin, where a page begins that may
// not be touched.
#include <doctest/doctest.h>

#include <cstring>

#include "data.hpp"
#include "guarded_memory.hpp"
#include "noise_call.hpp"
#include "reference.hpp"
#include "update_case.hpp"

namespace bridle::test {
namespace {

class GuardedPages {
 public:
  // The elements, flush with one end of the memory.
  Operand place(const Bytes& elements, std::size_t item, bool at_end) {
    char* const to = at_end ? memory_.end() - elements.size() : memory_.begin();
    if (!elements.empty()) std::memcpy(to, elements.data(), elements.size());
    return {to, static_cast<std::ptrdiff_t>(item)};
  }

 private:
  GuardedMemory memory_{4};
};

struct Memory {
  GuardedPages x, out, parameter[kMaxOperands];
};

void run_updates(Memory& memory, DType dtype, std::size_t size, bool at_end) {
  const auto place = [&](GuardedPages& pages, DType of, std::uint64_t seed) {
    return pages.place(hostile_elements(of, size, seed), item_size(of), at_end).data;
  };
  const DType wide = dtype == DType::float64 ? DType::float64 : DType::float32;
  const UpdateNumbers numbers = update_numbers();
  const UpdateArray array{
      {place(memory.x, dtype, 1), place(memory.out, dtype, 2), place(memory.parameter[0], wide, 3),
       place(memory.parameter[1], wide, 4), place(memory.parameter[2], wide, 5),
       place(memory.parameter[3], dtype, 6)},
      size,
      &numbers,
      0};
  UpdateCall call{};
  set_types(dtype, dtype, call);
  call.adaptive = true;
  call.arrays = &array;
  call.count = 1;
  UpdateSums sums;
  for (call.op = 0; call.op < UpdateOps::size; ++call.op) {
    for (const bool stochastic : {false, item_size(dtype) == 2}) {
      call.stochastic = stochastic;
      update(call, &sums);
    }
  }
}

void run_maps(Memory& memory, DType dtype, std::size_t size, bool at_end) {
  const std::size_t item = item_size(dtype);
  for (std::size_t op = 0; op < map_operators().size(); ++op) {
    const std::vector<Rule>& rules = map_operators()[op].rules;
    for (const bool arrays : {false, true}) {
      MapCall call{
          {memory.x.place(hostile_elements(dtype, size, 1), item, at_end)}, size, Output::fresh};
      for (std::size_t p = 0; p < rules.size(); ++p) {
        const Bytes values = parameter_values(rules[p], dtype, arrays ? size : 1, p);
        call.operand[1 + p] =
            memory.parameter[p].place(values, arrays ? compute_size(dtype) : 0, at_end);
      }
      call.operand[1 + rules.size()] = memory.out.place(Bytes(size * item), item, at_end);
      map(static_cast<int>(op), dtype, call);
    }
  }
}

void run_others(Memory& memory, DType dtype, std::size_t size, bool at_end) {
  const std::size_t item = item_size(dtype);
  const Operand x = memory.x.place(hostile_elements(dtype, size, 1), item, at_end);
  const Operand out = memory.out.place(Bytes(size * item), item, at_end);
  for (std::size_t op = 0; op < reduce_operators().size(); ++op) {
    double sums[64 * kMaxSums];
    const std::size_t rows = size < 64 ? size : 64;
    const std::vector<double> parameters = parameters_of(reduce_operators()[op], rows + 1);
    reduce(static_cast<int>(op), dtype, x, size, parameters.data(), sums);
    const Operand columns{x.data, static_cast<std::ptrdiff_t>(rows * item)};
    reduce_many(static_cast<int>(op), dtype, {columns, size / (rows ? rows : 1), x.stride, rows},
                parameters.data(), sums);
  }
  NoiseSource noise = drawn_noise({{1, 2}, 0x80000001u}, 100);
  for (int op = 0; op < NoiseOps::size; ++op) {
    apply_noise(noise_call(op, dtype, x, out, size, noise, {2.0, 1.0, 0.5}));
  }
  const auto bytes = [](Operand operand) { return reinterpret_cast<std::uint8_t*>(operand.data); };
  noise_mask(noise, size, bytes(memory.out.place(Bytes(size), 1, at_end)));
  const std::size_t packed = (size + 7) / 8;
  noise_mask_packed(noise, size, bytes(memory.out.place(Bytes(packed), 1, at_end)));
  noise.from = NoiseFrom::bits;
  noise.index = 0;
  noise.bits = bytes(memory.x.place(Bytes(packed), 1, at_end));
  noise.bit_count = 8 * packed;
  noise_mask(noise, size, bytes(memory.out.place(Bytes(size), 1, at_end)));
}

TEST_CASE("nothing outside the operands is read or written") {
  Memory memory;
  for_each_instruction_set([&](const char*) {
    for (const DType dtype : kAllTypes) {
      for (std::size_t size = 0; size <= 140; ++size) {
        for (const bool at_end : {false, true}) {
          run_maps(memory, dtype, size, at_end);
          run_others(memory, dtype, size, at_end);
          run_updates(memory, dtype, size, at_end);
        }
      }
      run_others(memory, dtype, 1025, true);
      run_updates(memory, dtype, 1025, true);
    }
  });
}

}  // namespace
}  // namespace bridle::test
