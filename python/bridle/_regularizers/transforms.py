"""Regularizers made of one: moved, smoothed, conjugate."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridle._call import as_array, is_real, non_negative, number, real_array, refuse_masked, shown
from bridle._regularizers.base import (
    BaseRegularizer,
    base_of,
    checked,
    checked_convex,
    is_smooth,
    residual,
    scaled,
)
from bridle._regularizers.bounds import Box, NonNegative, NonNegativeL1
from bridle._regularizers.convex import L1, L2, ElasticNet
from bridle._regularizers.derivatives import Numbers, least_factor
from bridle._regularizers.elementwise import ElementwiseRegularizer
from bridle._regularizers.groups import GroupL2, GroupLinf
from bridle._regularizers.parameters import Parameter, read_only
from bridle._regularizers.protocol import Regularizer
from bridle._regularizers.sets import L1Ball, L2Ball, LinfBall
from bridle._regularizers.slices import SliceRegularizer
from bridle._regularizers.vectors import L2Norm, LinfNorm
from bridle._types import Number

__all__ = ["Conjugate", "MoreauEnvelope", "Translated"]

DUALS: dict[type, Any] = {
    L2Norm: L2Ball,
    GroupL2: L2Ball,
    L2Ball: L2Norm,
    LinfNorm: L1Ball,
    GroupLinf: L1Ball,
    L1Ball: LinfNorm,
}


class Translated(BaseRegularizer):
    r"""A regularizer of the distance from a reference, as the weights before fine-tuning.

    .. math:: R(w) = Q(w - r), \quad
        \operatorname{prox}_{\eta R}(w) = r + \operatorname{prox}_{\eta Q}(w - r)

    The reference is what it becomes in the type of the weights; what lies between is computed in
    float64.

    Parameters
    ----------
    regularizer : Regularizer
        :math:`Q`.
    reference : array_like
        :math:`r`, of which a copy is kept; finite numbers.

    See Also
    --------
    L2SP : That of the squares.

    References
    ----------
    .. [1] N. Parikh and S. Boyd, "Proximal algorithms", Found. Trends Optim. 1 (2014).

    Examples
    --------
    >>> import bridle as br
    >>> near_start = br.Translated(br.L1(1.0), [1.0, 2.0])
    >>> near_start.value([1.0, 5.0])
    3.0
    >>> near_start.prox([1.5, 5.0])
    array([1., 4.])
    """

    __match_args__ = ("regularizer", "reference")
    __slots__ = __match_args__
    regularizer: Regularizer
    reference: Parameter

    def __init__(self, regularizer: Regularizer, reference: ArrayLike) -> None:
        self._set(regularizer, reference)

    def _set(self, *given: Any) -> None:
        owner, (regularizer, reference) = type(self).__name__, given
        self._keep(
            regularizer=checked(owner, "regularizer", regularizer),
            reference=_reference(owner, reference),
        )

    @property
    def is_convex(self) -> bool:
        return self.regularizer.is_convex

    @property
    def _is_smooth(self) -> bool:  # type: ignore[override]
        return is_smooth(self.regularizer)

    @property
    def _is_set(self) -> bool:  # type: ignore[override]
        return isinstance(self.regularizer, BaseRegularizer) and self.regularizer._is_set

    def value(self, w: ArrayLike) -> float:
        array = real_array(type(self).__name__, w)
        return self.regularizer.value(self._moved(array).astype(array.dtype))

    def prox(self, w: Any, step: Any = 1.0, out: Any = None) -> Any:
        array = real_array(type(self).__name__, w)
        near = self.regularizer.prox(self._moved(array), step)
        return self._written(array, near + self._reference(array), out)

    def _residual(self, w: NDArray[Any], target: Numbers) -> Numbers:
        return residual(self, self.regularizer, self._moved(w).astype(w.dtype), target)

    def _least_factor(self, gradient: Numbers) -> float:
        if not isinstance(self.regularizer, ElementwiseRegularizer):
            return super()._least_factor(gradient)
        slopes = self.regularizer._fitting_slopes(self._moved(np.zeros(gradient.shape)))
        return least_factor(-gradient, *slopes)

    def _scaled(self, factor: float) -> BaseRegularizer:
        return type(self)(scaled(self.regularizer, factor), self.reference)

    def _moved(self, w: NDArray[Any]) -> Numbers:
        """Return the weights less the reference."""
        shape = np.shape(self.reference)
        try:
            fits = np.broadcast_shapes(w.shape, shape) == w.shape
        except ValueError:
            fits = False
        if not fits:
            raise ValueError(
                f"{type(self).__name__}: reference must broadcast to the shape of the weights, "
                f"{w.shape}, got {shape}"
            )
        moved: Numbers = w.astype(np.float64) - self._reference(w)
        return moved

    def _reference(self, w: NDArray[Any]) -> Numbers:
        """Return the reference as it is in the type of the weights."""
        return np.asarray(self.reference).astype(w.dtype).astype(np.float64)


class MoreauEnvelope(BaseRegularizer):
    r"""A convex regularizer made smooth: with a gradient everywhere, and the same minimizers.

    .. math:: R(w) = \min_z Q(z) + \frac{1}{2 \mu} \|z - w\|_2^2, \quad
        \nabla R(w) = \frac{w - \operatorname{prox}_{\mu Q}(w)}{\mu}

    That of `L1` is `Huber`. The gradient is Lipschitz with constant :math:`1 / \mu`, and

    .. math:: \operatorname{prox}_{\eta R}(w) = w + \frac{\eta}{\mu + \eta}
        (\operatorname{prox}_{(\mu + \eta) Q}(w) - w).

    Parameters
    ----------
    regularizer : Regularizer
        :math:`Q`, convex.
    mu : float
        :math:`\mu > 0`, finite.

    See Also
    --------
    Huber : The envelope of `L1`.

    References
    ----------
    .. [1] J.-J. Moreau, "Proximité et dualité dans un espace hilbertien", Bull. Soc. Math. France
       93 (1965).

    Examples
    --------
    >>> import bridle as br
    >>> smooth = br.MoreauEnvelope(br.L1(1.0), 0.5)
    >>> smooth.value([0.25, -2.0])
    1.8125
    >>> smooth.gradient([0.25, -2.0])
    array([ 0.5, -1. ])
    >>> smooth.prox([0.25, -2.0], 0.5)
    array([ 0.125, -1.5  ])
    """

    __match_args__ = ("regularizer", "mu")
    __slots__ = __match_args__
    is_convex = True
    _is_smooth = True
    regularizer: Regularizer
    mu: float

    def __init__(self, regularizer: Regularizer, mu: Number) -> None:
        self._set(regularizer, mu)

    def _set(self, *given: Any) -> None:
        owner, (regularizer, mu) = type(self).__name__, given
        value = number(owner, "mu", mu)
        if not 0 < value < math.inf:
            raise ValueError(f"{owner}: mu must be > 0 and finite, got {mu}")
        self._keep(regularizer=checked_convex(owner, regularizer), mu=value)

    def value(self, w: ArrayLike) -> float:
        array = real_array(type(self).__name__, w).astype(np.float64)
        near = self.regularizer.prox(array, self.mu)
        way = np.square(near - array).sum()
        return float(self.regularizer.value(near)) + float(way) / (2 * self.mu)

    def prox(self, w: Any, step: Any = 1.0, out: Any = None) -> Any:
        owner = type(self).__name__
        array, eta = real_array(owner, w), non_negative(owner, "step", step)
        wide, reach = array.astype(np.float64), self.mu + eta
        share = eta / reach if reach < math.inf else 1.0
        near = self.regularizer.prox(wide, reach)
        return self._written(array, wide + share * (near - wide), out)

    def _residual(self, w: NDArray[Any], target: Numbers) -> Numbers:
        wide = w.astype(np.float64)
        found: Numbers = target - (wide - self.regularizer.prox(wide, self.mu)) / self.mu
        return found

    def _scaled(self, factor: float) -> BaseRegularizer:
        if factor == 0:
            return super()._scaled(factor)
        return type(self)(scaled(self.regularizer, factor), self.mu / factor)


class Conjugate(BaseRegularizer):
    r"""The convex conjugate of a regularizer; that of a norm is the ball of its dual norm.

    .. math:: R(w) = \sup_z \langle w, z \rangle - Q(z), \quad
        \operatorname{prox}_{\eta R}(w) = w - \eta \operatorname{prox}_{Q / \eta}(w / \eta)

    The proximal operator is that of Moreau's identity, in float64 and rounded once, for a step
    above zero. `value` and derivatives are there where the conjugate has a closed form: of `L1`,
    `L2`, `ElasticNet`, `NonNegative`, `NonNegativeL1`, `L2Norm`, `LinfNorm`, of groups along axes
    without weights, of balls, and of conjugates. For others they are a NotImplementedError.

    Parameters
    ----------
    regularizer : Regularizer
        :math:`Q`, convex.

    See Also
    --------
    MoreauEnvelope : The smooth relative.

    References
    ----------
    .. [1] N. Parikh and S. Boyd, "Proximal algorithms", Found. Trends Optim. 1 (2014).

    Examples
    --------
    >>> import bridle as br
    >>> dual = br.Conjugate(br.L1(1.0))
    >>> dual.value([0.5, -1.0]), dual.value([0.5, -1.5])
    (0.0, inf)
    >>> dual.prox([0.5, -1.5])
    array([ 0.5, -1. ])
    """

    __match_args__ = ("regularizer",)
    __slots__ = ("_closed", "regularizer")
    is_convex = True
    regularizer: Regularizer
    _closed: Regularizer | None
    """The same as another regularizer."""

    def __init__(self, regularizer: Regularizer) -> None:
        self._set(regularizer)

    def _set(self, *given: Any) -> None:
        regularizer = checked_convex(type(self).__name__, *given)
        self._keep(regularizer=regularizer, _closed=_conjugate(regularizer))

    @property
    def _is_smooth(self) -> bool:  # type: ignore[override]
        return self._closed is not None and is_smooth(self._closed)

    def value(self, w: ArrayLike) -> float:
        array = real_array(type(self).__name__, w)
        return self._other().value(array)

    def prox(self, w: Any, step: Any = 1.0, out: Any = None) -> Any:
        owner = type(self).__name__
        array, eta = real_array(owner, w), non_negative(owner, "step", step)
        if self._closed is not None:  # which puts on a border exactly what belongs there
            return self._closed.prox(array, eta, out)
        if not 0 < eta < math.inf:
            raise ValueError(f"{owner}: step must be > 0 and finite, got {step}")
        wide = array.astype(np.float64)
        other = self.regularizer.prox(wide / eta, 1 / eta)
        return self._written(array, wide - eta * other, out)

    def _residual(self, w: NDArray[Any], target: Numbers) -> Numbers:
        return residual(self, self._other(), w, target)

    def _least_factor(self, gradient: Numbers) -> float:
        return base_of(self, self._other())._least_factor(gradient)

    def _other(self) -> Regularizer:
        if self._closed is None:
            name = type(self.regularizer).__name__
            raise self._has_no("value", f"the conjugate of {name} has no closed form")
        return self._closed


def _conjugate(regularizer: Regularizer) -> Regularizer | None:
    """Return the conjugate where it is a regularizer by itself."""
    own = regularizer
    if type(own) is Conjugate:
        return own.regularizer
    if type(own) is L1:
        return Box(np.negative(own.strength), own.strength)
    if type(own) is L2 and np.all(np.greater(own.strength, 0)):
        return L2(np.divide(0.25, own.strength))
    if type(own) is ElasticNet and isinstance(own.l2, float) and own.l2 > 0:
        # That of a sum with squares is the envelope of the conjugate.
        return MoreauEnvelope(Box(np.negative(own.l1), own.l1), 2 * own.l2)
    if type(own) is NonNegative:
        return Box(-math.inf, 0.0)
    if type(own) is NonNegativeL1:
        return Box(-math.inf, own.strength)
    return _dual(own)


def _dual(own: Regularizer) -> Regularizer | None:
    """Return the dual ball of a norm of vectors, or the norm of a ball."""
    if type(own) is LinfBall:
        return L1(own.radius)
    if not isinstance(own, SliceRegularizer) or type(own) not in DUALS:
        return None
    params = own._parameters()
    size, axis = (params.pop(name) for name in (*own.__match_args__, "axis"))
    is_plain = all(value is None for value in params.values())
    dual: Regularizer = DUALS[type(own)](size, axis=axis)
    return dual if is_plain else None


def _reference(owner: str, value: Any) -> Parameter:
    """Return a reference as one number, or as an array of numbers that nobody can change."""
    refuse_masked(owner, "reference", value)
    array = as_array(value)
    if not is_real(array):
        raise TypeError(f"{owner}: reference must be real numbers, got {shown(value)}")
    if not np.isfinite(array).all():
        raise ValueError(f"{owner}: reference must be finite, got {shown(value)}")
    return read_only(array, np.float64) if array.ndim else float(array)
