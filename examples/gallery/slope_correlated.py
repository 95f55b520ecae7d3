"""
Correlated features with one coefficient
========================================

Of features that say nearly the same, the lasso takes some, and which ones is chance. SLOPE gives
them one coefficient: what is correlated comes in together, and stays together when the data change.
"""

# %%
# Twenty features. The first five follow one hidden cause, the next five another one, the others are
# noise.

import matplotlib.pyplot as plt
import numpy as np

import bridle as br

rng = np.random.default_rng(0)
samples, features = 100, 20
causes = rng.standard_normal((samples, 2))
X = rng.standard_normal((samples, features))
X[:, :5] = causes[:, :1] + 0.2 * X[:, :5]
X[:, 5:10] = causes[:, 1:] + 0.2 * X[:, 5:10]
X /= X.std(axis=0)
y = 3 * causes[:, 0] - 2 * causes[:, 1] + rng.standard_normal(samples)

# %%
# SLOPE has a strength for each rank: the largest magnitude is multiplied by the first strength, the
# next one by the second. Strengths that fall evenly make magnitudes equal that are nearly so; this
# is OSCAR. With equal strengths it would be the lasso.

lasso = br.L1(0.3)
slope = br.Slope(np.linspace(0.6, 0.05, features))


def solve(penalty, rows):
    """Return the coefficients for some of the samples."""

    def gradient(w):
        return X[rows].T @ (X[rows] @ w - y[rows]) / len(rows)

    return br.fista(gradient, penalty, np.zeros(features)).x


# %%
# The same is done for fifty samples of the data with repetition, the bootstrap.

draws = [rng.integers(samples, size=samples) for _ in range(50)]
found = {
    "lasso": np.array([solve(lasso, rows) for rows in draws]),
    "SLOPE": np.array([solve(slope, rows) for rows in draws]),
}

# %%
# A dot is the coefficient of one draw, a bar that of all the data.

fig, axes = plt.subplots(2, 1, figsize=(7, 4.8), sharex=True, sharey=True, layout="constrained")
numbers = np.arange(1, features + 1)
shift = rng.uniform(-0.25, 0.25, (len(draws), features))
for ax, (name, penalty) in zip(axes, {"lasso": lasso, "SLOPE": slope}.items(), strict=True):
    ax.axvspan(0.5, 5.5, color="0.88")
    ax.axvspan(5.5, 10.5, color="0.95")
    ax.plot((numbers + shift).ravel(), found[name].ravel(), ".", color="C0", markersize=2)
    ax.hlines(solve(penalty, np.arange(samples)), numbers - 0.4, numbers + 0.4, color="C1")
    ax.set(title=name, ylabel="coefficient", xlim=(0.5, features + 0.5), xticks=numbers)
axes[1].set(xlabel="feature; those of one cause are shaded alike")
plt.show()

# %%
# In SLOPE's solution ten features have two magnitudes, one for each cause, and they are chosen in
# nearly every draw. The lasso's choice changes from draw to draw, and so do its coefficients.

chosen = {name: np.mean(w[:, :10] != 0) for name, w in found.items()}
spread = {name: np.mean(w[:, :10].std(axis=0)) for name, w in found.items()}
for name, penalty in (("lasso", lasso), ("SLOPE", slope)):
    whole = solve(penalty, np.arange(samples))
    magnitudes = np.unique(np.abs(whole[whole != 0]).round(8))
    print(
        f"{name}: {np.count_nonzero(whole)} features with {magnitudes.size} magnitudes; of the ten "
        f"{chosen[name]:.0%} are chosen in a draw, and a coefficient varies by {spread[name]:.2f}"
    )
