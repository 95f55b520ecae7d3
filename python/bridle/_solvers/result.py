"""What a solver returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False, repr=False)
class FistaResult:
    """What `fista` and `proximal_gradient` have found, and how they came there.

    Attributes
    ----------
    x : ndarray
        The last point, of the shape of ``x0``.
    converged : bool
        Whether the residual came down to the tolerance.
    iterations : int
        Number of iterations that were made.
    step : float
        The last step.
    objective : float or None
        The function and the regularizer at ``x``; None if ``value`` was not given.
    history : mapping of str to ndarray
        Arrays of float64 with a number for each iteration: ``residual``, ``step`` and
        ``objective``, which is NaN if ``value`` was not given.

    See Also
    --------
    fista, proximal_gradient : The functions that return it.

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> result = br.fista(lambda x: x - 3, br.NonNegative(), np.zeros(2), step=1.0)
    >>> result
    FistaResult(converged=True, iterations=2, step=1.0, objective=None, x=float64 of shape (2,))
    >>> result.history["residual"].round(3)
    array([4.243, 0.   ])
    """

    x: NDArray[np.floating[Any]]
    converged: bool
    iterations: int
    step: float
    objective: float | None
    history: Mapping[str, NDArray[np.float64]]

    def __repr__(self) -> str:
        names = ("converged", "iterations", "step", "objective")
        told = [f"{name}={getattr(self, name)!r}" for name in names]
        return f"FistaResult({', '.join(told)}, x={self.x.dtype} of shape {self.x.shape})"
