// Calls of the dropout family on one-dimensional operands.
#pragma once

#include "drivers/core.hpp"

namespace bridle::test {

inline constexpr int kDropout = 0;  // the position in NoiseOps

inline NoiseCall noise_call(int op, DType dtype, Operand x, Operand out, std::size_t size,
                            const NoiseSource& noise, std::initializer_list<double> members,
                            Output output = Output::fresh) {
  NoiseCall call{.op = op,
                 .dtype = dtype,
                 .members = {},
                 .noise = noise,
                 .identity = false,
                 .size = size,
                 .x = x.data,
                 .x_walk = Walk(x.stride, size),
                 .out = out.data,
                 .out_walk = Walk(out.stride, size),
                 .output = output};
  std::copy(members.begin(), members.end(), call.members);
  return call;
}

}  // namespace bridle::test
