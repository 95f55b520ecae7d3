// Arrays to test with: hostile values, and memory in which every byte beside the elements is
// watched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "dispatch.hpp"
#include "drivers/core.hpp"

namespace bridle::test {

using Bytes = std::vector<char>;

// SplitMix64 (Steele, Lea and Flood 2014): reproducible, and the same on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(next() % limit); }
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

 private:
  std::uint64_t state_;
};

// Elements without gaps: a third special values (zeros, subnormals, infinities, NaN, the largest),
// a third any bits, a third ordinary numbers.
Bytes hostile_elements(DType dtype, std::size_t size, std::uint64_t seed);
// Ordinary numbers of very different size, whose sum depends on the order of addition.
Bytes ordinary_elements(DType dtype, std::size_t size, std::uint64_t seed);
// Values that a hyper-parameter may have, in the compute type.
Bytes parameter_values(Rule rule, DType dtype, std::size_t size, std::uint64_t seed);

// Memory of one operand. The element after next lies `stride` bytes away; the first one `phase`
// bytes after a cache line (a negative stride starts at the other end).
class Array {
 public:
  Array(std::size_t item, std::size_t size, std::ptrdiff_t stride, std::size_t phase = 0);
  Array(std::size_t item, const Bytes& elements, std::ptrdiff_t stride, std::size_t phase = 0);

  Operand operand() { return {at(0), stride_}; }
  Bytes elements() const;
  // Whether all bytes around and between the elements are as they were.
  bool gaps_untouched() const;

 private:
  static constexpr std::size_t kMargin = 128;
  static constexpr char kUntouched = '\xa5';

  char* at(std::size_t i);

  std::size_t item_, size_;
  std::ptrdiff_t stride_;
  Bytes memory_;
  std::size_t first_;  // where element 0 lies in memory_
};

// Where two packed arrays differ first, in words; empty if they agree bit for bit.
std::string difference(DType dtype, const Bytes& expected, const Bytes& actual);

// Calls test(name of the instruction set) with each that this machine has in use.
template <class Test>
void for_each_instruction_set(Test test) {
  const char* const before = active_instruction_set().name;
  for (int i = 0; i < instruction_set_count(); ++i) {
    if (select_instruction_set(instruction_set(i).name)) test(instruction_set(i).name);
  }
  select_instruction_set(before);
}

}  // namespace bridle::test
