// Formulas of the whole range of numbers, as loops over arrays of every argument: compiled once for
// each instruction set, and once without optimization.
#pragma once

#include <cstddef>

namespace bridle::test {

// out[i] = formula(argument[0][i], argument[1][i], …), the first one x. Those that have fewer leave
// the last arguments alone.
template <class T>
using Formula = void (*)(const T* const* argument, T* out, std::size_t size);

enum FormulaName : int {
  kCubeRoot,
  kLogOfOnePlus,
  kLHalf,
  kLTwoThirds,
  kLogSum,
  kComplexReal,
  kComplexImaginary,
  kFormulas
};

struct Formulas {
  Formula<float> of_floats[kFormulas];
  Formula<double> of_doubles[kFormulas];
};

// Those of the i-th instruction set, in the order of instruction_set(), and those of the baseline
// without optimization.
const Formulas& formulas(int i);
const Formulas& unoptimized_formulas();

}  // namespace bridle::test
