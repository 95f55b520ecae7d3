"""
Stopping on a noisy curve
=========================

A validation loss of few samples jumps. Patience takes a lucky epoch for the best one, keeps its
weights and stops too early. `bridle.EarlyStopping` can judge a moving average instead: how much
smoothing is right?
"""

# %%
# A model that overfits: least squares with more features than are known from 160 samples, by
# gradient descent. The loss on ten thousand other samples, which nobody has in practice, falls
# for a while and then rises.

import matplotlib.pyplot as plt
import numpy as np

import bridle as br

rng = np.random.default_rng(0)
features, samples, epochs = 150, 160, 200
truth = rng.standard_normal(features) * (rng.random(features) < 0.3)


def draw(count):
    """Return data and noisy targets."""
    data = rng.standard_normal((count, features))
    return data, data @ truth + 3.0 * rng.standard_normal(count)


X, y = draw(samples)
many, targets = draw(10_000)
w, path = np.zeros(features), []
for _ in range(epochs):
    w -= 0.1 / samples * X.T @ (X @ w - y)
    path.append(w.copy())
true_loss = np.array([np.mean((many @ w - targets) ** 2) for w in path])

# %%
# In practice each epoch is judged by two hundred samples, drawn anew. A hundred such curves are
# judged with every patience and smoothing; the weights that ``restore`` gives are those of the best
# epoch.


def noisy_curve():
    """Return the loss of two hundred samples after each epoch."""
    rows = rng.integers(len(many), size=(epochs, 200))
    return [np.mean((many[r] @ w - targets[r]) ** 2) for r, w in zip(rows, path, strict=True)]


def stopped(curve, smoothing, patience):
    """Return the best epoch, and the last one."""
    stopping = br.EarlyStopping(patience, mode="min", smoothing=smoothing)
    last = next((e for e, loss in enumerate(curve) if stopping.update(loss)), epochs - 1)
    return stopping.best_epoch, last


curves = [noisy_curve() for _ in range(100)]
smoothings, patiences = (0.0, 0.5, 0.8, 0.9), (10, 40)
excess, lengths = {}, {}
for smoothing in smoothings:
    for patience in patiences:
        best, last = np.transpose([stopped(curve, smoothing, patience) for curve in curves])
        excess[smoothing, patience] = true_loss[best] / true_loss.min() - 1
        lengths[smoothing, patience] = last.mean()

# %%
# On the left one of the curves, on the right by how much the true loss of the weights that are kept
# exceeds the least one: the middle of a hundred runs, and the nine in ten around it.

example = curves[0]
fig, (left, right) = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained")
left.plot(example, color="0.75", linewidth=0.8, label="of two hundred samples")
left.plot(true_loss, color="black", label="of ten thousand")
for smoothing, color in ((0.0, "C1"), (0.8, "C0")):
    epoch, _ = stopped(example, smoothing, 10)
    left.axvline(epoch, color=color, linestyle="--", label=f"kept, smoothing {smoothing}")
left.set(xlabel="epoch", ylabel="validation loss", ylim=(0, 50))
left.legend(frameon=False, fontsize=8)
for place, patience in enumerate(patiences):
    middle = [np.median(excess[s, patience]) for s in smoothings]
    low, high = np.transpose([np.quantile(excess[s, patience], (0.05, 0.95)) for s in smoothings])
    where = np.arange(len(smoothings)) + 0.15 * (2 * place - 1)
    bars = np.array([middle - low, high - middle])
    right.errorbar(where, middle, bars, fmt="o", capsize=3, label=f"patience {patience}")
right.set_xticks(range(len(smoothings)), smoothings)
right.set(xlabel="smoothing", ylabel="excess of the true loss", ylim=0)
right.yaxis.set_major_formatter("{x:.0%}")
right.legend(frameon=False)
plt.show()

# %%
# Both cost epochs, and smoothing spends them better: with a patience of 10, smoothing by 0.8 loses
# less than a patience of 40 does without it, after fewer epochs. Smoothing by 0.9 is too much: the
# average lags behind the curve.

for (smoothing, patience), lost in excess.items():
    print(
        f"patience {patience:2d}, smoothing {smoothing}: {lost.mean():5.1%} above the least loss, "
        f"{np.quantile(lost, 0.95):5.1%} in one run of twenty, {lengths[smoothing, patience]:3.0f}"
        " epochs"
    )
