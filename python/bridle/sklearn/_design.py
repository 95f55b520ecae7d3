"""A matrix of samples by features as a linear map, its columns centered without a copy of it."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray
from scipy import sparse
from sklearn.utils.sparsefuncs import mean_variance_axis

from bridle._solvers.descent import dot, square

Array = NDArray[np.floating[Any]]
BLOCK, BLOCK_OF_PRODUCTS = 2**16, 2**21
"""Number of elements of a dense matrix that are copied together."""
FEWEST, MOST, CLOSE = 10, 60, 1e-2
"""How many steps the largest eigenvalue takes, and how close it has to be."""


class Design:
    """Samples, dense or sparse, which are never changed, of weights whose sum is 1.

    Predictions are those of the columns less their means, if they are centered.
    """

    def __init__(self, samples: Any, weights: Array, *, is_centered: bool) -> None:
        self.samples, self.weights = samples, weights
        self.means: Array | None
        with np.errstate(over="ignore", invalid="ignore"):  # sizes tell
            means, variances = _moments(samples, weights, is_centered=is_centered)
            sizes = _sizes(means, variances)
        self.means = means if is_centered else None
        self.largest_size = float(sizes.max(initial=0))
        self.sizes = _powers_of_two(sizes)
        """About how large the numbers of each column are: powers of two, 1 of zeros."""

    def restricted(self, features: NDArray[np.intp]) -> Design:
        """Return the same samples with some of the features, in a copy of those."""
        part = copy.copy(self)
        part.samples, part.sizes = self.samples[:, features], self.sizes[features]
        part.means = None if self.means is None else self.means[features]
        return part

    def products(self) -> Array:
        """Return the weighted scalar products of all columns with all."""
        samples, weights = self.samples, self.weights
        if sparse.issparse(samples):
            found: Array = (samples.T @ samples.multiply(weights[:, None])).toarray()
            return found if self.means is None else found - np.outer(self.means, self.means)
        products: Array = np.zeros((samples.shape[1],) * 2, samples.dtype)
        for part in _row_blocks(samples, BLOCK_OF_PRODUCTS):
            rows = samples[part] if self.means is None else samples[part] - self.means
            products += rows.T @ (rows * weights[part, None])
        return products

    def times(self, coef: Array) -> Array:
        """Return the predictions, samples first, of coefficients, features last."""
        predictions: Array = self.samples @ coef.T
        if self.means is not None:
            predictions -= coef @ self.means
        return predictions

    def transposed_times(self, slopes: Array) -> Array:
        """Return sums over the samples, of slopes as the predictions, as coefficients."""
        weighted = (slopes.T * self.weights).T
        sums: Array = (self.samples.T @ weighted).T
        if self.means is not None:
            sums -= weighted.sum(axis=0)[..., None] * self.means
        return sums

    def largest_square(self, scale: Array | None) -> float:
        """Return the square of the largest singular value of the columns times a scale."""
        factor: Any = 1.0 if scale is None else scale

        def squared(x: Array) -> Array:
            return np.asarray(self.transposed_times(self.times(x * factor)) * factor)

        return largest_eigenvalue(squared, np.empty(self.samples.shape[1], self.weights.dtype))


def largest_eigenvalue(apply: Callable[[Array], Array], like: Array) -> float:
    """Return that of a symmetric map of such vectors, by steps of Lanczos, with the error added."""
    start = np.random.default_rng(0).standard_normal(like.size).astype(like.dtype)
    vector, before = start / math.sqrt(square(start)), np.zeros_like(start)
    diagonal: list[float] = []
    beside: list[float] = []
    while True:
        following = apply(vector)
        diagonal.append(dot(following, vector))
        following -= diagonal[-1] * vector + (beside[-1] if beside else 0) * before
        length = math.sqrt(square(following))
        values, vectors = np.linalg.eigh(np.diag(diagonal) + np.diag(beside, -1))
        error = length * abs(float(vectors[-1, -1]))
        largest = float(values[-1])
        # Of few dimensions the start may be close to another eigenvector.
        is_close = error <= CLOSE * largest and len(diagonal) >= FEWEST
        if is_close or len(diagonal) == min(MOST, start.size) or length == 0:
            return largest + error
        beside.append(length)
        before, vector = vector, following / length


def _moments(samples: Any, weights: Array, *, is_centered: bool) -> tuple[Array, Array]:
    """Return the means of the columns, and the mean squares of distances from them or from 0."""
    if sparse.issparse(samples):
        means, variances = mean_variance_axis(samples, 0, weights=weights)
        return (means, variances) if is_centered else (means, variances + means**2)
    means = weights @ samples
    variances = np.zeros_like(means)
    for part in _row_blocks(samples, BLOCK):
        distances = samples[part] - means if is_centered else samples[part].copy()
        distances *= distances
        variances += weights[part] @ distances
    return means, variances


def _row_blocks(samples: NDArray[Any], size: int) -> Iterator[slice]:
    rows = max(1, size // max(1, samples.shape[1]))
    return (slice(begin, begin + rows) for begin in range(0, len(samples), rows))


def _sizes(means: Array, variances: Array) -> Array:
    # What is left of a constant column is rounding, below zero even, which is no size.
    sizes, levels = np.sqrt(np.maximum(variances, 0)), np.abs(means)
    return np.where(sizes <= 100 * np.finfo(means.dtype).eps * levels, levels, sizes)


def _powers_of_two(sizes: Array) -> Array:
    """Return the nearest, or those whose squares are within the range; 1 for zeros."""
    most = math.log2(largest_size_of(sizes.dtype))
    with np.errstate(divide="ignore"):
        powers = np.where(sizes > 0, np.rint(np.log2(sizes)).clip(-most, most), 0)
    return np.exp2(powers.astype(sizes.dtype))


def largest_size_of(dtype: DTypeLike) -> float:
    """Return how large numbers may be so that sums of their squares are within the range."""
    return 2.0 ** (np.finfo(dtype).maxexp // 2 - 12)
