"""Noise beside dropout's zeros: alpha dropout and Gaussian noise, from the same random numbers."""

from __future__ import annotations

import math
from typing import Any, SupportsIndex, Unpack, overload

from numpy.typing import ArrayLike, NDArray

from bridle import _core
from bridle._call import number, real_array
from bridle._containers import like
from bridle._dropout.noise import (
    Block,
    NoiseKeywords,
    NoiseShape,
    apply,
    probability,
    random_noise,
)
from bridle._types import Float, Out

__all__ = ["alpha_dropout", "gaussian_dropout", "gaussian_noise"]

# Where SELU saturates: minus its scale times its alpha.
SATURATION = -1.7580993408473766


@overload
def alpha_dropout(x: ArrayLike, p: float, *, out: Out, **noise: Unpack[NoiseKeywords]) -> Out: ...
@overload
def alpha_dropout(
    x: NDArray[Float], p: float, *, out: None = None, **noise: Unpack[NoiseKeywords]
) -> NDArray[Float]: ...
@overload
def alpha_dropout(
    x: Float, p: float, *, out: None = None, **noise: Unpack[NoiseKeywords]
) -> Float: ...
@overload
def alpha_dropout(
    x: ArrayLike, p: float, *, out: NDArray[Any] | None = None, **noise: Unpack[NoiseKeywords]
) -> Any: ...
def alpha_dropout(
    x: ArrayLike,
    p: float,
    *,
    seed: SupportsIndex,
    stream: SupportsIndex = 0,
    offset: SupportsIndex = 0,
    noise_shape: NoiseShape | None = None,
    block: Block | None = None,
    out: NDArray[Any] | None = None,
) -> Any:
    r"""Set each element to the saturation value of SELU with probability ``p``.

    .. math:: y_i = \begin{cases} a x_i + b & u(i) < 1 - p \\ a \alpha' + b & \text{else}
              \end{cases}

    with :math:`\alpha' = -1.7580993408473766`,
    :math:`a = ((1 - p)(1 + p \alpha'^2))^{-1/2}` and :math:`b = -a p \alpha'`, so that activations
    of mean 0 and variance 1 keep both. The decisions are those of `dropout`.

    Parameters
    ----------
    x : array_like
        Activations of SELU, of any shape and memory layout.
    p : float
        Probability of dropping an element, :math:`0 \le p \le 1`.
    seed, stream, offset, noise_shape, block
        As for `dropout`: the same seed and stream give the same noise again, so each iteration of a
        loop needs a stream of its own.
    out : ndarray, optional
        Where the result is written; may be ``x`` itself.

    Returns
    -------
    ndarray or scalar
        Of the dtype of ``x``. ``p = 0`` is the identity and ``p = 1`` gives zeros.

    Raises
    ------
    ValueError
        As for `dropout`; nothing has been written then.

    See Also
    --------
    dropout : For other activations.

    References
    ----------
    .. [1] G. Klambauer et al., "Self-normalizing neural networks", NeurIPS (2017).

    Examples
    --------
    >>> import bridle as br
    >>> br.alpha_dropout([1.0, 1.0, 1.0, 1.0], 0.5, seed=1).round(4)
    array([ 1.6656, -0.7792,  1.6656,  1.6656])
    """
    chance = probability("alpha_dropout", p)
    array = real_array("alpha_dropout", x, lazy=True)
    threshold, _ = _core.keep_numbers(chance, False)
    kept = threshold / 2**32
    members = (0.0, 0.0, 0.0)
    if kept > 0:
        # No power: those of the C library differ with the processor, roots do not.
        a = 1 / math.sqrt(kept * (1 + (1 - kept) * (SATURATION * SATURATION)))
        b = -a * (1 - kept) * SATURATION
        members = (a, b, a * SATURATION + b)
    noise = random_noise(
        "alpha_dropout", array, threshold, seed, stream, offset, noise_shape, block
    )
    result = apply("alpha_dropout", array, out, noise, members, identity=chance == 0)
    return like("alpha_dropout", x, result, out)


@overload
def gaussian_dropout(
    x: ArrayLike, p: float, *, out: Out, **noise: Unpack[NoiseKeywords]
) -> Out: ...
@overload
def gaussian_dropout(
    x: NDArray[Float], p: float, *, out: None = None, **noise: Unpack[NoiseKeywords]
) -> NDArray[Float]: ...
@overload
def gaussian_dropout(
    x: Float, p: float, *, out: None = None, **noise: Unpack[NoiseKeywords]
) -> Float: ...
@overload
def gaussian_dropout(
    x: ArrayLike, p: float, *, out: NDArray[Any] | None = None, **noise: Unpack[NoiseKeywords]
) -> Any: ...
def gaussian_dropout(
    x: ArrayLike,
    p: float,
    *,
    seed: SupportsIndex,
    stream: SupportsIndex = 0,
    offset: SupportsIndex = 0,
    noise_shape: NoiseShape | None = None,
    block: Block | None = None,
    out: NDArray[Any] | None = None,
) -> Any:
    r"""Multiply each element by a normal random number of mean 1.

    .. math:: y_i = x_i \left(1 + \sqrt{p / (1 - p)}\, z(i)\right),
              \qquad z(i) = \Phi^{-1}\left(\frac{u(i) + 1/2}{2^{32}}\right)

    has the mean and the variance of `dropout` with the same ``p``. :math:`u(i)` is the same
    integer below :math:`2^{32}` that decides there; :math:`z(i)` is computed within
    :math:`10^{-6} \max(1, |z|)` by arithmetic that gives the same bits on every machine.

    Parameters
    ----------
    x : array_like
        Activations or gradients, of any shape and memory layout.
    p : float
        Probability of the dropout that has the same variance, :math:`0 \le p < 1`.
    seed, stream, offset, noise_shape, block
        As for `dropout`: the same seed and stream give the same noise again, so each iteration of a
        loop needs a stream of its own.
    out : ndarray, optional
        Where the result is written; may be ``x`` itself.

    Returns
    -------
    ndarray or scalar
        Of the dtype of ``x``. ``p = 0`` is the identity.

    Raises
    ------
    ValueError
        If ``p`` is outside [0, 1), or as for `dropout`; nothing has been written then.

    See Also
    --------
    gaussian_noise : Adds instead of multiplying.

    References
    ----------
    .. [1] N. Srivastava et al., "Dropout: a simple way to prevent neural networks from
       overfitting", J. Mach. Learn. Res. 15 (2014), section 10.

    Examples
    --------
    >>> import bridle as br
    >>> br.gaussian_dropout([1.0, 1.0, 1.0], 0.2, seed=1).round(4)
    array([0.8345, 1.164 , 0.5964])
    """
    chance = number("gaussian_dropout", "p", p)
    if not 0.0 <= chance < 1.0:
        raise ValueError(f"gaussian_dropout: p must be >= 0 and < 1, got {p}")
    array = real_array("gaussian_dropout", x, lazy=True)
    noise = random_noise("gaussian_dropout", array, 0, seed, stream, offset, noise_shape, block)
    members = (math.sqrt(chance / (1 - chance)),)
    result = apply("gaussian_dropout", array, out, noise, members, identity=chance == 0)
    return like("gaussian_dropout", x, result, out)


@overload
def gaussian_noise(
    x: ArrayLike, stddev: float, *, out: Out, **noise: Unpack[NoiseKeywords]
) -> Out: ...
@overload
def gaussian_noise(
    x: NDArray[Float], stddev: float, *, out: None = None, **noise: Unpack[NoiseKeywords]
) -> NDArray[Float]: ...
@overload
def gaussian_noise(
    x: Float, stddev: float, *, out: None = None, **noise: Unpack[NoiseKeywords]
) -> Float: ...
@overload
def gaussian_noise(
    x: ArrayLike, stddev: float, *, out: NDArray[Any] | None = None, **noise: Unpack[NoiseKeywords]
) -> Any: ...
def gaussian_noise(
    x: ArrayLike,
    stddev: float,
    *,
    seed: SupportsIndex,
    stream: SupportsIndex = 0,
    offset: SupportsIndex = 0,
    noise_shape: NoiseShape | None = None,
    block: Block | None = None,
    out: NDArray[Any] | None = None,
) -> Any:
    r"""Add a normal random number of mean 0 to each element.

    .. math:: y_i = x_i + \sigma z(i)

    with :math:`z(i)` as in `gaussian_dropout`.

    Parameters
    ----------
    x : array_like
        Array of any shape and memory layout.
    stddev : float
        Standard deviation :math:`\sigma \ge 0`, in units of ``x``.
    seed, stream, offset, noise_shape, block
        As for `dropout`: the same seed and stream give the same noise again, so each iteration of a
        loop needs a stream of its own.
    out : ndarray, optional
        Where the result is written; may be ``x`` itself.

    Returns
    -------
    ndarray or scalar
        Of the dtype of ``x``. ``stddev = 0`` is the identity.

    Raises
    ------
    ValueError
        If ``stddev`` is negative or NaN, or as for `dropout`; nothing has been written then.

    See Also
    --------
    gaussian_dropout : Noise in proportion to the element.

    Examples
    --------
    >>> import bridle as br
    >>> br.gaussian_noise([1.0, 1.0, 1.0], 0.5, seed=1).round(4)
    array([0.8345, 1.164 , 0.5964])
    """
    deviation = number("gaussian_noise", "stddev", stddev)
    if not deviation >= 0.0:
        raise ValueError(f"gaussian_noise: stddev must be >= 0, got {stddev}")
    array = real_array("gaussian_noise", x, lazy=True)
    noise = random_noise("gaussian_noise", array, 0, seed, stream, offset, noise_shape, block)
    result = apply("gaussian_noise", array, out, noise, (deviation,), identity=deviation == 0)
    return like("gaussian_noise", x, result, out)
