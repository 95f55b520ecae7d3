"""The solvers as users call them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from bridle._call import counter, non_negative, number, real_array
from bridle._solvers.descent import bad
from bridle._solvers.loop import Callback, Options, Run
from bridle._solvers.problem import Array, Gradient, Problem, Proximable, Value, check_function
from bridle._solvers.result import FistaResult


def fista(
    gradient: Gradient,
    regularizer: Proximable,
    x0: ArrayLike,
    *,
    value: Value | None = None,
    step: float | None = None,
    max_iterations: int = 10_000,
    tolerance: float = 1e-10,
    restart: bool = True,
    callback: Callback | None = None,
    progress: bool = False,
) -> FistaResult:
    r"""Minimize a smooth function plus a regularizer, by proximal gradient steps with momentum.

    .. math::
        \min_x f(x) + R(x): \qquad
        x_{k+1} = \operatorname{prox}_{s R}(y_k - s \nabla f(y_k)), \qquad
        y_{k+1} = x_{k+1} + \beta_k (x_{k+1} - x_k)

    FISTA [1]_ with steps s that are searched for, shorter and longer again [2]_, and a momentum
    :math:`\beta_k` that starts anew where it points uphill [3]_. The run ends where
    :math:`\|x_{k+1} - y_k\| / s \le \text{tolerance} \cdot \max(1, \|\nabla f(x_0)\|)`.

    Parameters
    ----------
    gradient : callable
        ``gradient(x)`` returns :math:`\nabla f(x)`, an array of the shape of ``x0``, of any layout
        and type of real numbers. It may be the same array each time. ``x`` is read-only, and is
        another point after the next iteration: copy what is to be kept.
    regularizer : Regularizer
        An object such as `L1`, or one of any class with ``value``, ``prox`` and ``is_convex``.
    x0 : array_like
        Where to start: float32, in which everything is then computed, or float64; integers become
        float64. It is not changed.
    value : callable, optional
        ``value(x)`` returns f(x), or infinity where f is not defined. The record then holds
        objectives, and the search for a step compares values. Without, it compares gradients,
        which costs a gradient more in each iteration.
    step : float, optional
        A fixed step > 0, at most 1/L for a gradient with Lipschitz constant L. By default steps
        are searched for.
    max_iterations : int
        Number of iterations after which the run ends without having converged, at least 1.
    tolerance : float
        See above. With float32, whose residuals are of no more than seven digits, 1e-5 is what can
        be asked for.
    restart : bool
        Whether momentum starts anew where it points uphill, which makes convergence linear if f is
        strongly convex around the solution.
    callback : callable, optional
        ``callback(iteration, x, residual)`` is called after each iteration, the first of which is
        1; the run ends when it returns True. ``x`` is read-only, and changes later.
    progress : bool
        Whether to show on the terminal how far the residual is. Needs rich
        (``pip install "bridle[progress]"``).

    Returns
    -------
    FistaResult
        The last point ``x``, ``converged``, ``iterations``, the last ``step``, ``objective`` and
        ``history``. A run that ends by ``max_iterations`` is not announced by a warning.

    Raises
    ------
    TypeError
        If something is of the wrong type: an argument, or what a function returns.
    ValueError
        If a number is out of its range, ``x0`` is not finite, or a gradient has another shape.
    FloatingPointError
        If gradient, value or ``x`` become NaN or infinite, as with a fixed step that is too long,
        or if no step is short enough. The message names the iteration.

    See Also
    --------
    proximal_gradient : Without momentum.
    Regularizer : What a regularizer must have.

    Notes
    -----
    If the regularizer is not convex, a step with momentum must lower the objective, else one
    without is taken in its place [4]_; this needs ``value``. Without ``value`` there is no momentum
    then.

    Differences that may be rounding do not shorten steps. How much that is, the search tells by the
    types of what the functions return: numbers of float32 should be returned as such.

    It needs five arrays of the size of ``x0``, and what the user's functions need.

    References
    ----------
    .. [1] A. Beck and M. Teboulle, "A fast iterative shrinkage-thresholding algorithm for linear
       inverse problems", SIAM J. Imaging Sci. 2 (2009).
    .. [2] K. Scheinberg, D. Goldfarb and X. Bai, "Fast first-order methods for composite convex
       optimization with backtracking", Found. Comput. Math. 14 (2014).
    .. [3] B. O'Donoghue and E. Candès, "Adaptive restart for accelerated gradient schemes",
       Found. Comput. Math. 15 (2015).
    .. [4] H. Li and Z. Lin, "Accelerated proximal gradient methods for nonconvex programming",
       NeurIPS 28 (2015).

    Examples
    --------
    The lasso: coefficients of which few are not zero.

    >>> import numpy as np
    >>> import bridle as br
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 8))
    >>> y = X @ [3, -2, 0, 0, 0, 0, 0, 0] + 0.1 * rng.standard_normal(50)
    >>> result = br.fista(lambda w: X.T @ (X @ w - y), br.L1(10.0), np.zeros(8))
    >>> result.converged
    True
    >>> result.x.round(2)
    array([ 2.69, -1.75,  0.  ,  0.  ,  0.  ,  0.  ,  0.  ,  0.  ])
    """
    problem = Problem("fista", gradient, value, regularizer)
    options = _checked("fista", step, max_iterations, tolerance, callback, progress)
    return Run(problem, _start("fista", x0), options, restart=bool(restart)).minimize()


def proximal_gradient(
    gradient: Gradient,
    regularizer: Proximable,
    x0: ArrayLike,
    *,
    value: Value | None = None,
    step: float | None = None,
    max_iterations: int = 10_000,
    tolerance: float = 1e-10,
    callback: Callback | None = None,
    progress: bool = False,
) -> FistaResult:
    r"""Minimize a smooth function plus a regularizer, by proximal gradient steps.

    .. math::
        \min_x f(x) + R(x): \qquad x_{k+1} = \operatorname{prox}_{s R}(x_k - s \nabla f(x_k))

    `fista` without momentum [1]_: slower where the problem is ill-conditioned, but the objective
    falls with every step, also if the regularizer is not convex [2]_.

    Parameters
    ----------
    gradient, regularizer, x0, value, step, max_iterations, tolerance, callback, progress
        As those of `fista`. The search for a step costs no gradient more here.

    Returns
    -------
    FistaResult
        As that of `fista`.

    Raises
    ------
    TypeError, ValueError, FloatingPointError
        As `fista`.

    See Also
    --------
    fista : With momentum.

    References
    ----------
    .. [1] P. L. Combettes and V. R. Wajs, "Signal recovery by proximal forward-backward
       splitting", Multiscale Model. Simul. 4 (2005).
    .. [2] H. Attouch, J. Bolte and B. F. Svaiter, "Convergence of descent methods for
       semi-algebraic and tame problems", Math. Program. 137 (2013).

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> target = np.array([3.0, 0.2, -2.0])
    >>> penalty = br.MCP(0.5, gamma=3.0)
    >>> br.proximal_gradient(lambda x: x - target, penalty, np.zeros(3), step=1.0).x
    array([ 3.,  0., -2.])
    """
    solver = "proximal_gradient"
    problem = Problem(solver, gradient, value, regularizer)
    options = _checked(solver, step, max_iterations, tolerance, callback, progress)
    return Run(problem, _start(solver, x0), options, momentum=False).minimize()


def _checked(
    solver: str,
    step: float | None,
    max_iterations: int,
    tolerance: float,
    callback: Callback | None,
    progress: bool,
) -> Options:
    if step is not None:
        step = number(solver, "step", step)
        if not 0 < step < math.inf:
            raise ValueError(f"{solver}: step must be > 0 and finite, got {step}")
    limit = counter(solver, "max_iterations", max_iterations)
    if limit == 0:
        raise ValueError(f"{solver}: max_iterations must be >= 1, got 0")
    if callback is not None:
        check_function(solver, "callback", callback)
    tolerance = non_negative(solver, "tolerance", tolerance)
    return Options(step, limit, tolerance, callback, bool(progress))


def _start(solver: str, x0: ArrayLike) -> Array:
    given = real_array(solver, x0, "x0")
    if given.dtype.itemsize < 4:
        raise TypeError(
            f"{solver}: x0 must be of type float32, float64 or integer, got {given.dtype}"
        )
    if not np.isfinite(given).all():
        raise ValueError(f"{solver}: x0 must be finite, got {bad(given)}")
    return np.array(given, given.dtype.newbyteorder("="), order="K")
