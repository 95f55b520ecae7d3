"""
Pruning a small network
=======================

How many weights does a network need? `bridle.project_l0_ball` keeps the largest of a whole model,
`bridle.project_n_m` two of every four, which is what sparse tensor cores compute with. Pruned in
one go it forgets; pruned step by step, with some training in between, it does not.
"""

# %%
# A network with two hidden layers, for scikit-learn's digits.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import bridle as br

X, labels = load_digits(return_X_y=True)
X, y = (X / 16).astype(np.float32), np.eye(10, dtype=np.float32)[labels]
shuffled = np.random.default_rng(0).permutation(len(X))
train_rows, test_rows = shuffled[:1200], shuffled[1200:]


def layers(weights, rows):
    """Return what comes out of each layer."""
    found = [X[rows]]
    for w in weights[:-1]:
        found.append(np.maximum(found[-1] @ w, 0))
    return [*found, found[-1] @ weights[-1]]


def gradients(weights, rows):
    """Return the gradient of the cross-entropy."""
    found = layers(weights, rows)
    shares = np.exp(found[-1] - found[-1].max(axis=1, keepdims=True))
    error = (shares / shares.sum(axis=1, keepdims=True) - y[rows]) / len(rows)
    result = []
    for before, w in zip(found[-2::-1], weights[::-1], strict=True):
        result.append(before.T @ error)
        error = error @ w.T * (before > 0)
    return result[::-1]


def accuracy(weights):
    """Return the share of test digits that are right."""
    return np.mean(layers(weights, test_rows)[-1].argmax(axis=1) == labels[test_rows])


def train(weights, epochs, seed, project=None):
    """Train in place; ``project`` makes the zeros again after each step."""
    rng = np.random.default_rng(seed)
    optimizer = br.AdamW(weights, 2e-3, weight_decay=1e-2)
    for _ in range(epochs):
        for rows in np.array_split(rng.permutation(train_rows), 12):
            optimizer.step(gradients(weights, rows))
            if project:
                project(weights)


def with_mask(weights):
    """Return a function that keeps the zeros of these weights."""
    masks = [w != 0 for w in weights]

    def project(weights):
        for w, mask in zip(weights, masks, strict=True):
            w *= mask

    return project


rng = np.random.default_rng(0)
dense = [
    (rng.standard_normal((n, m)) * np.sqrt(2 / n)).astype(np.float32)
    for n, m in ((64, 128), (128, 64), (64, 10))
]
train(dense, 30, seed=0)
total = sum(w.size for w in dense)

# %%
# In one go: the k largest of all layers together, and nothing else happens. Step by step: half of
# what is left, ten epochs of training with the zeros kept, and so on.

shares = [0.5**halvings for halvings in range(1, 6)]
one_go, by_steps, weights = [], [], [w.copy() for w in dense]
for halvings, share in enumerate(shares, start=1):
    k = int(share * total)
    one_go.append(accuracy(br.project_l0_ball(dense, k)))
    br.project_l0_ball(weights, k, out=weights)
    train(weights, 10, seed=halvings, project=with_mask(weights))
    by_steps.append(accuracy(weights))

# %%
# Two of four, along the inputs of each unit, in the first two layers, and ten epochs more.

two_of_four = [br.project_n_m(w, 2, 4, axis=0) for w in dense[:2]] + [dense[2].copy()]
before = accuracy(two_of_four)
train(two_of_four, 10, seed=9, project=with_mask(two_of_four))

fig, ax = plt.subplots(figsize=(6.5, 3.8), layout="constrained")
ax.axhline(accuracy(dense), color="0.6", label="all weights")
ax.plot(shares, one_go, "o-", color="C1", label="in one go")
ax.plot(shares, by_steps, "s-", color="C0", label="halved again and again, trained in between")
ax.plot(0.5, accuracy(two_of_four), "*", color="C2", markersize=13, label="2 of every 4, trained")
ax.set(xscale="log", xlabel="weights left", ylabel="test accuracy")
ax.set_xticks(shares, [f"{share:.1%}" for share in shares])
ax.yaxis.set_major_formatter("{x:.0%}")
ax.minorticks_off()
ax.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 0.08))
plt.show()

# %%
# Half of the weights may go at once, and three quarters by steps, at no cost. An eighth of them is
# still enough for nearly all digits, where pruning in one go has lost most.

print(f"all {total} weights: {accuracy(dense):.1%} right")
for share, once, steps in zip(shares, one_go, by_steps, strict=True):
    print(f"{share:6.1%} of the weights: {once:.1%} in one go, {steps:.1%} by steps")
print(f"2 of every 4: {before:.1%}, {accuracy(two_of_four):.1%} after ten epochs")
