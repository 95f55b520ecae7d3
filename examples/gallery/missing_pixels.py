"""
Filling in missing entries
==========================

Half of the pixels of a set of pictures are lost. Pictures of the same kind look alike, so the table
of all of them, a row for each, is nearly of low rank: the nuclear norm finds the table of least
rank, more or less, that agrees with what is known.
"""

# %%
# Four hundred of scikit-learn's digits, 64 pixels each; every pixel is known with probability one
# half. A tenth of the known ones are held out to choose the strength.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import bridle as br

rng = np.random.default_rng(0)
pictures = load_digits().data[:400] / 16
is_known = rng.random(pictures.shape) < 0.5
is_held_out = is_known & (rng.random(pictures.shape) < 0.1)
is_used = is_known & ~is_held_out
middle = np.where(is_used, pictures, 0).sum(axis=0) / np.maximum(is_used.sum(axis=0), 1)
centred = pictures - middle

# %%
# Half the squared distance from the known entries, plus the nuclear norm. Its proximal operator
# shrinks the singular values. From strong to weak, each from the solution before.


def value(w):
    """Return half the squared distance from the entries that are used."""
    return 0.5 * np.sum(np.where(is_used, w - centred, 0) ** 2)


def gradient(w):
    """Return its gradient."""
    return np.where(is_used, w - centred, 0)


def error(w, where):
    """Return the root of the mean squared distance from the true pixels."""
    return np.sqrt(np.mean((w - centred)[where] ** 2))


nothing = np.zeros_like(pictures)
strengths = br.Nuclear(1.0).lambda_max(gradient(nothing)) * np.geomspace(1.0, 0.03, 10)
w, path = nothing, []
for strength in strengths:
    w = br.fista(gradient, br.Nuclear(strength), w, value=value, tolerance=1e-3).x
    path.append(w)
held_out = [error(w, is_held_out) for w in path]
best = int(np.argmin(held_out))
ranks = [np.count_nonzero(np.linalg.svd(w, compute_uv=False) > 1e-9) for w in path]

# %%
# What was lost, and what is put in its place.

fig, axes = plt.subplots(3, 8, figsize=(8, 3.6), layout="constrained")
filled = np.where(is_used, pictures, middle + path[best])
holes = np.where(is_used, pictures, np.nan)
for row, (name, table) in enumerate({"true": pictures, "known": holes, "filled": filled}.items()):
    for column, ax in enumerate(axes[row]):
        picture = table[10 + column].reshape(8, 8)
        ax.imshow(picture, cmap="gray_r", vmin=0, vmax=1)
        ax.set_facecolor("#e8c9a0")  # seen where nothing is known
        ax.set(xticks=[], yticks=[])
    axes[row, 0].set_ylabel(name)
plt.show()

# %%
# The mean of each pixel is wrong by its spread. The nuclear norm takes a quarter of that away; its
# strength is chosen by pixels that are known, and is right for those that are not.

lost = ~is_known
chosen = error(path[best], lost)
print(f"mean of the pixel: wrong by {error(nothing, lost):.3f}")
print(f"nuclear norm of strength {strengths[best]:.2f}: {chosen:.3f}, of rank {ranks[best]}")
print(f"best of all strengths, which nobody knows: {min(error(w, lost) for w in path):.3f}")
