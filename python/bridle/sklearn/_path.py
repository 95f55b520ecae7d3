"""Solutions for falling strengths of a regularizer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_X_y

from bridle._call import counter, number, real_array, refuse_masked, shown
from bridle._extras import missing
from bridle._regularizers.base import scaled
from bridle._regularizers.protocol import Regularizer
from bridle.sklearn._data import FORMATS, OF_CLASSES, OF_NUMBERS, TYPES, Data, check_options
from bridle.sklearn._estimators import warn_of_end
from bridle.sklearn._problem import Problem, Run
from bridle.sklearn._working_set import WorkingSet, has_slopes, reduced

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Path:
    """Linear models for falling strengths of a regularizer.

    Attributes
    ----------
    strengths : ndarray of shape (n_strengths,)
        Factors of the regularizer, falling.
    coefficients : ndarray of shape (n_strengths, n_features)
        Those of each strength; (n_strengths, n_classes, n_features) of more than two classes.
    intercepts : ndarray of shape (n_strengths,) or (n_strengths, n_classes)
        Those of each strength, zeros without an intercept.
    objectives : ndarray of shape (n_strengths,)
        Mean losses plus the strength times the regularizer.
    nonzeros : ndarray of shape (n_strengths,)
        Numbers of coefficients that are not zero.

    See Also
    --------
    regularization_path : The function that returns it.

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> import bridle.sklearn
    >>> X = np.array([[-1.0, 1.0], [0.0, -2.0], [1.0, 1.0]])
    >>> path = br.sklearn.regularization_path(X, [-3.0, 0.0, 3.0], br.L1(1.0), n_strengths=3)
    >>> path
    Path(strengths=3 from 2 to 0.002, coefficients=float64 of shape (3, 2))
    >>> path.coefficients[:, 0].round(3)
    array([0.   , 2.905, 2.997])
    """

    strengths: Numbers
    coefficients: NDArray[np.floating[Any]]
    intercepts: NDArray[np.floating[Any]]
    objectives: Numbers
    nonzeros: NDArray[np.intp]

    def __repr__(self) -> str:
        first, last = self.strengths[[0, -1]]
        coef = f"{self.coefficients.dtype} of shape {self.coefficients.shape}"
        count = len(self.strengths)
        return f"Path(strengths={count} from {first:.3g} to {last:.3g}, coefficients={coef})"

    def plot(self, ax: Any = None) -> Any:
        """Draw each coefficient as a line over the strengths; needs matplotlib.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; by default in a new figure of pyplot.

        Returns
        -------
        matplotlib Axes
        """
        if ax is None:
            try:
                from matplotlib import pyplot
            except ImportError:
                raise missing("Path", "plot", "matplotlib", "plot") from None
            ax = pyplot.subplots()[1]
        ax.plot(self.strengths, self.coefficients.reshape(len(self.strengths), -1))
        ax.axhline(0, color="0.5", linewidth=0.8, zorder=0)
        ax.set(xscale="log", xlabel="strength", ylabel="coefficients")
        ax.set_xlim(self.strengths[0], self.strengths[-1])  # from few coefficients to many
        return ax


def regularization_path(
    X: Any,
    y: ArrayLike,
    regularizer: Regularizer,
    *,
    loss: str = "squared",
    strengths: ArrayLike | None = None,
    n_strengths: int = 100,
    ratio: float = 1e-3,
    delta: float = 1.35,
    class_weight: Any = None,
    fit_intercept: bool = True,
    max_iterations: int = 10_000,
    tolerance: float = 1e-6,
    sample_weight: ArrayLike | None = None,
) -> Path:
    r"""Fit linear models for many strengths of a regularizer, each from the one before it.

    Parameters
    ----------
    X : array_like or sparse matrix of shape (n_samples, n_features)
        Dense, CSR or CSC of float32 or float64, which is never changed.
    y : array_like of shape (n_samples,)
        Targets: numbers, or labels of classes.
    regularizer : Regularizer
        An object whose multiples are taken, `bridle.L1` with a strength of 1 for the lasso. It sees
        coefficients of shape (n_features,), of more than two classes (n_classes, n_features).
    loss : {"squared", "huber", "poisson", "log", "squared_hinge"}
        See `ProxRegressor` and, for classes, `ProxClassifier`.
    strengths : array_like, optional
        Factors of the regularizer, > 0. By default ``n_strengths`` of them from the least one with
        which all coefficients are zero down to ``ratio`` times that, evenly by their logarithms.
    n_strengths : int
        How many, at least 1.
    ratio : float
        Between 0 and 1.
    delta : float
        Where the Huber loss becomes linear, > 0. In units of the target.
    class_weight : dict or "balanced", optional
        Factors of the weights of samples by class; "balanced" gives all classes the same weight.
    fit_intercept : bool
        Whether there is an intercept, which costs nothing.
    max_iterations : int
        Number of iterations for each strength after which a ConvergenceWarning is given.
    tolerance : float
        How far from stationary solutions may be, as in `ProxRegressor`.
    sample_weight : array_like of shape (n_samples,), optional
        Weights >= 0 of the samples in the mean loss; a factor of all of them changes nothing.

    Returns
    -------
    Path
        Strengths, coefficients, intercepts, objectives and numbers of non-zeros.

    Raises
    ------
    ValueError
        If something is out of its range, or strengths are not given and no strength makes all
        coefficients zero, as with `bridle.L2`.

    See Also
    --------
    ProxRegressorCV, ProxClassifierCV : Choose one by cross-validation.

    Notes
    -----
    Regularizers that see each coefficient by itself are solved for the features that are not zero
    or may become so, by the strong rule [1]_; then the optimality condition of all is looked at,
    and those that break it join. This copies the columns of these, at most half of them. With the
    squared loss, where the scalar products of all features are no more numbers than the matrix
    has, these alone are worked with.

    References
    ----------
    .. [1] R. Tibshirani et al., "Strong rules for discarding predictors in lasso-type problems",
       J. R. Stat. Soc. B 74 (2012).

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> import bridle.sklearn
    >>> X = np.random.default_rng(0).standard_normal((100, 5))
    >>> y = X @ [2.0, -1.0, 0.0, 0.0, 0.0]
    >>> path = br.sklearn.regularization_path(X, y, br.L1(1.0), n_strengths=4)
    >>> path.nonzeros
    array([0, 2, 2, 2])
    >>> path.coefficients.round(2)[:, :2]
    array([[ 0.  ,  0.  ],
           [ 1.79, -0.83],
           [ 1.98, -0.98],
           [ 2.  , -1.  ]])
    """
    owner = "regularization_path"
    options = {
        "regularizer": regularizer,
        "loss": loss,
        "delta": delta,
        "class_weight": class_weight,
        "fit_intercept": fit_intercept,
        "max_iterations": max_iterations,
        "tolerance": tolerance,
    }
    check_options(owner, options, OF_NUMBERS + OF_CLASSES)
    is_numeric = loss in OF_NUMBERS
    X, y = check_X_y(
        X, y, accept_sparse=FORMATS, dtype=TYPES, y_numeric=is_numeric, estimator=owner
    )
    problem = Data(owner, X, y, sample_weight, options).problem()
    factors = strengths_of(owner, problem, regularizer, strengths, n_strengths, ratio)
    return trace(owner, problem, options, factors)[0]


def strengths_of(
    owner: str,
    problem: Problem,
    regularizer: Regularizer,
    strengths: ArrayLike | None,
    n_strengths: int,
    ratio: float,
) -> Numbers:
    """Return falling strengths: those given, or from the least with which all is zero."""
    if strengths is not None:
        refuse_masked(owner, "strengths", strengths)
        given = real_array(owner, strengths, "strengths").astype(np.float64)
        if given.ndim != 1 or given.size == 0 or not ((given > 0) & (given < np.inf)).all():
            raise ValueError(
                f"{owner}: strengths must be numbers > 0 and finite along one axis, got {given}"
            )
        return np.sort(given)[::-1]
    if counter(owner, "n_strengths", n_strengths) == 0:
        raise ValueError(f"{owner}: n_strengths must be >= 1, got 0")
    ratio = number(owner, "ratio", ratio)
    if not 0 < ratio < 1:
        raise ValueError(f"{owner}: ratio must be > 0 and < 1, got {ratio}")
    largest = _largest_strength(problem, regularizer)
    if not largest < math.inf:
        raise ValueError(
            f"{owner}: strengths must be given where none makes all coefficients zero, "
            f"got {shown(regularizer)}"
        )
    if largest == 0:  # of a target that no feature has to do with
        largest = 1.0
    largest *= 1 + 16 * float(np.finfo(problem.dtype).eps)  # so that rounding leaves zeros
    return np.geomspace(largest, ratio * largest, n_strengths)


def _largest_strength(problem: Problem, regularizer: Any) -> float:
    if not hasattr(regularizer, "lambda_max"):
        return math.nan
    try:
        return float(regularizer.lambda_max(problem.by_coef(problem.start())))
    except NotImplementedError:
        return math.nan


def trace(
    owner: str, problem: Problem, options: dict[str, Any], factors: Numbers
) -> tuple[Path, int]:
    """Return solutions for falling factors, each from the one before it, and all iterations."""
    regularizer, problem = options["regularizer"], reduced(problem)
    limits = {name: options[name] for name in ("max_iterations", "tolerance")}
    working_set = WorkingSet(problem) if has_slopes(regularizer) else None
    x, before, failed = problem.start(), float(factors[0]), []
    models, objectives, iterations = [], [], 0
    for factor in map(float, factors):
        multiple: Any = scaled(regularizer, factor)
        if working_set is None:
            run: Run = problem.minimize(multiple, x, **limits)
        else:
            # The gradient changes by no more than the factor does, as a rule: the strong rule.
            expected = scaled(regularizer, max(2 * factor - before, 0.5 * factor))
            run = working_set.minimize(multiple, x, expected=expected, **limits)
        x, before, iterations = run.x, factor, iterations + run.iterations
        models.append(problem.model(x))
        objectives.append(problem.objective(multiple, x))
        if not run.converged:
            failed.append(factor)
    if failed:
        where = f"for {len(failed)} of {len(factors)} strengths, first {failed[0]:.3g}"
        warn_of_end(owner, where, callers=2)
    coefficients = np.stack([coef for coef, _ in models])
    nonzeros = np.count_nonzero(coefficients.reshape(len(factors), -1), axis=1)
    intercepts = np.stack([intercept for _, intercept in models])
    path = Path(factors, coefficients, intercepts, np.array(objectives), nonzeros)
    return path, iterations
