// bridle for C++20: regularization of large arrays of weights, spans in and spans out.
//
//   bridle::soft_threshold(w, 1e-3f, w);                  functions.hpp: one operator a call
//   double penalty = bridle::l1_penalty(w, 1e-4);
//   bridle::transform(w, gradient,                        transform.hpp: a whole step in one pass
//                     [=](float w, float g) { return w - rate * g; },
//                     bridle::ops::decay{rate * 1e-2f},
//                     bridle::ops::soft_threshold{rate * 1e-4f});
//
// Link the target bridle::bridle of find_package(bridle CONFIG).
#pragma once

#include <bridle/functions.hpp>
#include <bridle/ops.hpp>
#include <bridle/threads.hpp>
#include <bridle/transform.hpp>
