"""Linear models whose strength of regularization is chosen by cross-validation."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import check_cv

from bridle._regularizers.base import scaled
from bridle._regularizers.convex import L1
from bridle._regularizers.protocol import Regularizer
from bridle.sklearn._data import Data
from bridle.sklearn._estimators import ClassifierPart, LinearModel, RegressorPart
from bridle.sklearn._path import Numbers, Path, strengths_of, trace

ONE = L1(1.0)


class CrossValidated(LinearModel):
    """A model for the best of many strengths."""

    strengths: ArrayLike | None
    n_strengths: int
    ratio: float
    cv: Any
    one_standard_error: bool

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Choose the strength by models of parts of the samples, and fit all of them with it.

        Parameters
        ----------
        X : array_like or sparse matrix of shape (n_samples, n_features)
            Dense, CSR or CSC of float32 or float64, which is neither changed nor copied.
        y : array_like of shape (n_samples,)
            Targets: numbers, or labels of classes.
        sample_weight : array_like of shape (n_samples,), optional
            Weights >= 0 of the samples in all mean losses; a factor of all of them changes nothing.

        Returns
        -------
        self
        """
        data = self._data(X, y, sample_weight)
        owner, problem = data.owner, data.problem()
        strengths = strengths_of(
            owner, problem, self.regularizer, self.strengths, self.n_strengths, self.ratio
        )
        labels = data.targets if data.classes is None else data.classes[data.targets]
        splitter = check_cv(self.cv, labels, classifier=data.classes is not None)
        folds = [
            _held_out(data, train, test, strengths)
            for train, test in splitter.split(data.samples, labels)
        ]
        self.losses_ = np.stack([losses for losses, _ in folds], axis=1)
        chosen = self._choice(np.array([weight for _, weight in folds]))
        self.path_, self.n_iter_ = trace(owner, problem, data.options, strengths)
        self.strength_ = float(strengths[chosen])
        self.regularizer_ = scaled(self.regularizer, self.strength_)
        self.objective_ = float(self.path_.objectives[chosen])
        self._keep(self.path_.coefficients[chosen], self.path_.intercepts[chosen])
        return self

    def _choice(self, weights: Numbers) -> int:
        """Return which strength is best, or the largest that is as good but for chance."""
        known = weights > 0
        losses, shares = self.losses_[:, known], weights[known] / weights.sum()
        self.mean_losses_ = losses @ shares
        best = int(self.mean_losses_.argmin())
        if not self.one_standard_error:
            return best
        variance = np.square(losses[best] - self.mean_losses_[best]) @ shares
        limit = self.mean_losses_[best] + np.sqrt(variance / max(len(shares) - 1, 1))
        return int(np.argmax(self.mean_losses_ <= limit))


def _held_out(
    data: Data, train: NDArray[Any], test: NDArray[Any], strengths: Numbers
) -> tuple[Numbers, float]:
    """Return mean losses of samples that were held out, and their weight.

    The matrix is not copied for the others: they are those of weights above 0.
    """
    counts = np.bincount(train, minlength=len(data.targets)).astype(data.weights.dtype)
    path: Path = trace(data.owner, data.problem(counts), data.options, strengths)[0]
    samples, loss, weights = data.samples[test], data.loss(test), data.weights[test]
    total = float(weights.sum(dtype=np.float64))
    shares = weights / total if total > 0 else weights
    models = zip(path.coefficients, path.intercepts, strict=True)
    losses = [shares @ loss.costs(samples @ coef.T + intercept) for coef, intercept in models]
    return np.array(losses, np.float64), total


class ProxRegressorCV(RegressorPart, CrossValidated):
    r"""Linear regression with any regularizer, whose strength cross-validation chooses.

    Parameters
    ----------
    regularizer : Regularizer
        An object such as `bridle.L1`, or of any class with ``value``, ``prox`` and ``is_convex``.
        It sees coefficients of shape (n_features,); its multiples are tried.
    loss : {"squared", "huber", "poisson"}
        Of a target y and a prediction z: :math:`(y - z)^2 / 2`; the `bridle.huber_penalty` of
        y - z with ``delta``; or :math:`e^z - y z` of counts y >= 0, whose mean is :math:`e^z`.
    delta : float
        Where the Huber loss becomes linear, > 0. In units of the target.
    strengths : array_like, optional
        Factors of the regularizer to choose from, > 0. By default ``n_strengths`` of them from the
        least one with which all coefficients are zero down to ``ratio`` times that, evenly by
        their logarithms; it is the same for all parts of the samples.
    n_strengths : int
        How many, at least 1.
    ratio : float
        Between 0 and 1.
    cv : int, splitter or iterable, optional
        How samples are held out, as in scikit-learn: by default in five folds.
    one_standard_error : bool
        Whether to take the largest strength whose loss is within one standard error of the least,
        for a simpler model that is as good but for chance.
    fit_intercept : bool
        Whether there is an intercept, which costs nothing. Features are then centered, without a
        copy of them.
    max_iterations : int
        Number of iterations for each strength, at least 1, after which there is a
        ConvergenceWarning.
    tolerance : float
        How far from stationary a solution may be, as a part of that of the best model without
        features: the distance of the negative gradient from the subdifferential, of features
        scaled to about one size where the regularizer sees each coefficient by itself. In float32,
        rounding lets it be no less than about 1e-5.

    Attributes
    ----------
    strength_ : float
        The strength that was chosen.
    regularizer_ : Regularizer
        The regularizer with that strength.
    path_ : Path
        The models of all strengths, fitted to all samples.
    losses_ : ndarray of shape (n_strengths, n_folds)
        Mean losses of the samples held out.
    mean_losses_ : ndarray of shape (n_strengths,)
        Their means over the folds, each by the weight of its samples.
    coef_ : ndarray of shape (n_features,)
        Coefficients, in the type of the matrix: float32 is kept.
    intercept_ : float
        Intercept, 0.0 without one.
    n_iter_ : int
        Number of iterations for all strengths, with all samples.
    objective_ : float
        Mean loss plus regularizer, with the strength that was chosen.
    n_features_in_, feature_names_in_
        As of other estimators.

    See Also
    --------
    ProxRegressor : With a given strength.
    regularization_path : Without choosing.

    Notes
    -----
    The objective is that of `ProxRegressor` with multiples of the regularizer.

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> import bridle.sklearn
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((100, 5))
    >>> y = X @ [2.0, -1.0, 0.0, 0.0, 0.0] + rng.standard_normal(100)
    >>> model = br.sklearn.ProxRegressorCV(br.L1(1.0), one_standard_error=True).fit(X, y)
    >>> model.coef_.round(1)
    array([ 1.6, -0.7,  0. ,  0. ,  0. ])
    >>> model.regularizer_ == br.L1(model.strength_)
    True
    """

    def __init__(
        self,
        regularizer: Regularizer = ONE,
        *,
        loss: str = "squared",
        delta: float = 1.35,
        strengths: ArrayLike | None = None,
        n_strengths: int = 100,
        ratio: float = 1e-3,
        cv: Any = None,
        one_standard_error: bool = False,
        fit_intercept: bool = True,
        max_iterations: int = 10_000,
        tolerance: float = 1e-4,
    ) -> None:
        self.regularizer = regularizer
        self.loss = loss
        self.delta = delta
        self.strengths = strengths
        self.n_strengths = n_strengths
        self.ratio = ratio
        self.cv = cv
        self.one_standard_error = one_standard_error
        self.fit_intercept = fit_intercept
        self.max_iterations = max_iterations
        self.tolerance = tolerance


class ProxClassifierCV(ClassifierPart, CrossValidated):
    r"""Linear classification with any regularizer, whose strength cross-validation chooses.

    Parameters
    ----------
    regularizer : Regularizer
        An object such as `bridle.L1`, or of any class with ``value``, ``prox`` and ``is_convex``.
        It sees coefficients of shape (n_features,) of two
        classes, else (n_classes, n_features); its multiples are tried.
    loss : {"log", "squared_hinge"}
        Of a class y and predictions z: the log loss, multinomial of several classes, or
        :math:`\max(0, 1 - yz)^2` with y = -1 or 1, of several classes each against the rest.
    class_weight : dict or "balanced", optional
        Factors of the weights of samples by class; "balanced" gives all classes the same weight.
    strengths : array_like, optional
        Factors of the regularizer to choose from, > 0. By default ``n_strengths`` of them from the
        least one with which all coefficients are zero down to ``ratio`` times that, evenly by
        their logarithms; it is the same for all parts of the samples.
    n_strengths : int
        How many, at least 1.
    ratio : float
        Between 0 and 1.
    cv : int, splitter or iterable, optional
        How samples are held out, as in scikit-learn: by default in five folds with the
        same share of each class.
    one_standard_error : bool
        Whether to take the largest strength whose loss is within one standard error of the least,
        for a simpler model that is as good but for chance.
    fit_intercept : bool
        Whether there is an intercept, which costs nothing. Features are then centered, without a
        copy of them.
    max_iterations : int
        Number of iterations for each strength, at least 1, after which there is a
        ConvergenceWarning.
    tolerance : float
        How far from stationary a solution may be, as a part of that of the best model without
        features: the distance of the negative gradient from the subdifferential, of features
        scaled to about one size where the regularizer sees each coefficient by itself. In float32,
        rounding lets it be no less than about 1e-5.

    Attributes
    ----------
    strength_ : float
        The strength that was chosen.
    regularizer_ : Regularizer
        The regularizer with that strength.
    path_ : Path
        The models of all strengths, fitted to all samples.
    losses_ : ndarray of shape (n_strengths, n_folds)
        Mean losses of the samples held out.
    mean_losses_ : ndarray of shape (n_strengths,)
        Their means over the folds, each by the weight of its samples.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Coefficients, in the type of the matrix: float32 is kept.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Intercepts, zeros without them.
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    n_iter_ : int
        Number of iterations for all strengths, with all samples.
    objective_ : float
        Mean loss plus regularizer, with the strength that was chosen.
    n_features_in_, feature_names_in_
        As of other estimators.

    See Also
    --------
    ProxClassifier : With a given strength.
    regularization_path : Without choosing.

    Notes
    -----
    The objective is that of `ProxClassifier` with multiples of the regularizer. It is the loss of
    the samples held out that is compared, not how many of them are classified rightly.

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> import bridle.sklearn
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((100, 4))
    >>> y = X[:, 0] + 0.3 * rng.standard_normal(100) > 0
    >>> model = br.sklearn.ProxClassifierCV(br.L1(1.0), n_strengths=20).fit(X, y)
    >>> np.flatnonzero(model.path_.coefficients[3])
    array([0])
    >>> model.score(X, y) > 0.9
    True
    """

    def __init__(
        self,
        regularizer: Regularizer = ONE,
        *,
        loss: str = "log",
        class_weight: Any = None,
        strengths: ArrayLike | None = None,
        n_strengths: int = 100,
        ratio: float = 1e-3,
        cv: Any = None,
        one_standard_error: bool = False,
        fit_intercept: bool = True,
        max_iterations: int = 10_000,
        tolerance: float = 1e-4,
    ) -> None:
        self.regularizer = regularizer
        self.loss = loss
        self.class_weight = class_weight
        self.strengths = strengths
        self.n_strengths = n_strengths
        self.ratio = ratio
        self.cv = cv
        self.one_standard_error = one_standard_error
        self.fit_intercept = fit_intercept
        self.max_iterations = max_iterations
        self.tolerance = tolerance
