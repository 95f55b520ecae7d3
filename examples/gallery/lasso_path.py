"""
The path of the lasso
=====================

How the coefficients of the lasso come in, one after another, as the penalty falls: which of ten
measurements tell how diabetes goes on?
"""

# %%
# The data come with scikit-learn: age, sex, body mass index, blood pressure and six blood values of
# 442 patients, and how far the disease had gone a year later. Each measurement has mean 0 and
# variance 1 here, so that one strength is fair to all of them.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes

import bridle as br

data = load_diabetes(scaled=False)
X = (data.data - data.data.mean(0)) / data.data.std(0)
y = data.target - data.target.mean()
names = data.feature_names

# %%
# The lasso minimizes half the mean squared error plus ``br.L1(strength)``. From ``lambda_max`` on,
# all coefficients are zero, so that is where the path begins; each further solution starts from the
# one before it.


def gradient(w):
    """Return the gradient of half the mean squared error."""
    return X.T @ (X @ w - y) / len(y)


w = np.zeros(X.shape[1])
strongest = br.L1(1.0).lambda_max(gradient(w))
strengths = np.geomspace(strongest, strongest / 1000, 100)
path = []
for strength in strengths:
    w = br.fista(gradient, br.L1(strength), w).x
    path.append(w)
path = np.array(path)

# %%
# Zeros are exact, so the place where a measurement enters can be read off: its first coefficient
# that is not zero.

entered = np.argmax(path != 0, axis=0)
order = np.argsort(entered)
explained = 1 - np.sum((y[:, None] - X @ path.T) ** 2, axis=0) / np.sum(y**2)
sizes = np.abs(path).sum(axis=1)

fig, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
ax.axhline(0, color="0.7", linewidth=0.8)
height = -np.inf
for j in np.argsort(path[-1]):
    (line,) = ax.plot(strengths, path[:, j])
    height = max(path[-1, j], height + 2.6)  # labels side by side, not on each other
    ax.annotate(
        names[j],
        (strengths[-1], height),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        color=line.get_color(),
    )
ax.set(xscale="log", xlabel="strength", ylabel="coefficient, for one standard deviation")
ax.set_xlim(strengths[0], strengths[-1])
ax.set_title("The lasso on the diabetes data")
plt.show()

# %%
# Four measurements, of which body mass index and the blood value ``s5`` come first, explain most of
# what all ten do. At the end two blood values that are nearly the same, ``s1`` and ``s2``, run
# apart and cancel each other: coefficients grow, and hardly anything is gained. That is why the
# size of a coefficient without a penalty tells little.

four = np.flatnonzero(np.count_nonzero(path, axis=1) == 4)[-1]
late = np.flatnonzero(path[:, names.index("s2")])[0]
print("in the order of entry:", *(names[j] for j in order))
print(f"the first four explain {explained[four]:.0%} of the variance, all ten {explained[-1]:.0%}")
print(
    f"once s2 has come in, the sum of magnitudes grows from {sizes[late]:.0f} to {sizes[-1]:.0f}, "
    f"the variance explained from {explained[late]:.1%} to {explained[-1]:.1%}"
)
print(f"s1 and s2 have a correlation of {np.corrcoef(X[:, 4], X[:, 5])[0, 1]:.2f}")
