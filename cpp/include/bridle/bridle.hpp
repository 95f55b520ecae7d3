// bridle for C++20: regularization of large arrays of weights, spans in and spans out.
//
//   bridle::soft_threshold(w, 1e-3f, w);                  functions.hpp: one operator a call
//   double penalty = bridle::l1_penalty(w, 1e-4);
//   bridle::group_soft_threshold(w, bridle::Slices::rows(units, inputs), 1e-3, w);
//   bridle::dropout(x, 0.2, {.seed = 1, .stream = 2}, x); dropout.hpp
//   bridle::adamw_update(w, gradient, m, v, rate, step,   updates.hpp: the step of an optimizer
//                        {.l1 = 1e-4, .weight_decay = 1e-2});
//   double scale = bridle::global_norm(gradients)         models.hpp: whole models, halves
//                      .clip_scale(1.0);
//   bridle::transform(w, gradient,                        transform.hpp: a step of your own, as one
//                     [=](float w, float g) { return w - rate * g; },
//                     bridle::ops::decay{rate * 1e-2f},
//                     bridle::ops::soft_threshold{rate * 1e-4f});
//
// Link the target bridle::bridle of find_package(bridle CONFIG).
#pragma once

#include <bridle/dropout.hpp>
#include <bridle/functions.hpp>
#include <bridle/models.hpp>
#include <bridle/ops.hpp>
#include <bridle/threads.hpp>
#include <bridle/transform.hpp>
#include <bridle/updates.hpp>
