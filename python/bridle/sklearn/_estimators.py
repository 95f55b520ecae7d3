"""Linear models with any regularizer, fitted by proximal gradient steps."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from bridle._call import shown
from bridle._regularizers.convex import L1
from bridle._regularizers.protocol import Regularizer
from bridle.sklearn._data import FORMATS, OF_CLASSES, OF_NUMBERS, TYPES, Data, check_options
from bridle.sklearn._design import Array
from bridle.sklearn._problem import Problem

DEFAULT = L1(0.01)
PREFIX = "regularizer__"


class LinearModel(BaseEstimator):
    """Base of the estimators: parameters, fitting, and linear predictions."""

    regularizer: Regularizer
    _losses: tuple[str, ...]

    def set_params(self, **params: Any) -> Self:
        """Set parameters; ``regularizer__strength`` sets another regularizer with that strength.

        Parameters
        ----------
        **params
            Parameters by name, those of the regularizer as ``regularizer__name``.

        Returns
        -------
        self
        """
        nested = {name: value for name, value in params.items() if name.startswith(PREFIX)}
        own = {name: value for name, value in params.items() if name not in nested}
        regularizer: Any = own.get("regularizer", self.regularizer)
        if nested:
            name = next(iter(nested))
            if isinstance(regularizer, type) or not hasattr(regularizer, "set_params"):
                raise ValueError(
                    f"{type(self).__name__}: regularizer must have set_params for {name!r}, "
                    f"got {shown(regularizer)}"
                )
            changes = {name.removeprefix(PREFIX): value for name, value in nested.items()}
            own["regularizer"] = regularizer.set_params(**changes)
        super().set_params(**own)
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _data(self, X: Any, y: Any, sample_weight: Any) -> Data:
        """Return what is computed with, checked; keep what scikit-learn keeps of it."""
        owner, options = type(self).__name__, self.get_params(deep=False)
        check_options(owner, options, self._losses)
        is_numeric = self._losses is OF_NUMBERS
        samples, targets = validate_data(
            self, X, y, accept_sparse=FORMATS, dtype=TYPES, y_numeric=is_numeric
        )
        data = Data(owner, samples, targets, sample_weight, options)
        if data.classes is not None:
            self.classes_ = data.classes
        return data

    def _linear(self, X: Any) -> NDArray[Any]:
        """Return the predictions, of several classes one for each."""
        check_is_fitted(self, "coef_")
        X = validate_data(self, X, accept_sparse=FORMATS, dtype=TYPES, reset=False)
        predictions: NDArray[Any] = X @ self.coef_.T
        predictions += self.intercept_
        is_of_one = predictions.ndim > 1 and predictions.shape[1] == 1
        return predictions[:, 0] if is_of_one else predictions

    def _keep(self, coef: Array, intercept: Array) -> None:
        """Keep a model in the shapes that scikit-learn's have."""
        if self._losses is OF_CLASSES:
            coef, intercept = np.atleast_2d(coef), np.atleast_1d(intercept)
        self.coef_ = coef
        self.intercept_ = intercept if intercept.ndim else float(intercept)


class ProxModel(LinearModel):
    """A model for one regularizer."""

    max_iterations: int
    tolerance: float
    warm_start: bool

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Find the coefficients.

        Parameters
        ----------
        X : array_like or sparse matrix of shape (n_samples, n_features)
            Dense, CSR or CSC of float32 or float64, which is neither changed nor copied.
        y : array_like of shape (n_samples,)
            Targets: numbers, or labels of classes.
        sample_weight : array_like of shape (n_samples,), optional
            Weights >= 0 of the samples in the mean loss; a factor of all of them changes nothing.

        Returns
        -------
        self
        """
        problem = self._data(X, y, sample_weight).problem()
        run = problem.minimize(
            self.regularizer,
            self._start(problem),
            max_iterations=self.max_iterations,
            tolerance=self.tolerance,
        )
        self._keep(*problem.model(run.x))
        self.n_iter_ = run.iterations
        self.objective_ = problem.objective(self.regularizer, run.x)
        if not run.converged:
            warn_of_end(type(self).__name__, f"in {run.iterations} iterations")
        return self

    def _start(self, problem: Problem) -> NDArray[Any]:
        coef = getattr(self, "coef_", None)
        if not self.warm_start or coef is None or coef.size != np.prod(problem.shape):
            return problem.start()
        return problem.vector(
            coef.reshape(problem.shape).astype(problem.dtype),
            np.reshape(self.intercept_, problem.shape[:-1]).astype(problem.dtype),
        )


class RegressorPart(RegressorMixin, LinearModel):
    """What regressors have."""

    loss: str
    _losses = OF_NUMBERS

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = self.loss == "poisson"
        return tags

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the expected targets of samples, of the Poisson loss exp(z).

        Parameters
        ----------
        X : array_like or sparse matrix of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        predictions = self._linear(X)
        return np.exp(predictions, out=predictions) if self.loss == "poisson" else predictions


def _has_probabilities(estimator: Any) -> bool:
    if estimator.loss != "log":
        raise AttributeError(
            f"{type(estimator).__name__}: loss must be 'log' for probabilities, "
            f"got {estimator.loss!r}"
        )
    return True


class ClassifierPart(ClassifierMixin, LinearModel):
    """What classifiers have."""

    loss: str
    _losses = OF_CLASSES

    def decision_function(self, X: Any) -> NDArray[Any]:
        """Return the linear predictions, of two classes those of the second.

        Parameters
        ----------
        X : array_like or sparse matrix of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        return self._linear(X)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the likeliest classes of samples.

        Parameters
        ----------
        X : array_like or sparse matrix of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        z = self._linear(X)
        found: NDArray[Any] = self.classes_[z.argmax(axis=1) if z.ndim > 1 else (z > 0).astype(int)]
        return found

    @available_if(_has_probabilities)
    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Return the probabilities of the classes, of the loss "log".

        Parameters
        ----------
        X : array_like or sparse matrix of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        z = self._linear(X)
        if z.ndim > 1:
            return np.asarray(softmax(z, axis=1))
        return np.stack([expit(-z), expit(z)], axis=1)


class ProxRegressor(RegressorPart, ProxModel):
    r"""Linear regression with any regularizer: its mean loss plus the regularizer of coefficients.

    Parameters
    ----------
    regularizer : Regularizer
        An object such as `bridle.L1`, or of any class with ``value``, ``prox`` and ``is_convex``.
        It sees coefficients of shape (n_features,).
    loss : {"squared", "huber", "poisson"}
        Of a target y and a prediction z: :math:`(y - z)^2 / 2`; the `bridle.huber_penalty` of
        y - z with ``delta``; or :math:`e^z - y z` of counts y >= 0, whose mean is :math:`e^z`.
    delta : float
        Where the Huber loss becomes linear, > 0. In units of the target.
    fit_intercept : bool
        Whether there is an intercept, which costs nothing. Features are then centered, without a
        copy of them.
    max_iterations : int
        Number of iterations after which a ConvergenceWarning is given, at least 1.
    tolerance : float
        How far from stationary a solution may be, as a part of that of the best model without
        features: the distance of the negative gradient from the subdifferential, of features
        scaled to about one size where the regularizer sees each coefficient by itself. In float32,
        rounding lets it be no less than about 1e-5.
    warm_start : bool
        Whether `fit` starts from the last solution.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Coefficients, in the type of the matrix: float32 is kept.
    intercept_ : float
        Intercept, 0.0 without one.
    n_iter_ : int
        Number of iterations.
    objective_ : float
        Mean loss plus regularizer.
    n_features_in_, feature_names_in_
        As of other estimators.

    See Also
    --------
    ProxRegressorCV : Chooses the strength.
    ProxClassifier : For classes.

    Notes
    -----
    .. math::
        \min_{w, b} \frac{1}{\sum_i s_i} \sum_i s_i\, \ell(y_i, x_i^T w + b) + R(w)

    The sample weights s are 1 by default; as with scikit-learn's Lasso, a factor of all of them
    changes nothing. ``Lasso(alpha=a)`` is here the squared loss with ``br.L1(a)``, and
    ``ElasticNet(alpha=a, l1_ratio=r)`` is here ``br.ElasticNet(a * r, a * (1 - r) / 2)``.

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> import bridle.sklearn
    >>> X = np.random.default_rng(0).standard_normal((100, 5))
    >>> y = X @ [2.0, -1.0, 0.0, 0.0, 0.0] + 3.0
    >>> model = br.sklearn.ProxRegressor(br.L1(0.1)).fit(X, y)
    >>> model.coef_.round(2), round(model.intercept_, 2)
    (array([ 1.87, -0.89,  0.  ,  0.  ,  0.  ]), 3.0)
    >>> model.set_params(regularizer__strength=0.5)
    ProxRegressor(regularizer=L1(strength=0.5))
    """

    def __init__(
        self,
        regularizer: Regularizer = DEFAULT,
        *,
        loss: str = "squared",
        delta: float = 1.35,
        fit_intercept: bool = True,
        max_iterations: int = 10_000,
        tolerance: float = 1e-6,
        warm_start: bool = False,
    ) -> None:
        self.regularizer = regularizer
        self.loss = loss
        self.delta = delta
        self.fit_intercept = fit_intercept
        self.max_iterations = max_iterations
        self.tolerance = tolerance
        self.warm_start = warm_start


class ProxClassifier(ClassifierPart, ProxModel):
    r"""Linear classification with any regularizer: its mean loss plus that of the coefficients.

    Parameters
    ----------
    regularizer : Regularizer
        An object such as `bridle.L1`, or of any class with ``value``, ``prox`` and ``is_convex``.
        It sees coefficients of shape (n_features,) of two
        classes, else (n_classes, n_features).
    loss : {"log", "squared_hinge"}
        Of a class y and predictions z: the log loss, multinomial of several classes, or
        :math:`\max(0, 1 - yz)^2` with y = -1 or 1, of several classes each against the rest.
    class_weight : dict or "balanced", optional
        Factors of the weights of samples by class; "balanced" gives all classes the same weight.
    fit_intercept : bool
        Whether there is an intercept, which costs nothing. Features are then centered, without a
        copy of them.
    max_iterations : int
        Number of iterations after which a ConvergenceWarning is given, at least 1.
    tolerance : float
        How far from stationary a solution may be, as a part of that of the best model without
        features: the distance of the negative gradient from the subdifferential, of features
        scaled to about one size where the regularizer sees each coefficient by itself. In float32,
        rounding lets it be no less than about 1e-5.
    warm_start : bool
        Whether `fit` starts from the last solution.

    Attributes
    ----------
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Coefficients, in the type of the matrix: float32 is kept.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Intercepts, zeros without them.
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    n_iter_ : int
        Number of iterations.
    objective_ : float
        Mean loss plus regularizer.
    n_features_in_, feature_names_in_
        As of other estimators.

    See Also
    --------
    ProxClassifierCV : Chooses the strength.
    ProxRegressor : For numbers.

    Notes
    -----
    .. math::
        \min_{w, b} \frac{1}{\sum_i s_i} \sum_i s_i\, \ell(y_i, x_i^T w + b) + R(w)

    The sample weights s are 1 by default; as with scikit-learn's Lasso, a factor of all of them
    changes nothing. ``LogisticRegression(C=C)`` of n samples is here ``br.L2(1 / (2 * n * C))``.

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> import bridle.sklearn
    >>> X = np.random.default_rng(0).standard_normal((200, 4))
    >>> y = np.where(X[:, 0] > 0, "yes", "no")
    >>> model = br.sklearn.ProxClassifier(br.L1(0.05)).fit(X, y)
    >>> model.coef_.round(2)
    array([[3.24, 0.  , 0.  , 0.  ]])
    >>> model.predict([[1.0, 0.0, 0.0, 0.0]])
    array(['yes'], dtype='<U3')
    """

    def __init__(
        self,
        regularizer: Regularizer = DEFAULT,
        *,
        loss: str = "log",
        class_weight: Any = None,
        fit_intercept: bool = True,
        max_iterations: int = 10_000,
        tolerance: float = 1e-6,
        warm_start: bool = False,
    ) -> None:
        self.regularizer = regularizer
        self.loss = loss
        self.class_weight = class_weight
        self.fit_intercept = fit_intercept
        self.max_iterations = max_iterations
        self.tolerance = tolerance
        self.warm_start = warm_start


def warn_of_end(owner: str, where: str, callers: int = 1) -> None:
    """Warn of a run that ended before it converged, at what calls so many functions further up."""
    warnings.warn(
        f"{owner}: no convergence {where}; raise max_iterations or tolerance, "
        "scale the features, or take a stronger regularizer",
        ConvergenceWarning,
        stacklevel=2 + callers,
    )
