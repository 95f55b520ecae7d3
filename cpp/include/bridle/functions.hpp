// The operators as functions on spans of float or double. What holds for all of them (aliasing,
// threads, exceptions) stands beside their types in span_functions.hpp. Parameters have the type of
// the elements, those of penalties are double.
#pragma once

#include <bridle/ops.hpp>
#include <bridle/span_functions.hpp>

namespace bridle::inline BRIDLE_ISA {

// soft_threshold(x, threshold, out): sign(x)·max(|x| − threshold, 0), the prox of threshold·|x|.
// threshold >= 0, in the units of x.
inline constexpr Elementwise<ops::soft_threshold> soft_threshold;

// prox_elastic_net(x, l1, l2, step, out): soft_threshold(x, step·l1) / (1 + 2·step·l2), the prox of
// step·(l1·|x| + l2·x²). l1, l2, step >= 0.
inline constexpr Elementwise<ops::prox_elastic_net> prox_elastic_net;

// prox_l2(x, strength, step, out): x / (1 + 2·step·strength), the prox of step·strength·x².
// strength, step >= 0.
inline constexpr Elementwise<ops::prox_l2> prox_l2;

// decay(w, rate, out): w·(1 − rate), decoupled weight decay. rate, the learning rate times the
// decay, is between 0 and 1.
inline constexpr Elementwise<ops::decay> decay;

// elastic_net_gradient(w, l1, l2, out): l1·sign(w) + 2·l2·w with sign(0) = 0, what an optimizer
// that knows only gradients adds to its own. l1, l2 >= 0.
inline constexpr Elementwise<ops::elastic_net_gradient> elastic_net_gradient;

// l1_penalty(w, strength = 1): strength·Σ|w|. strength >= 0.
inline constexpr Penalty<ops::l1_penalty> l1_penalty;

// l2_penalty(w, strength = 1): strength·Σw², without ½. strength >= 0.
inline constexpr Penalty<ops::l2_penalty> l2_penalty;

// elastic_net_penalty(w, l1, l2): l1·Σ|w| + l2·Σw², in one pass. l1, l2 >= 0.
inline constexpr Penalty<ops::elastic_net_penalty> elastic_net_penalty;

}  // namespace bridle::inline BRIDLE_ISA
