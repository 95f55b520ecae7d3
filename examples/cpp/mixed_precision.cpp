// A training step of a whole model in mixed precision: weights in float, gradients arriving and
// weights going back in bfloat16, clipped by the norm of all gradients, with a moving average
// beside. Clipping writes no gradient, and nothing is converted in a pass of its own: every array
// is read once, and the weights, their halves and the moments are written once.
#include <bridle/bridle.hpp>
#include <cmath>
#include <cstdio>
#include <span>
#include <vector>

using Floats = std::vector<std::vector<float>>;
using Halves = std::vector<std::vector<bridle::BFloat16>>;

struct Model {
  Floats weights, first_moments, second_moments, average;
  Halves halves, gradients;

  explicit Model(std::span<const std::size_t> sizes) {
    for (const std::size_t size : sizes) {
      for (Floats* list : {&weights, &first_moments, &second_moments, &average}) {
        list->emplace_back(size);
      }
      halves.emplace_back(size);
      gradients.emplace_back(size);
    }
  }

  // Towards weights that are all 1 or −1 in squared error, computed from the halves as another
  // device would do it.
  void backward() {
    for (std::size_t i = 0; i < weights.size(); ++i) {
      std::vector<float> wide(weights[i].size());
      bridle::cast(halves[i], wide);
      for (std::size_t k = 0; k < wide.size(); ++k) wide[k] -= k % 3 == 0 ? 1.0f : -1.0f;
      bridle::cast(wide, gradients[i]);
    }
  }

  bridle::UpdateSummary step(std::int64_t iteration) {
    const double scale = bridle::global_norm(gradients).clip_scale(100.0);
    const auto stream = static_cast<std::uint64_t>(iteration);
    const bridle::UpdateSummary summary =
        bridle::adamw_update(weights, gradients, first_moments, second_moments, 0.02, iteration,
                             {.l1 = 1e-3,
                              .weight_decay = 1e-2,
                              .grad_scale = scale,
                              .copy_out = halves,
                              .rounding = bridle::Rounding::stochastic(1, stream)});
    bridle::average_update(average, weights, 0.9);
    return summary;
  }
};

int main() {
  const std::size_t sizes[] = {300'000, 1000, 200'000, 10};
  Model model(sizes);
  bridle::UpdateSummary summary{};
  for (std::int64_t iteration = 1; iteration <= 200; ++iteration) {
    model.backward();
    summary = model.step(iteration);
  }
  double error = 0.0, apart = 0.0;
  for (std::size_t i = 0; i < model.weights.size(); ++i) {
    for (std::size_t k = 0; k < model.weights[i].size(); ++k) {
      const double target = k % 3 == 0 ? 1.0 : -1.0;
      error = std::fmax(error, std::fabs(model.weights[i][k] - target));
      apart = std::fmax(apart, std::fabs(model.weights[i][k] - model.average[i][k]));
    }
  }
  // A half is one of the two numbers beside its weight, less than 2⁻⁷ of it away.
  Floats wide = model.weights;
  bridle::cast(model.halves, wide);
  bool close = true;
  for (std::size_t i = 0; i < wide.size(); ++i) {
    for (std::size_t k = 0; k < wide[i].size(); ++k) {
      close &= std::fabs(wide[i][k] - model.weights[i][k]) <= 0x1p-7 * std::fabs(wide[i][k]);
    }
  }
  std::printf("penalty %.6g, largest error %.3g, largest distance from the average %.3g\n",
              summary.penalty, error, apart);
  return summary.finite && close && error < 0.1 && apart < 0.1 ? 0 : 1;
}
