// One array of an update with everything that it may take, and what must become of it.
#pragma once

#include <vector>

#include "data.hpp"
#include "reference.hpp"

namespace bridle::test {

inline constexpr UpdateForm kUpdateForms[] = {
    {UpdateKind::plain, false},   {UpdateKind::sparse, false}, {UpdateKind::sparse, true},
    {UpdateKind::elastic, false}, {UpdateKind::elastic, true}, {UpdateKind::full, false},
    {UpdateKind::full, true}};

// Numbers that every functor takes in any of its places.
inline UpdateNumbers update_numbers(bool cautious = true) {
  return {{0.05, 0.9, 0.1, 0.95, 0.05, 1.3, 1.2, 1e-3}, 0.5, 0.2, 0.7, 0.3, 0.4, 0.05, cautious};
}

// Which of the operands are there.
struct Present {
  bool gradient, toward;
  int states;
};

class UpdateCase {
 public:
  // Gradients of halves are halves or float; the state of halves is float.
  UpdateCase(DType dtype, DType gradient_dtype, std::size_t size, Present present,
             std::uint64_t seed, std::size_t phase = 0);

  UpdateMemory memory();
  // An array with this memory, and these numbers, which must stay.
  UpdateArray array(const UpdateNumbers& numbers, std::uint64_t first = 0);
  // What the operator makes of every element.
  std::vector<UpdateElement> expected(const UpdateOperator& op, const UpdateNumbers& numbers,
                                      UpdateForm form) const;
  // The elements as they are now.
  std::vector<UpdateElement> elements() const;
  bool gaps_untouched() const;

 private:
  struct Part {
    DType dtype;
    Array array;
    bool present;
  };
  Part part(DType dtype, bool present, std::uint64_t seed, std::size_t phase) const;

  std::size_t size_;
  int type_;  // 0: computed in float, 1: in double
  Part weights_, gradient_, toward_;
  std::vector<Part> state_;
};

// Whether two numbers are the same, zeros with their sign; a NaN is like any NaN.
bool same_number(double a, double b);
// The first element whose weight or state differs, or "".
std::string difference(const std::vector<UpdateElement>& expected,
                       const std::vector<UpdateElement>& actual, int states);

}  // namespace bridle::test
