"""Problems to solve, what they must satisfy at a solution, and another way to find it."""

from dataclasses import dataclass

import numpy as np

import bridle as br

SOLVERS = (br.fista, br.proximal_gradient)


@dataclass
class LeastSquares:
    """Half the squared distance of ``design @ w`` from ``y``, and how often it was asked for."""

    design: np.ndarray
    y: np.ndarray
    gradients: int = 0
    values: int = 0

    def gradient(self, w):
        self.gradients += 1
        return self.design.T @ (self.design @ w - self.y)

    def value(self, w):
        self.values += 1
        return 0.5 * np.sum((self.design @ w - self.y) ** 2)

    @property
    def start(self):
        return np.zeros(self.design.shape[1], self.design.dtype)

    @property
    def lipschitz(self):
        return np.linalg.norm(self.design.astype(float), 2) ** 2


def least_squares(samples=60, features=20, *, spread=1.0, dtype=np.float64):
    """Return a problem some of whose features are scaled down by up to ``spread``."""
    rng = np.random.default_rng(3)
    design = rng.standard_normal((samples, features)) / np.geomspace(1, spread, features)
    w = rng.standard_normal(features) * (np.arange(features) % 3 == 0)
    y = design @ w + 0.1 * rng.standard_normal(samples)
    return LeastSquares(design.astype(dtype), y.astype(dtype))


def logistic(samples=80, features=15):
    """Return gradient and value of the logistic loss."""
    rng = np.random.default_rng(4)
    design = 3 * rng.standard_normal((samples, features))
    y = np.sign(design[:, 0] - design[:, 1] + rng.standard_normal(samples))

    def gradient(w):
        return -design.T @ (y / (1 + np.exp(y * (design @ w))))

    return gradient, lambda w: np.logaddexp(0, -y * (design @ w)).sum()


def by_coordinates(problem, l1, l2=0.0, sweeps=20_000):
    """Solve the elastic net by coordinate descent: l1·Σ|w| + l2·Σw²."""
    design, w = problem.design, problem.start
    squares, residual = (design**2).sum(axis=0), problem.y.copy()
    for _ in range(sweeps):
        before = w.copy()
        for j in range(len(w)):
            residual += design[:, j] * w[j]
            z = design[:, j] @ residual
            w[j] = np.sign(z) * max(abs(z) - l1, 0) / (squares[j] + 2 * l2)
            residual -= design[:, j] * w[j]
        if np.abs(w - before).max() <= 1e-14:
            break
    return w


def stationarity(gradient, regularizer, x, step):
    """Return how far a point is from one that a short step does not move."""
    moved = regularizer.prox(x - step * gradient(x), step)
    return np.linalg.norm(moved - x) / step


class Groups:
    """A user's own class: norms of consecutive groups of five."""

    is_convex = True

    def __init__(self, strength):
        self.strength = strength

    def value(self, w):
        return self.strength * np.linalg.norm(w.reshape(-1, 5), axis=1).sum()

    def prox(self, w, step=1.0, out=None):
        norms = np.linalg.norm(w.reshape(-1, 5), axis=1, keepdims=True)
        kept = np.maximum(1 - step * self.strength / np.maximum(norms, 1e-300), 0)
        return (w.reshape(-1, 5) * kept).ravel()  # a new array each time
