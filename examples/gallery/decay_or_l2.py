"""
Weight decay or L2, in Adam
===========================

In plain gradient descent they are the same. Adam divides the gradient by its usual size, and an L2
penalty that is part of the gradient is divided, too: weights with large gradients are hardly
decayed. `bridle.adamw_update` has both, and here is what they do.
"""

# %%
# A regression on features in units of their own: some are a hundred times as large as others. Ten
# features of each unit do not matter at all, and two do.

import matplotlib.pyplot as plt
import numpy as np

import bridle as br

rng = np.random.default_rng(0)
units = np.geomspace(0.1, 10, 12)
scale = np.repeat(units, 12)
matters = np.tile(np.arange(12) < 2, units.size)
truth = np.where(matters, rng.choice([-1, 1], scale.size) / scale, 0)
samples = 200


def draw(count):
    """Return data and noisy targets."""
    data = scale * rng.standard_normal((count, scale.size))
    return data, data @ truth + 3.0 * rng.standard_normal(count)


X, y = draw(samples)
to_choose, to_test = draw(2000), draw(20_000)

# %%
# Adam on batches of 20, with a learning rate that falls to zero.


def train(decay, weight_decay, steps=2000):
    """Return the weights at the end."""
    drawn = np.random.default_rng(1)
    w = np.zeros(scale.size)
    optimizer = br.AdamW(w, 0.01, decay=decay, weight_decay=weight_decay)
    for step in range(steps):
        rows = drawn.integers(samples, size=20)
        gradient = X[rows].T @ (X[rows] @ w - y[rows]) / 20
        optimizer.step(gradient, lr=0.01 * (1 - step / steps))
    return w


def error(w, data):
    """Return the mean squared error, without the noise of the targets."""
    features, targets = data
    return np.mean((features @ w - targets) ** 2) - 9.0


# %%
# Each has the strength that is best on samples held out.

strengths = np.geomspace(1e-3, 30, 10)
names = {"coupled": "L2 in the gradient", "decoupled": "decoupled decay"}
paths = {decay: [train(decay, strength) for strength in strengths] for decay in names}
errors = {decay: [error(w, to_choose) for w in path] for decay, path in paths.items()}
best = {decay: paths[decay][int(np.argmin(errors[decay]))] for decay in names}
plain = train("decoupled", 0.0)

fig, (left, right) = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained")
found = {"without": plain, **{names[decay]: w for decay, w in best.items()}}
rest = {
    name: [np.sqrt(np.mean((scale * w)[~matters & (scale == unit)] ** 2)) for unit in units]
    for name, w in found.items()
}
kept = {name: np.divide(sizes, rest["without"]) for name, sizes in rest.items()}
for (name, shares), color in zip(kept.items(), ("0.6", "C1", "C0"), strict=True):
    left.plot(units, shares, "o-", color=color, label=name)
left.set(xscale="log", xlabel="unit of the feature", ylabel="size, without decay it is 1", ylim=0)
left.set(title="features that do not matter")
left.legend(frameon=False)
for decay, color in (("coupled", "C1"), ("decoupled", "C0")):
    right.plot(strengths, errors[decay], color=color, label=names[decay])
right.axhline(error(plain, to_choose), color="0.6", label="without")
right.set(xscale="log", xlabel="weight_decay", ylabel="error on samples held out", ylim=0)
right.legend(frameon=False)
plt.show()

# %%
# L2 in the gradient reaches features of small units, whose gradients are small, and nothing else:
# a larger strength harms what matters before it does any good there. Decoupled decay reaches the
# large ones as well, and the error of its best strength is the lower one by far.

test = {name: error(w, to_test) for name, w in found.items()}
for name, shares in kept.items():
    print(
        f"{name}: error {test[name]:.1f}; features that do not matter are {shares[0]:.0%} of what "
        f"they are without decay in the smallest unit, {shares[-1]:.0%} in the largest"
    )
