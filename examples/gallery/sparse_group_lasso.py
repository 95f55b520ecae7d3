"""
Groups, and zeros within groups
===============================

Features often come in groups that are known beforehand: the levels of a category, the lags of a
series, the genes of a pathway. Where most groups do not matter, and not everything matters in those
that do, the sparse group lasso fits better than either of the penalties that it is made of.
"""

# %%
# Thirty groups of ten features. Three groups matter, and in each of them four features out of ten.

import matplotlib.pyplot as plt
import numpy as np

import bridle as br

rng = np.random.default_rng(0)
groups, size, samples = 30, 10, 100
truth = np.zeros((groups, size))
truth[[3, 11, 24], :4] = rng.choice([-2.0, -1.5, -1.0, 1.0, 1.5, 2.0], (3, 4))
X, X_fresh = rng.standard_normal((2, samples, groups * size))
y = X @ truth.ravel() + 2.0 * rng.standard_normal(samples)
y_fresh = X_fresh @ truth.ravel() + 2.0 * rng.standard_normal(samples)

# %%
# Coefficients have the shape (groups, features of a group), and a group is a row: ``axis=-1``.
# Groups of different sizes would be told by ``offsets=`` or ``labels=``.


def gradient(w):
    """Return the gradient of half the mean squared error."""
    return (X.T @ (X @ w.ravel() - y) / len(y)).reshape(w.shape)


def best(penalty):
    """Return the solution of the strength that fits fresh data best, of thirty."""
    w = np.zeros((groups, size))
    strongest = penalty.lambda_max(gradient(w))
    solutions = []
    for strength in np.geomspace(strongest, strongest / 50, 30):
        w = br.fista(gradient, strength * penalty, w, tolerance=1e-6).x
        solutions.append(w)
    errors = [np.mean((X_fresh @ w.ravel() - y_fresh) ** 2) for w in solutions]
    return solutions[np.argmin(errors)]


# %%
# The three penalties are tried in the same way. ``0.3 * br.L1(1.0) + 0.7 * br.GroupL2(1.0)`` is
# a ``br.SparseGroup``.

penalties = {
    "lasso": br.L1(1.0),
    "group lasso": br.GroupL2(1.0),
    "sparse group lasso": 0.3 * br.L1(1.0) + 0.7 * br.GroupL2(1.0),
}
found = {name: best(penalty) for name, penalty in penalties.items()}

error = {name: np.linalg.norm(w - truth) for name, w in found.items()}

# %%
# A row is a group. What is exactly zero is grey.

shown = {"truth": truth} | found
colors = plt.get_cmap("RdBu_r").with_extremes(bad="0.88")
fig, axes = plt.subplots(1, 4, figsize=(7, 4.4), sharey=True, layout="constrained")
for ax, (name, w) in zip(axes, shown.items(), strict=True):
    zeros_hidden = np.where(w == 0, np.nan, w)
    image = ax.imshow(zeros_hidden, cmap=colors, vmin=-2, vmax=2, aspect="auto")
    ax.set_title(name if name == "truth" else f"{name}\nerror {error[name]:.2f}", fontsize=10)
    ax.set(xlabel="feature", xticks=[])
axes[0].set(ylabel="group")
fig.colorbar(image, ax=axes, label="coefficient", shrink=0.6)
plt.show()

# %%
# The lasso takes features from nearly all groups, since it knows none. The group lasso keeps about
# half of the groups, but all of their features. The sparse group lasso has zeros of both kinds and
# lies nearest to the truth. All of them keep more than what matters: the strength that predicts
# best is weaker than the one that would select best.

for name, w in found.items():
    kept = np.count_nonzero(w[w.any(axis=1)]) / w[w.any(axis=1)].size
    print(
        f"{name}: error {error[name]:.2f}, {w.any(axis=1).sum()} groups, "
        f"of which {kept:.0%} of the features"
    )
