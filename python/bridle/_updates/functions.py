"""Fused updates: a step of an optimizer with decay, proximal operator and summary in one pass."""

from __future__ import annotations

import operator
from typing import Any, SupportsIndex, Unpack

from bridle._arrays import Arrays
from bridle._call import non_negative, refuse_masked, shown
from bridle._updates.call import (
    Note,
    Operands,
    Operator,
    Rate,
    Regularization,
    UpdateSummary,
    flag,
    fraction,
    run,
    shows_keywords,
)
from bridle._updates.regularizer import Regularizers
from bridle._updates.rows import Rows

__all__ = [
    "adagrad_update",
    "adamw_update",
    "ftrl_update",
    "lion_update",
    "proximal_step",
    "rmsprop_update",
    "sgd_update",
]


def proximal_step(
    w: Arrays,
    step: Rate,
    *,
    l1: Rate = 0.0,
    l2: Rate = 0.0,
    weight_decay: Rate = 0.0,
    toward: Arrays | None = None,
    regularizer: Regularizers = None,
) -> UpdateSummary:
    r"""Decay weights and apply the elastic-net proximal operator, in place, in one pass.

    .. math:: w &\leftarrow t + (1 - step \cdot weight\_decay)(w - t) \\
              w &\leftarrow \operatorname{prox}_{step (l_1 |\cdot| + l_2 (\cdot)^2)}(w)

    with :math:`t` from `toward`, or 0; the second line is `prox_elastic_net`.

    Parameters
    ----------
    w : ndarray, or list, tuple or mapping of ndarray
        Weights of type float16, bfloat16, float32 or float64, overwritten. Arrays of a list may
        differ in shape and type.
    step : float or sequence of float
        Step size >= 0, such as the learning rate.
    l1, l2 : float or sequence of float, default 0.0
        Strengths >= 0; a sequence has one for each array of a list.
    weight_decay : float or sequence of float, default 0.0
        ``step * weight_decay`` must lie between 0 and 1.
    toward : like `w`, optional
        Weights to decay towards.
    regularizer : regularizer of each element by itself, or sequence of them, optional
        Its proximal operator of this step size comes last, see `adamw_update`.

    Returns
    -------
    UpdateSummary
        Penalty, number of non-zeros and finiteness of the new weights.

    Raises
    ------
    ValueError, TypeError
        If a number or an array does not fit; nothing has been written then.

    See Also
    --------
    prox_elastic_net, decay : The parts.
    catch_up : Several such steps at once, for rows of a table.

    References
    ----------
    .. [1] N. Parikh and S. Boyd, "Proximal algorithms", Found. Trends Optim. 1 (2014).

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> w = np.array([1.0, -0.05, 0.5])
    >>> br.proximal_step(w, 0.1, l1=1.0, weight_decay=1.0)
    UpdateSummary(penalty=1.15, nonzeros=2, finite=True)
    >>> w
    array([0.8 , 0.  , 0.35])
    """
    name = "proximal_step"
    return run(
        name,
        Operator(name, (step,), step_size="step"),
        Operands(w, None, {}, optional=("gradient",)),
        l1=l1,
        l2=l2,
        weight_decay=weight_decay,
        toward=toward,
        regularizer=regularizer,
    )


@shows_keywords
def sgd_update(
    w: Arrays,
    gradient: Arrays,
    lr: Rate,
    *,
    momentum: float = 0.0,
    nesterov: bool = False,
    momentum_buffer: Arrays | None = None,
    **regularization: Unpack[Regularization],
) -> UpdateSummary:
    r"""Take a regularized step of stochastic gradient descent, in place, in one pass.

    .. math:: b &\leftarrow momentum \cdot b + g \\
              w &\leftarrow w - lr \cdot u, \qquad u = b \text{ or (Nesterov) } g + momentum \cdot b

    surrounded by decay and proximal step, as `adamw_update` tells; the proximal step has size `lr`.

    Parameters
    ----------
    w : ndarray, or list, tuple or mapping of ndarray
        Weights, overwritten.
    gradient : like `w`
        Gradient, of type float16, bfloat16 or float32; also of float64 where `w` is.
    lr : float or sequence of float
        Learning rate >= 0.
    momentum : float, default 0.0
        Factor >= 0 of the old momentum.
    nesterov : bool, default False
        Nesterov's form; needs a momentum.
    momentum_buffer : like `w`, optional
        Momentum, zeros at first, overwritten; see `adamw_update`. Required if and
        only if `momentum` is not 0.
    l1, l2, weight_decay, decay, cautious, toward, prox_step, grad_scale
        See `adamw_update`.
    copy_out, rounding, seed, stream, offset, regularizer, rows
        See `adamw_update`.

    Returns
    -------
    UpdateSummary
        Penalty, number of non-zeros and finiteness of the new weights.

    Raises
    ------
    ValueError, TypeError
        If a number or an array does not fit; nothing has been written then.

    References
    ----------
    .. [1] I. Sutskever et al., "On the importance of initialization and momentum in deep
       learning", ICML (2013).

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> w = np.array([1.0, 0.05])
    >>> br.sgd_update(w, np.array([1.0, 0.0]), 0.1, l1=1.0)
    UpdateSummary(penalty=0.8, nonzeros=1, finite=True)
    >>> w
    array([0.8, 0. ])

    Steps that are too small for half weights are right on average, if each has its own stream:

    >>> w, gradient = np.ones(2000, np.float16), np.full(2000, 1e-5, np.float16)
    >>> for step in range(100):
    ...     how = {"rounding": "stochastic", "seed": 1, "stream": step}
    ...     summary = br.sgd_update(w, gradient, 1.0, **how)
    >>> w.mean(dtype=float).round(3)
    np.float64(0.999)
    """
    name = "sgd_update"
    factor = non_negative(name, "momentum", momentum)
    _check_buffer(name, factor, momentum_buffer)
    looks_ahead = flag(name, "nesterov", nesterov)
    if looks_ahead and factor == 0:
        raise ValueError(f"{name}: nesterov must be False without momentum, got {nesterov}")
    how = Operator(name, (lr, factor, looks_ahead))
    state: dict[str, Arrays | None] = {"momentum_buffer": momentum_buffer}
    operands = Operands(w, gradient, state, optional=("momentum_buffer",))
    return run(name, how, operands, **regularization)


def _check_buffer(name: str, momentum: float, momentum_buffer: Arrays | None) -> None:
    """Check that there is a buffer if and only if there is a momentum."""
    if (momentum_buffer is not None) != (momentum > 0):
        rule = "must be given" if momentum > 0 else "must be None"
        got = "None" if momentum_buffer is None else "one"
        raise ValueError(f"{name}: momentum_buffer {rule} for momentum {momentum}, got {got}")


@shows_keywords
def adamw_update(
    w: Arrays,
    gradient: Arrays,
    first_moment: Arrays,
    second_moment: Arrays,
    lr: Rate,
    iteration: SupportsIndex,
    *,
    betas: tuple[float, float] = (0.9, 0.999),
    epsilon: float = 1e-8,
    **regularization: Unpack[Regularization],
) -> UpdateSummary:
    r"""Take a regularized step of Adam, in place, in one pass.

    .. math:: m &\leftarrow \beta_1 m + (1 - \beta_1) g, \qquad
              v \leftarrow \beta_2 v + (1 - \beta_2) g^2 \\
              w &\leftarrow w - lr \cdot u, \qquad
              u = \frac{m / (1 - \beta_1^t)}{\sqrt{v} / \sqrt{1 - \beta_2^t} + \epsilon}

    with :math:`g` the gradient times `grad_scale` and :math:`t` the `iteration`. Decay comes before
    the update, the proximal step after it:

    .. math:: w \leftarrow t + (1 - lr \cdot weight\_decay)(w - t), \quad \ldots, \quad
              w \leftarrow \operatorname{prox}_{s (l_1 |\cdot| + l_2 (\cdot)^2)}(w)

    Weights, gradient and state are read and written once, whatever is asked for.

    Parameters
    ----------
    w : ndarray, or list, tuple or mapping of ndarray
        Weights of type float16, bfloat16, float32 or float64, overwritten. With a list, gradient
        and state are lists of the same length, with a mapping they have the same keys; `prepare`
        makes such calls cheaper. No array may share memory with one that is written. Arrays that
        cannot be walked in rows, all alike, are copied and written back.
    gradient : like `w`
        Gradient, of type float16, bfloat16 or float32, whatever that of `w` is; also of float64
        where `w` is.
    first_moment, second_moment : like `w`
        Moments m and v, zeros at first, overwritten; float64 where `w` is, else float32, or
        bfloat16 if the rounding is stochastic.
    lr : float or sequence of float
        Learning rate >= 0; a sequence has one for each array of a list.
    iteration : int
        Number of the step, from 1.
    betas : tuple of float, default (0.9, 0.999)
        Decay rates of the moments, each in [0, 1).
    epsilon : float, default 1e-8
        Added to the denominator, >= 0.
    l1, l2 : float or sequence of float, default 0.0
        Strengths of the elastic net, >= 0; a sequence has one for each array of a list.
    weight_decay : float or sequence of float, default 0.0
        Rate of the decay; 0.0 in a sequence exempts an array.
    decay : {"decoupled", "coupled", "full"}, default "decoupled"
        Decoupled, as above, as in AdamW [2]_; coupled, ``weight_decay * (w - toward)`` is added to
        g, which makes it Adam [1]_ with an L2 penalty; full, the rate is `weight_decay` itself and
        does not depend on `lr`.
    cautious : bool, default False
        Spare elements whose update and distance from `toward` have opposite signs [3]_.
    toward : like `w`, optional
        Weights to decay towards; zero by default.
    prox_step : {"adaptive", "scalar"}, default "adaptive"
        Size s of the proximal step: lr divided by the denominator of u, element by element, or
        `lr`. Optimizers without a denominator use `lr`.
    grad_scale : float, default 1.0
        Multiplies the gradient, for clipping or loss scaling.
    copy_out : like `w`, optional
        Where a copy of the new weights goes, for transfer or the next forward pass: float16,
        bfloat16 or float32, of float32 weights.
    rounding : {"nearest", "stochastic"}, default "nearest"
        Stochastic rounding of half weights, copies and state to one of the two neighbours, right on
        average, so that small steps are not lost; needs a `seed`, and a `stream` of its own for
        each step. Rounded to nearest, a second moment of bfloat16 would never move.
    seed, stream, offset : int, optional
        Name the random bits of the rounding, as for `dropout`; the position counts through all
        arrays of a list, and arrays of the state have bits of their own. `stream` is the
        `iteration` here if it is not given; other updates have no default for it, since with the
        same bits in every step the errors would add up.
    regularizer : regularizer of each element by itself, or sequence of them, optional
        An object such as `MCP` or `Box`, whose proximal operator comes last, with the same step
        size s; the penalty of the summary counts its value, too. A sequence has one, or None, for
        each array of a list.
    rows : array_like of int, or list of them, optional
        Update these rows of `w`, which is a table, alone: no row twice, in any order. The gradient
        has one row for each of them; state, `toward` and `copy_out` are tables as `w` is. Of a list
        of tables each has an array of row numbers.

    Returns
    -------
    UpdateSummary
        Penalty, number of non-zeros and finiteness of the new weights.

    Raises
    ------
    ValueError, TypeError
        If a number or an array does not fit; nothing has been written then.
    IndexError
        If a row is not in the table.

    See Also
    --------
    sgd_update, adagrad_update, rmsprop_update, lion_update, ftrl_update : Other optimizers.

    References
    ----------
    .. [1] D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR (2015).
    .. [2] I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", ICLR (2019).
    .. [3] L. Chen et al., "Cautious weight decay", arXiv:2510.12402 (2025).

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> w, gradient = np.array([1.0, 0.02, -0.5]), np.array([0.3, 0.0, -0.1])
    >>> m, v = np.zeros(3), np.zeros(3)
    >>> summary = br.adamw_update(w, gradient, m, v, 0.01, 1, l1=0.1, weight_decay=0.1)
    >>> summary.nonzeros, w.round(4)
    (2, array([ 0.9857,  0.    , -0.4795]))
    """
    name = "adamw_update"
    tiny = non_negative(name, "epsilon", epsilon)
    beta1, beta2 = _betas(name, betas)
    t = _iteration(name, iteration)
    state: dict[str, Arrays | None] = {"first_moment": first_moment, "second_moment": second_moment}
    operands = Operands(w, gradient, state)
    how = Operator(name, (lr, t, beta1, beta2, tiny))
    if regularization.get("stream") is None:
        regularization["stream"] = t  # each step needs random bits of its own
    return run(name, how, operands, **regularization)


def _betas(name: str, betas: Any) -> tuple[float, float]:
    if not isinstance(betas, (tuple, list)):
        refuse_masked(name, "betas", betas)
    both = tuple(betas) if isinstance(betas, (tuple, list)) else ()
    if len(both) != 2:
        raise ValueError(f"{name}: betas must be two numbers, got {shown(betas)}")
    return fraction(name, "betas[0]", both[0]), fraction(name, "betas[1]", both[1])


def _iteration(name: str, iteration: SupportsIndex) -> int:
    refuse_masked(name, "iteration", iteration)
    try:
        t = operator.index(iteration)
    except TypeError:
        raise TypeError(f"{name}: iteration must be an integer, got {shown(iteration)}") from None
    if t < 1:
        raise ValueError(f"{name}: iteration must be >= 1, got {t}")
    return min(t, 2**63 - 1)  # from far below on, the corrections are 1


@shows_keywords
def adagrad_update(
    w: Arrays,
    gradient: Arrays,
    accumulator: Arrays,
    lr: Rate,
    *,
    epsilon: float = 1e-10,
    **regularization: Unpack[Regularization],
) -> UpdateSummary:
    r"""Take a regularized step of Adagrad, in place, in one pass.

    .. math:: a \leftarrow a + g^2, \qquad w \leftarrow w - lr \frac{g}{\sqrt{a} + \epsilon}

    surrounded by decay and proximal step, as `adamw_update` tells.

    Parameters
    ----------
    w : ndarray, or list, tuple or mapping of ndarray
        Weights, overwritten.
    gradient : like `w`
        Gradient, of type float16, bfloat16 or float32; also of float64 where `w` is.
    accumulator : like `w`
        Sum a of squared gradients, overwritten; see `adamw_update`.
    lr : float or sequence of float
        Learning rate >= 0.
    epsilon : float, default 1e-10
        Added to the denominator, >= 0.
    l1, l2, weight_decay, decay, cautious, toward, prox_step, grad_scale
        See `adamw_update`.
    copy_out, rounding, seed, stream, offset, regularizer, rows
        See `adamw_update`.

    Returns
    -------
    UpdateSummary
        Penalty, number of non-zeros and finiteness of the new weights.

    Raises
    ------
    ValueError, TypeError
        If a number or an array does not fit; nothing has been written then.

    References
    ----------
    .. [1] J. Duchi, E. Hazan and Y. Singer, "Adaptive subgradient methods for online learning and
       stochastic optimization", J. Mach. Learn. Res. 12 (2011).

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> w, a = np.array([1.0, 2.0]), np.zeros(2)
    >>> br.adagrad_update(w, np.array([3.0, -1.0]), a, 0.5).nonzeros, w, a
    (2, array([0.5, 2.5]), array([9., 1.]))
    """
    name = "adagrad_update"
    tiny = non_negative(name, "epsilon", epsilon)
    operands = Operands(w, gradient, {"accumulator": accumulator})
    how = Operator(name, (lr, tiny))
    return run(name, how, operands, **regularization)


@shows_keywords
def rmsprop_update(
    w: Arrays,
    gradient: Arrays,
    square_average: Arrays,
    lr: Rate,
    *,
    alpha: float = 0.99,
    epsilon: float = 1e-8,
    momentum: float = 0.0,
    momentum_buffer: Arrays | None = None,
    gradient_average: Arrays | None = None,
    **regularization: Unpack[Regularization],
) -> UpdateSummary:
    r"""Take a regularized step of RMSProp, in place, in one pass.

    .. math:: v &\leftarrow \alpha v + (1 - \alpha) g^2, \qquad d = \sqrt{v} + \epsilon \\
              b &\leftarrow momentum \cdot b + g / d, \qquad w \leftarrow w - lr \cdot b

    surrounded by decay and proximal step, as `adamw_update` tells. Centered, with
    `gradient_average` :math:`a \leftarrow \alpha a + (1 - \alpha) g`, the denominator is
    :math:`d = \sqrt{v - a^2} + \epsilon`.

    Parameters
    ----------
    w : ndarray, or list, tuple or mapping of ndarray
        Weights, overwritten.
    gradient : like `w`
        Gradient, of type float16, bfloat16 or float32; also of float64 where `w` is.
    square_average : like `w`
        Average v of squared gradients, overwritten; see `adamw_update`.
    lr : float or sequence of float
        Learning rate >= 0.
    alpha : float, default 0.99
        Decay rate of the averages, in [0, 1).
    epsilon : float, default 1e-8
        Added to the denominator, >= 0.
    momentum : float, default 0.0
        Factor >= 0 of the old momentum.
    momentum_buffer : like `w`, optional
        Momentum b, overwritten. Required if and only if `momentum` is not 0.
    gradient_average : like `w`, optional
        Average a of gradients, overwritten; makes it the centered form.
    l1, l2, weight_decay, decay, cautious, toward, prox_step, grad_scale
        See `adamw_update`.
    copy_out, rounding, seed, stream, offset, regularizer, rows
        See `adamw_update`.

    Returns
    -------
    UpdateSummary
        Penalty, number of non-zeros and finiteness of the new weights.

    Raises
    ------
    ValueError, TypeError
        If a number or an array does not fit; nothing has been written then.

    References
    ----------
    .. [1] A. Graves, "Generating sequences with recurrent neural networks", arXiv:1308.0850 (2013).

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> w, v = np.array([1.0]), np.zeros(1)
    >>> br.rmsprop_update(w, np.array([2.0]), v, 0.1, alpha=0.75).nonzeros, w, v
    (1, array([0.8]), array([1.]))
    """
    name = "rmsprop_update"
    tiny = non_negative(name, "epsilon", epsilon)
    average, factor = fraction(name, "alpha", alpha), non_negative(name, "momentum", momentum)
    _check_buffer(name, factor, momentum_buffer)
    state: dict[str, Arrays | None] = {
        "square_average": square_average,
        "momentum_buffer": momentum_buffer,
    }
    state["gradient_average"] = gradient_average
    operands = Operands(w, gradient, state, optional=("momentum_buffer", "gradient_average"))
    centered = "" if gradient_average is None else "centered_"
    how = Operator(centered + name, (lr, average, tiny, factor))
    return run(name, how, operands, **regularization)


@shows_keywords
def lion_update(
    w: Arrays,
    gradient: Arrays,
    momentum_buffer: Arrays,
    lr: Rate,
    *,
    betas: tuple[float, float] = (0.9, 0.99),
    **regularization: Unpack[Regularization],
) -> UpdateSummary:
    r"""Take a regularized step of Lion, in place, in one pass.

    .. math:: u = \operatorname{sign}(\beta_1 b + (1 - \beta_1) g), \qquad
              b \leftarrow \beta_2 b + (1 - \beta_2) g, \qquad w \leftarrow w - lr \cdot u

    surrounded by decay and proximal step, as `adamw_update` tells; the proximal step has size `lr`.

    Parameters
    ----------
    w : ndarray, or list, tuple or mapping of ndarray
        Weights, overwritten.
    gradient : like `w`
        Gradient, of type float16, bfloat16 or float32; also of float64 where `w` is.
    momentum_buffer : like `w`
        Momentum b, zeros at first, overwritten; see `adamw_update`.
    lr : float or sequence of float
        Learning rate >= 0.
    betas : tuple of float, default (0.9, 0.99)
        Weights of the momentum in the update and in itself, each in [0, 1).
    l1, l2, weight_decay, decay, cautious, toward, prox_step, grad_scale
        See `adamw_update`.
    copy_out, rounding, seed, stream, offset, regularizer, rows
        See `adamw_update`.

    Returns
    -------
    UpdateSummary
        Penalty, number of non-zeros and finiteness of the new weights.

    Raises
    ------
    ValueError, TypeError
        If a number or an array does not fit; nothing has been written then.

    References
    ----------
    .. [1] X. Chen et al., "Symbolic discovery of optimization algorithms", NeurIPS (2023).

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> w, b = np.array([1.0, 1.0]), np.zeros(2)
    >>> br.lion_update(w, np.array([3.0, -0.1]), b, 0.25).nonzeros, w
    (2, array([0.75, 1.25]))
    """
    name = "lion_update"
    beta1, beta2 = _betas(name, betas)
    operands = Operands(w, gradient, {"momentum_buffer": momentum_buffer})
    how = Operator(name, (lr, beta1, beta2))
    return run(name, how, operands, **regularization)


@shows_keywords
def ftrl_update(
    w: Arrays,
    gradient: Arrays,
    linear: Arrays,
    accumulator: Arrays,
    lr: Rate,
    *,
    beta: float = 1.0,
    l1: Rate = 0.0,
    l2: Rate = 0.0,
    grad_scale: float = 1.0,
    rows: Rows | None = None,
    _note: Note | None = None,
) -> UpdateSummary:
    r"""Take a step of FTRL-Proximal, in place, in one pass: exact zeros online.

    .. math:: \sigma &= (\sqrt{a + g^2} - \sqrt{a}) / lr, \qquad z \leftarrow z + g - \sigma w,
              \qquad a \leftarrow a + g^2 \\
              w &= \begin{cases} 0 & |z| \le l_1 \\
              -\dfrac{z - \operatorname{sign}(z) l_1}{(\beta + \sqrt{a}) / lr + 2 l_2} & \text{else}
              \end{cases}

    Parameters
    ----------
    w : ndarray, or list, tuple or mapping of ndarray
        Weights, overwritten.
    gradient : like `w`
        Gradient, of type float16, bfloat16 or float32; also of float64 where `w` is.
    linear, accumulator : like `w`
        Linear term z and sum a of squared gradients, zeros at first, overwritten; float64 where
        `w` is, else float32.
    lr : float or sequence of float
        Learning rate > 0, the paper's alpha.
    beta : float, default 1.0
        Smooths the first steps, >= 0.
    l1, l2 : float or sequence of float, default 0.0
        Strengths of the elastic net, >= 0; a sequence has one for each array of a list.
    grad_scale : float, default 1.0
        Multiplies the gradient.
    rows : array_like of int, or list of them, optional
        Update these rows of tables alone; see `adamw_update`.

    Returns
    -------
    UpdateSummary
        Penalty, number of non-zeros and finiteness of the new weights.

    Raises
    ------
    ValueError, TypeError
        If a number or an array does not fit; nothing has been written then.
    IndexError
        If a row is not in the table.

    References
    ----------
    .. [1] H. B. McMahan et al., "Ad click prediction: a view from the trenches", KDD (2013).

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> w, z, a = np.zeros(2), np.zeros(2), np.zeros(2)
    >>> br.ftrl_update(w, np.array([3.0, 0.5]), z, a, 0.5, l1=1.0).nonzeros, w
    (1, array([-0.25,  0.  ]))
    """
    name = "ftrl_update"
    how = Operator(name, (lr, non_negative(name, "beta", beta)), positive=True)
    operands = Operands(w, gradient, {"linear": linear, "accumulator": accumulator})
    common: dict[str, Any] = {"l1": l1, "l2": l2, "grad_scale": grad_scale, "rows": rows}
    return run(name, how, operands, **common, _note=_note)
