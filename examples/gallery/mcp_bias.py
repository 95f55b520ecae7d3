"""
Sparse without shrinking
========================

The lasso pays for its zeros: what it keeps becomes too small, by about the strength. MCP costs no
more for a large coefficient than for a middling one, so that large ones are not shrunk.
"""

# %%
# Ten of two hundred features matter.

import matplotlib.pyplot as plt
import numpy as np

import bridle as br

rng = np.random.default_rng(0)
samples, features, important = 150, 200, 10
truth = np.zeros(features)
truth[:important] = rng.choice([-1, 1], important) * np.linspace(1.0, 3.0, important)
X = rng.standard_normal((samples, features))
y = X @ truth + rng.standard_normal(samples)

# %%
# MCP has the slope of the lasso's penalty at zero, and is flat from ``gamma * strength`` on. It is
# not convex, so ``fista`` is given the value as well and takes only steps that lower the objective;
# where it ends depends on where it starts, and the lasso's solution is a good place.


def value(w):
    """Return half the mean squared error."""
    return 0.5 * np.mean((X @ w - y) ** 2)


def gradient(w):
    """Return its gradient."""
    return X.T @ (X @ w - y) / samples


strengths = np.geomspace(1.0, 0.05, 40)
found = {"lasso": [], "MCP": []}
w = np.zeros(features)
for strength in strengths:
    w = br.fista(gradient, br.L1(strength), w, value=value, tolerance=1e-6).x
    mcp = br.fista(gradient, br.MCP(strength, gamma=3.0), w, value=value, tolerance=1e-6).x
    found["lasso"].append(w)
    found["MCP"].append(mcp)

# %%
# Whoever knew which features matter would do least squares with these alone.

oracle = np.zeros(features)
oracle[:important] = np.linalg.lstsq(X[:, :important], y)[0]


def error(w):
    """Return the distance from the truth."""
    return np.linalg.norm(w - truth)


errors = {name: [error(w) for w in solutions] for name, solutions in found.items()}
middle = 20
strength = strengths[middle]

fig, (left, right) = plt.subplots(1, 2, figsize=(7.5, 3.6), layout="constrained")
sizes = np.abs(oracle[:important])
left.axhline(-strength, color="0.5", linestyle=":", label="minus the strength")
for name, marker in (("lasso", "o"), ("MCP", "s")):
    left.plot(sizes, np.abs(found[name][middle][:important]) - sizes, marker, label=name)
    right.plot(strengths, errors[name], label=name)
left.set(xlabel="size by least squares", ylabel="size of the estimate, less that")
left.set(title=f"the features that matter, strength {strength:.2f}", ylim=(-0.7, 0.1))
left.legend(frameon=False, loc="lower left")
right.axhline(error(oracle), color="0.5", linestyle="--", label="features known")
right.set(xscale="log", xlabel="strength", ylim=(0, 4), title="distance from the truth")
right.legend(frameon=False)
plt.show()

# %%
# Over a wide range of strengths MCP finds exactly what least squares would find if the features
# were known. The lasso is at its best where it has many features too many, and is further from the
# truth even there.

same = [
    s for s, w in zip(strengths, found["MCP"], strict=True) if np.allclose(w, oracle, atol=1e-4)
]
best = found["lasso"][np.argmin(errors["lasso"])]
shrunk = np.mean(np.abs(found["lasso"][middle][:important]) - np.abs(oracle[:important]))
print(f"at strength {strength:.2f} the lasso's coefficients are {-shrunk:.2f} too small on average")
print(f"MCP is least squares of the right features from strength {same[-1]:.2f} to {same[0]:.2f}")
print(f"its distance from the truth is {error(oracle):.2f} there")
print(f"the lasso's is {error(best):.2f} at best, with {np.count_nonzero(best)} features")
