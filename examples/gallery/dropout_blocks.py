"""
Dropout that does not depend on who computes it
===============================================

A batch is shared out to workers, and each drops units of its part. With a generator for each worker
the run depends on how many there are. With `bridle.dropout` a mask belongs to positions in the
whole batch, so that two workers, four, or one end with the same weights.
"""

# %%
# A network with one hidden layer, for scikit-learn's digits. The gradient of a batch is the sum of
# the gradients of its parts; ``drop`` does to the hidden units of a part, or to what comes back to
# them, whatever dropout is.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import bridle as br

X, labels = load_digits(return_X_y=True)
X, y = X / 16, np.eye(10)[labels]
units, size, steps, p = 64, 128, 150, 0.5


def gradient_of_part(weights, rows, drop):
    """Return the gradient of the cross-entropy of some rows."""
    hidden = np.maximum(X[rows] @ weights["hidden"], 0)
    kept = drop(hidden)
    logits = kept @ weights["out"]
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    error = (shares - y[rows]) / size
    back = drop(error @ weights["out"].T) * (hidden > 0)
    return {"hidden": X[rows].T @ back, "out": kept.T @ error}


def train(workers, drop_of):
    """Return the weights after each step, the parts of each batch being shared out."""
    rng = np.random.default_rng(0)
    weights = {
        "hidden": 0.2 * rng.standard_normal((64, units)),
        "out": 0.2 * rng.standard_normal((units, 10)),
    }
    optimizer, history = br.AdamW(weights, 3e-3, weight_decay=1e-2), []
    for step in range(steps):
        batch = rng.integers(len(X), size=size)
        gradients = {name: np.zeros_like(w) for name, w in weights.items()}
        for worker, rows in enumerate(np.split(batch, workers)):
            part = gradient_of_part(weights, rows, drop_of(worker, len(rows), step))
            for name, gradient in gradients.items():
                gradient += part[name]
        optimizer.step(gradients)
        history.append({name: w.copy() for name, w in weights.items()})
    return history


# %%
# The usual way: each worker has a generator, seeded with its number, and keeps the mask for the way
# back.


def with_generators():
    """Return masks of a generator for each worker."""
    generators = [np.random.default_rng(seed) for seed in range(8)]

    def drop_of(worker, count, step):
        mask = (generators[worker].random((count, units)) >= p) / (1 - p)
        return lambda array: array * mask

    return drop_of


# %%
# bridle's way: the worker says where its rows lie in the batch, and nobody keeps anything.


def by_position(worker, count, step):
    """Return dropout of a block of the batch."""
    place = (size, units), (worker * count, 0)
    return lambda array: br.dropout(array, p, seed=1, stream=step, block=place)


def distance(one, other):
    """Return the largest difference of two runs' weights after each step."""
    steps = zip(one, other, strict=True)
    return [max(np.abs(a[name] - b[name]).max() for name in a) for a, b in steps]


alone = {"generators": train(1, with_generators()), "positions": train(1, by_position)}
apart = {
    workers: {
        "generators": distance(alone["generators"], train(workers, with_generators())),
        "positions": distance(alone["positions"], train(workers, by_position)),
    }
    for workers in (2, 4, 8)
}

# %%
# On the left the masks of four workers, put together: that of the whole batch. On the right, how
# far the weights are from those of one worker.

whole = br.dropout(np.ones((size, units)), p, seed=1, stream=0)
blocks = np.vstack([by_position(w, size // 4, 0)(np.ones((size // 4, units))) for w in range(4)])

fig, (left, right) = plt.subplots(
    1, 2, figsize=(8, 3.8), layout="constrained", width_ratios=(1, 2.2)
)
colors = np.repeat([[0, 0.3, 0.7, 1.0]], size // 4, axis=1).T
left.imshow(np.where(blocks > 0, 0.35 + 0.65 * colors, 0), cmap="magma", aspect="auto")
left.set(xlabel="hidden unit", ylabel="row of the batch", title="kept by four workers")
for workers, distances in apart.items():
    shade = 0.3 + 0.2 * np.log2(workers)
    right.plot(distances["generators"], color=plt.cm.Oranges(shade), label=f"{workers} generators")
    right.plot(
        distances["positions"], color=plt.cm.Blues(shade), label=f"{workers} workers by position"
    )
right.set(yscale="log", xlabel="step", ylabel="largest difference of a weight", ylim=(1e-18, 10))
right.set(title="from the run with one worker")
right.legend(frameon=False, fontsize=8, ncols=2, loc="center right")
plt.show()

# %%
# With generators it is another run from the first step on, and whoever changes the number of
# machines must compare accuracies again. By position the masks are the same bits, and what is left
# is the rounding of sums that were added in another order.

same_masks = np.array_equal(blocks, whole)
print("the masks of four workers are those of one:", same_masks)
for workers, distances in apart.items():
    print(
        f"{workers} workers: weights differ by {max(distances['positions']):.0e}, "
        f"with generators by {max(distances['generators']):.1f}"
    )
