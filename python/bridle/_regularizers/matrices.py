"""Regularizers of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridle import _singular_values
from bridle._call import non_negative, product
from bridle._lazy import refuse as refuse_lazy
from bridle._regularizers.base import BaseRegularizer
from bridle._regularizers.derivatives import Numbers, ratio
from bridle._types import Number

__all__ = ["Nuclear"]


class Nuclear(BaseRegularizer):
    r"""Sum of the singular values of matrices: their rank falls.

    .. math:: R(W) = \lambda \|W\|_* = \lambda \sum_i \sigma_i(W)

    Weights are a matrix, or a stack of matrices along the last two axes, whose values are added.

    Parameters
    ----------
    strength : float
        :math:`\lambda \ge 0`.

    See Also
    --------
    prox_nuclear, nuclear_penalty : The functions.

    References
    ----------
    .. [1] B. Recht, M. Fazel and P. A. Parrilo, "Guaranteed minimum-rank solutions of linear
       matrix equations via nuclear norm minimization", SIAM Rev. 52 (2010).

    Examples
    --------
    >>> import bridle as br
    >>> nuclear = br.Nuclear(1.0)
    >>> nuclear.value([[3.0, 0.0], [0.0, -0.5]])
    3.5
    >>> nuclear.prox([[3.0, 0.0], [0.0, 0.5]])
    array([[2., 0.],
           [0., 0.]])
    """

    __match_args__ = ("strength",)
    __slots__ = __match_args__
    is_convex = True
    strength: float

    def __init__(self, strength: Number) -> None:
        self._set(strength)

    def _set(self, *given: Any) -> None:
        (strength,) = given
        self._keep(strength=non_negative(type(self).__name__, "strength", strength))

    def value(self, w: ArrayLike) -> float:
        owner = type(self).__name__
        refuse_lazy(owner, "w", w)
        return float(_singular_values.total(owner, w, self.strength))

    def prox(self, w: Any, step: Any = 1.0, out: Any = None) -> Any:
        owner = type(self).__name__
        threshold = product(self.strength, non_negative(owner, "step", step))
        return _singular_values.shrunk(owner, w, threshold, out)

    def _residual(self, w: NDArray[Any], target: Numbers) -> Numbers:
        """Known in the spaces of W's singular vectors, free in their complements, in a ball."""
        owner = type(self).__name__
        wide = _singular_values.matrices_of(owner, "w", w).astype(np.float64)
        if wide.size == 0 or not np.isfinite(wide).all():
            return np.full(wide.shape, np.nan)  # nobody knows the singular vectors
        u, values, v = np.linalg.svd(wide, full_matrices=False)
        rounding = max(w.shape[-2:]) * float(np.spacing(np.ones((), w.dtype)))
        kept = values > rounding * values[..., :1]  # what is less is no direction but an error
        u, v = u * kept[..., np.newaxis, :], v * kept[..., np.newaxis]
        rest = target - u @ (u.mT @ target)
        complement = rest - (rest @ v.mT) @ v
        free = _singular_values.shrunk(owner, complement, self.strength, None)
        found: Numbers = target - self.strength * (u @ v) - (complement - free)
        return found

    def _least_factor(self, gradient: Numbers) -> float:
        matrices = _singular_values.matrices_of(type(self).__name__, "gradient", gradient)
        largest = np.abs(matrices).max(initial=0)
        if 0 < largest < np.inf:
            largest *= np.linalg.svd(matrices / largest, compute_uv=False).max()
        return float(ratio(largest, self.strength))

    def _scaled(self, factor: float) -> BaseRegularizer:
        return self._with(strength=self.strength * factor)
