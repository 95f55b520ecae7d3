// SGD with momentum whose step, weight decay and soft threshold are one pass over memory: weights
// and velocity are read and written once, the gradient is read once. Checked against a plain loop,
// and against the update of the library that does the same.
#include <algorithm>
#include <bridle/bridle.hpp>
#include <cmath>
#include <cstdio>
#include <span>
#include <vector>

struct MomentumSgd {
  float learning_rate;
  float momentum;
  float weight_decay;
  float l1;

  // w ← soft_threshold(w·(1 − η·weight_decay) − η·v, η·l1) with v ← momentum·v + gradient.
  void step(std::span<float> w, std::span<float> velocity, std::span<const float> gradient) const {
    const float rate = learning_rate, mu = momentum;
    bridle::transform(
        w, velocity, gradient, bridle::ops::decay{rate * weight_decay},
        [=](float weight, float& v, float g) {
          v = mu * v + g;
          return weight - rate * v;
        },
        bridle::ops::soft_threshold{rate * l1});
  }
};

// The same with a loop over the elements and nothing of bridle.
void plain_step(const MomentumSgd& sgd, std::span<float> w, std::span<float> velocity,
                std::span<const float> gradient) {
  const float threshold = sgd.learning_rate * sgd.l1;
  for (std::size_t i = 0; i < w.size(); ++i) {
    velocity[i] = sgd.momentum * velocity[i] + gradient[i];
    const float decayed = w[i] * (1.0f - sgd.learning_rate * sgd.weight_decay);
    const float stepped = decayed - sgd.learning_rate * velocity[i];
    w[i] = std::copysign(std::max(std::abs(stepped) - threshold, 0.0f), stepped);
  }
}

int main() {
  constexpr std::size_t size = 1'000'000;
  const MomentumSgd sgd{.learning_rate = 0.1f, .momentum = 0.9f, .weight_decay = 0.01f, .l1 = 5.0f};
  std::vector<float> target(size), gradient(size), w(size), velocity(size);
  for (std::size_t i = 0; i < size; ++i) target[i] = 2.0f * std::sin(static_cast<float>(i));
  std::vector<float> plain_w = w, plain_velocity = velocity, own_w = w, own_velocity = velocity;
  bridle::UpdateSummary summary{};
  for (int iteration = 0; iteration < 50; ++iteration) {  // towards the target, in squared error
    for (std::size_t i = 0; i < size; ++i) gradient[i] = w[i] - target[i];
    sgd.step(w, velocity, gradient);
    for (std::size_t i = 0; i < size; ++i) gradient[i] = plain_w[i] - target[i];
    plain_step(sgd, plain_w, plain_velocity, gradient);
    for (std::size_t i = 0; i < size; ++i) gradient[i] = own_w[i] - target[i];
    summary = bridle::sgd_update(own_w, gradient, own_velocity, sgd.learning_rate,
                                 {.l1 = sgd.l1, .weight_decay = sgd.weight_decay},
                                 {.momentum = sgd.momentum});
  }
  float error = 0.0f;  // compilers may contract the user's own arithmetic, so it is not 0
  for (std::size_t i = 0; i < size; ++i) {
    error = std::max({error, std::abs(w[i] - plain_w[i]), std::abs(own_w[i] - plain_w[i])});
  }
  const auto zeros = std::count(w.begin(), w.end(), 0.0f);
  std::printf("penalty %.6g, zeros %.1f %%, largest difference from the plain loop %.2g\n",
              bridle::l1_penalty(w, sgd.l1), 100.0 * static_cast<double>(zeros) / size, error);
  const bool sparse = zeros > static_cast<std::ptrdiff_t>(size / 10);
  return sparse && summary.finite && error < 1e-5f ? 0 : 1;
}
