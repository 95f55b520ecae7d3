"""
Half weights that do not stand still
====================================

bfloat16 has three digits. A small step on a weight of that type is rounded away, every time, and
training stands still. Rounded at random, up or down with the probability that keeps the mean
right, the steps add up.
"""

# %%
# A classifier for four hundred of scikit-learn's digits, in float32 and twice in bfloat16, by the
# same small steps of gradient descent.

import matplotlib.pyplot as plt
import ml_dtypes
import numpy as np
from sklearn.datasets import load_digits

import bridle as br

X, labels = load_digits(return_X_y=True)
X, labels = (X[:400] / 16).astype(np.float32), labels[:400]
y = np.eye(10, dtype=np.float32)[labels]
rng = np.random.default_rng(0)
start = 0.5 * rng.standard_normal((64, 10)).astype(np.float32)
steps, lr = 3000, 0.01


def shares(w):
    """Return the probability of each class, for each digit."""
    logits = X @ w
    found = np.exp(logits - logits.max(axis=1, keepdims=True))
    return found / found.sum(axis=1, keepdims=True)


def loss(w):
    """Return the cross-entropy."""
    return -np.mean(np.log(shares(w)[np.arange(len(X)), labels]))


def train(dtype, rounding):
    """Return the losses on the way, and the weights."""
    w, losses = start.astype(dtype), []
    for step in range(steps):
        wide = w.astype(np.float32)
        if step % 50 == 0:
            losses.append(loss(wide))
        gradient = X.T @ (shares(wide) - y) / len(X)
        br.sgd_update(w, gradient, lr, rounding=rounding, seed=1, stream=step)
    return losses, w.astype(np.float32)


bfloat16 = ml_dtypes.bfloat16
runs = {
    "float32": train(np.float32, "nearest"),
    "bfloat16, at random": train(bfloat16, "stochastic"),
    "bfloat16, to nearest": train(bfloat16, "nearest"),
}

# %%
# The distance between two neighbours is 2⁻⁸ of a weight at least. On the right, how large the steps
# of the first iteration are beside that: nearly none is as large as the half that it takes to be
# rounded up.

gradient = X.T @ (shares(start) - y) / len(X)
spacing = 2.0 ** (np.floor(np.log2(np.abs(start))) - 7)
relative = lr * np.abs(gradient[gradient != 0]) / spacing[gradient != 0]

fig, (left, right) = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained")
styles = {"float32": "-", "bfloat16, at random": "--", "bfloat16, to nearest": "-"}
for (name, (losses, _)), color in zip(runs.items(), ("black", "C0", "C1"), strict=True):
    left.plot(range(0, steps, 50), losses, styles[name], color=color, label=name)
left.set(xlabel="step", ylabel="cross-entropy", ylim=0)
left.legend(frameon=False)
right.hist(np.log10(relative), bins=40, color="0.7")
right.axvline(np.log10(0.5), color="C1", label="is rounded up")
right.set(xlabel="log10 of step / distance of neighbours", ylabel="weights")
right.legend(frameon=False)
plt.show()

# %%
# At random, bfloat16 trains as float32 does. To nearest it ends where the last large step was.

lost = np.mean(relative < 0.5)
ends = {name: loss(w) for name, (_, w) in runs.items()}
print(f"{lost:.0%} of the first steps are rounded away")
for name, end in ends.items():
    print(f"{name}: from {loss(start):.2f} to {end:.3f}")
