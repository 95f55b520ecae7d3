"""Problems of the lasso, and how each library is asked for its path."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from bench.peers.paths import WORDS
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import linalg
from sklearn.linear_model import lasso_path

import bridle as br
import bridle.sklearn

Numbers = NDArray[np.float64]


class Lasso:
    """Samples, targets, and falling strengths from the least with which all is zero."""

    def __init__(self, samples: Any, weights: Numbers, strengths: int, ratio: float) -> None:
        self.samples = samples
        noise = np.random.default_rng(4).standard_normal(samples.shape[0])
        y = samples @ weights
        self.y: Numbers = y + 0.5 * np.std(y) * noise
        most = float(np.abs(samples.T @ self.y).max()) / len(y)
        self.strengths: Numbers = most * np.geomspace(1, ratio, strengths)

    def objectives(self, coefficients: Numbers) -> Numbers:
        """Return the objective of each strength."""
        pairs = zip(coefficients, self.strengths, strict=True)
        return np.array(
            [
                np.square(self.y - self.samples @ w).mean() / 2 + strength * np.abs(w).sum()
                for w, strength in pairs
            ]
        )

    def limit(self) -> None:
        for _ in self.strengths:
            self.samples.T @ self.y

    def bridle(self) -> Numbers:
        path = br.sklearn.regularization_path(
            self.samples, self.y, br.L1(1.0), strengths=self.strengths, fit_intercept=False
        )
        return np.asarray(path.coefficients)

    def scikit_learn(self) -> Numbers:
        return np.asarray(lasso_path(self.samples, self.y, alphas=self.strengths, tol=1e-6)[1].T)

    def skglm(self) -> Numbers:
        from skglm.datafits import Quadratic
        from skglm.penalties import L1
        from skglm.solvers import AndersonCD

        solver = AndersonCD(tol=1e-6 * self.strengths[0], fit_intercept=False, warm_start=True)
        with warnings.catch_warnings(action="ignore"):
            path = solver.path(self.samples, self.y, Quadratic(), L1(1.0), self.strengths)
        return np.asarray(path[1].T)

    def pyproximal(self) -> Numbers:
        """FISTA with the step that the largest singular value allows, each from the one before."""
        import pylops
        import pyproximal

        root = np.sqrt(len(self.y))
        loss = pyproximal.L2(Op=pylops.MatrixMult(self.samples / root), b=self.y / root)
        step = 1 / np.linalg.norm(self.samples / root, 2) ** 2
        found, w = [], np.zeros(self.samples.shape[1])
        for strength in self.strengths:
            w = pyproximal.optimization.primal.ProximalGradient(
                loss,
                pyproximal.L1(sigma=strength),
                w,
                tau=step,
                niter=10_000,
                acceleration="fista",
                tol=1e-9,
            )
            found.append(w)
        return np.array(found)


class Dense(Lasso):
    """Features that are correlated with their neighbours, a twentieth of which matter."""

    def __init__(self, samples: int, features: int, strengths: int) -> None:
        rng = np.random.default_rng(3)
        numbers = np.asfortranarray(rng.standard_normal((samples, features)))
        for j in range(1, features):
            numbers[:, j] *= 0.75**0.5
            numbers[:, j] += 0.5 * numbers[:, j - 1]
        super().__init__(numbers, _few(rng, features, features // 20), strengths, 1e-3)


class Sparse(Lasso):
    """Words of texts as frequent as Zipf found them; rare ones weigh more."""

    def __init__(self, samples: int, features: int, strengths: int) -> None:
        rng = np.random.default_rng(3)
        frequency = 1 / np.arange(1, features + 1)
        chosen = rng.choice(features, WORDS * samples, p=frequency / frequency.sum())
        words = chosen.astype(np.int32)
        texts = np.repeat(np.arange(samples, dtype=np.int32), WORDS)
        counts = sparse.csc_matrix((np.ones(words.size), (texts, words)), (samples, features))
        uses = np.diff(counts.indptr)
        rarity = np.log(samples / np.maximum(uses, 1)) + 1
        counts.data = (1 + np.log(counts.data)) * np.repeat(rarity, uses)
        lengths = linalg.norm(counts, axis=1)
        numbers = sparse.csc_matrix(counts.multiply(1 / lengths[:, np.newaxis]))
        super().__init__(numbers, _few(rng, features, features // 50), strengths, 1e-2)


def _few(rng: np.random.Generator, features: int, count: int) -> Numbers:
    weights = np.zeros(features)
    count = max(count, 1)
    weights[rng.choice(features, count, replace=False)] = rng.standard_normal(count)
    return weights
