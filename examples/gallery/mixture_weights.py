"""
Mixture weights on the simplex
==============================

What are the shares in a mixture whose components are known? Shares are not negative and add up to
one: they lie on the simplex, which is a regularizer like others. Where the likelihood is largest,
most shares are exactly zero, and the usual algorithm, EM, only creeps towards zeros.
"""

# %%
# A thousand measurements from three sources; the candidates are thirty-one.

import matplotlib.pyplot as plt
import numpy as np

import bridle as br

rng = np.random.default_rng(0)
centers = np.linspace(-6, 6, 31)
width = 0.8
sources = rng.choice([-3.2, 0.4, 2.8], size=1000, p=[0.5, 0.3, 0.2])
measured = sources + width * rng.standard_normal(sources.size)


def densities(x):
    """Return the density of each component (columns) at each x."""
    distance = (x[:, None] - centers) / width
    return np.exp(-0.5 * distance**2) / (width * np.sqrt(2 * np.pi))


P = densities(measured)

# %%
# The negative mean log-likelihood is convex in the shares. It is infinite where a density is not
# above zero, which the search for a step must know: points with momentum may leave the simplex.


def value(shares):
    """Return the negative mean log-likelihood."""
    density = P @ shares
    return -np.mean(np.log(density)) if (density > 0).all() else np.inf


def gradient(shares):
    """Return its gradient."""
    return -P.T @ (1 / (P @ shares)) / len(P)


simplex = br.Simplex()
start = np.full(centers.size, 1 / centers.size)
result = br.fista(gradient, simplex, start, value=value, tolerance=1e-7)

# %%
# EM multiplies each share by minus its derivative, as often as ``fista`` has made a step.

shares = start
gaps = []
for _ in range(result.iterations):
    shares = shares * -gradient(shares)
    gaps.append(value(shares) - result.objective)

fig, (left, right) = plt.subplots(1, 2, figsize=(7.5, 3.6), layout="constrained")
grid = np.linspace(-7, 7, 400)
left.hist(measured, bins=50, density=True, color="0.88")
left.plot(grid, densities(grid) @ result.x, color="C0", label="density of the mixture")
kept = result.x > 0
left.vlines(centers[kept], 0, result.x[kept], color="C1", linewidth=2.5, label="shares found")
left.plot([-3.2, 0.4, 2.8], [0.5, 0.3, 0.2], "k_", markersize=10, label="true shares")
left.set(xlabel="measured", ylabel="share, density", ylim=(0, 0.75))
left.legend(frameon=False, loc="upper right", fontsize=9)
right.plot(result.history["objective"] - result.objective, label="fista")
right.plot(gaps, label="EM")
right.set(
    yscale="log", ylim=(1e-10, 1), xlabel="iteration", title="mean log-likelihood below its maximum"
)
right.legend(frameon=False)
plt.show()

# %%
# The solution keeps few of the candidates, next to the true sources, and adds up to one. That no
# shares are better is certain: the distance from the optimality condition is zero but for the
# tolerance. EM is further away after as many iterations, and keeps nearly all components.

distance = simplex.subdifferential_distance(result.x, gradient(result.x))
print(
    f"{np.count_nonzero(result.x)} of {centers.size} shares are not zero, sum {result.x.sum():.12f}"
)
print(f"distance from optimality {distance:.0e}")
for source in (-3.2, 0.4, 2.8):
    near = np.abs(centers - source) < 1.3
    print(f"share around {source}: {result.x[near].sum():.3f}")
print(f"EM: {np.count_nonzero(shares > 0)} shares above zero, {gaps[-1]:.0e} below the maximum")
