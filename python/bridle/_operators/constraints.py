"""Constraints on the norms of weights along axes, as those of Keras."""

from __future__ import annotations

from typing import Any, overload

from numpy.typing import ArrayLike, NDArray

from bridle import _slices as slices
from bridle._operators.documentation import shares_documentation
from bridle._types import Axis, FloatArray, Number, Out

__all__ = ["max_norm", "min_max_norm", "unit_norm"]


@overload
def max_norm(w: ArrayLike, max_value: Number = 2.0, *, axis: Axis = 0, out: Out) -> Out: ...
@overload
def max_norm(
    w: FloatArray, max_value: Number = 2.0, *, axis: Axis = 0, out: None = None
) -> FloatArray: ...
@overload
def max_norm(
    w: ArrayLike, max_value: Number = 2.0, *, axis: Axis = 0, out: None = None
) -> NDArray[Any]: ...
@shares_documentation
def max_norm(
    w: ArrayLike, max_value: Number = 2.0, *, axis: Axis = 0, out: NDArray[Any] | None = None
) -> Any:
    r"""Shorten weights along axes to a largest norm.

    .. math:: y = w \min\left(\frac{m}{\|w\|_2},\, 1\right)

    This is ``keras.constraints.MaxNorm``, without the small number that is added to the norm there:
    norms end at ``max_value``, and weights whose norm is smaller keep every bit.

    Parameters
    ----------
    w : array_like
        Weights.
    max_value : float, default 2.0
        :math:`m \ge 0`.
    [norms]
    [slices out]

    Returns
    -------
    [projection]

    Raises
    ------
    [slices raises]

    See Also
    --------
    project_l2_ball : The same under the name of the set.
    unit_norm, min_max_norm : Other constraints on norms.

    References
    ----------
    .. [1] N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever and R. Salakhutdinov, "Dropout: a
       simple way to prevent neural networks from overfitting", J. Mach. Learn. Res. 15 (2014).

    Examples
    --------
    >>> import bridle as br
    >>> br.max_norm([[3.0, 0.3], [4.0, 0.4]])
    array([[1.2, 0.3],
           [1.6, 0.4]])
    """
    return slices.apply("max_norm", w, (max_value,), out, axis=axis)


@overload
def unit_norm(w: ArrayLike, *, axis: Axis = 0, out: Out) -> Out: ...
@overload
def unit_norm(w: FloatArray, *, axis: Axis = 0, out: None = None) -> FloatArray: ...
@overload
def unit_norm(w: ArrayLike, *, axis: Axis = 0, out: None = None) -> NDArray[Any]: ...
@shares_documentation
def unit_norm(w: ArrayLike, *, axis: Axis = 0, out: NDArray[Any] | None = None) -> Any:
    r"""Bring weights along axes to norm 1.

    .. math:: y = \frac{w}{\|w\|_2}, \text{ and } 0 \text{ if } w = 0

    This is ``keras.constraints.UnitNorm``, without the small number that is added to the norm
    there.

    Parameters
    ----------
    w : array_like
        Weights.
    [norms]
    [slices out]

    Returns
    -------
    [projection]

    Raises
    ------
    [slices raises]

    See Also
    --------
    max_norm, min_max_norm : Other constraints on norms.

    References
    ----------
    .. [1] T. Salimans and D. P. Kingma, "Weight normalization: a simple reparameterization to
       accelerate training of deep neural networks", NeurIPS 2016.

    Examples
    --------
    >>> import bridle as br
    >>> br.unit_norm([[3.0, 0.0], [4.0, 0.0]])
    array([[0.6, 0. ],
           [0.8, 0. ]])
    """
    return slices.apply("unit_norm", w, (), out, axis=axis)


@overload
def min_max_norm(
    w: ArrayLike,
    min_value: Number = 0.0,
    max_value: Number = 1.0,
    rate: Number = 1.0,
    *,
    axis: Axis = 0,
    out: Out,
) -> Out: ...
@overload
def min_max_norm(
    w: FloatArray,
    min_value: Number = 0.0,
    max_value: Number = 1.0,
    rate: Number = 1.0,
    *,
    axis: Axis = 0,
    out: None = None,
) -> FloatArray: ...
@overload
def min_max_norm(
    w: ArrayLike,
    min_value: Number = 0.0,
    max_value: Number = 1.0,
    rate: Number = 1.0,
    *,
    axis: Axis = 0,
    out: None = None,
) -> NDArray[Any]: ...
@shares_documentation
def min_max_norm(
    w: ArrayLike,
    min_value: Number = 0.0,
    max_value: Number = 1.0,
    rate: Number = 1.0,
    *,
    axis: Axis = 0,
    out: NDArray[Any] | None = None,
) -> Any:
    r"""Bring norms of weights along axes between two bounds, or part of the way.

    .. math::

        y = \frac{w}{\|w\|_2} \left(\rho \min(\max(\|w\|_2, l), u) + (1 - \rho) \|w\|_2\right),
        \text{ and } 0 \text{ if } w = 0

    This is ``keras.constraints.MinMaxNorm``, without the small number that is added to the norm
    there.

    Parameters
    ----------
    w : array_like
        Weights.
    min_value, max_value : float, default 0.0 and 1.0
        :math:`0 \le l \le u`.
    rate : float, default 1.0
        :math:`0 \le \rho \le 1`: how far norms outside the bounds move to the nearest bound.
    [norms]
    [slices out]

    Returns
    -------
    [projection]

    Raises
    ------
    [slices raises]

    See Also
    --------
    max_norm, unit_norm : Other constraints on norms.

    References
    ----------
    .. [1] N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever and R. Salakhutdinov, "Dropout: a
       simple way to prevent neural networks from overfitting", J. Mach. Learn. Res. 15 (2014).

    Examples
    --------
    >>> import bridle as br
    >>> br.min_max_norm([[3.0, 0.3], [4.0, 0.4]], 1.0, 2.0)
    array([[1.2, 0.6],
           [1.6, 0.8]])
    """
    return slices.apply("min_max_norm", w, (min_value, max_value, rate), out, axis=axis)
