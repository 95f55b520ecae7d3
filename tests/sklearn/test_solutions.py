"""What the estimators find: that of scikit-learn's, and what the optimality condition asks for."""

import tracemalloc

import numpy as np
import pytest

pytest.importorskip("sklearn")

from scipy import sparse
from sklearn import linear_model

import bridle as br
import bridle.sklearn as bs
from bridle.sklearn._design import Design

from . import problems

TIGHT = {"tolerance": 1e-9, "max_iterations": 20_000}


def objective(model, X, y, regularizer):
    """Return the mean loss plus regularizer of any linear model."""
    z = X @ np.squeeze(model.coef_).T + np.squeeze(model.intercept_)
    if isinstance(model, linear_model.PoissonRegressor) or getattr(model, "loss", "") == "poisson":
        losses = np.exp(z) - y * z
    elif np.ndim(z) > 1:
        losses = np.logaddexp.reduce(z, axis=1) - z[np.arange(len(y)), y]
    elif hasattr(model, "classes_"):
        losses = np.logaddexp(0, z) - y * z
    else:
        losses = (y - z) ** 2 / 2
    return losses.mean() + regularizer.value(np.squeeze(model.coef_))


def logistic(n, strength):
    """Return scikit-learn's classifier for strength times the squared norm, of n samples."""
    return linear_model.LogisticRegression(C=1 / (2 * n * strength), tol=1e-10, max_iter=10_000)


def sparse_logistic(n, strength):
    """Return scikit-learn's classifier for strength times the sum of absolute weights."""
    options = {"C": 1 / (n * strength), "l1_ratio": 1, "solver": "saga"}
    if linear_model.LogisticRegression().penalty == "l2":  # as in 1.6; later l1_ratio says it all
        options["penalty"] = "elasticnet"
    return linear_model.LogisticRegression(tol=1e-9, max_iter=20_000, **options)


EXACT = {"tol": 1e-12, "max_iter": 100_000}
PEERS = {
    "lasso": (problems.diabetes, br.L1(0.1), linear_model.Lasso(alpha=0.1, **EXACT)),
    "weak lasso": (problems.diabetes, br.L1(0.002), linear_model.Lasso(alpha=0.002, **EXACT)),
    "elastic net": (
        problems.diabetes,
        br.ElasticNet(0.04, 0.005),
        linear_model.ElasticNet(alpha=0.05, l1_ratio=0.8, **EXACT),
    ),
    "non-negative lasso": (
        problems.diabetes,
        br.NonNegativeL1(0.1),
        linear_model.Lasso(alpha=0.1, positive=True, **EXACT),
    ),
    "ridge": (problems.diabetes, br.L2(0.01), linear_model.Ridge(alpha=2 * 442 * 0.01)),
    "counts": (
        problems.counts,
        br.L2(0.01),
        linear_model.PoissonRegressor(alpha=0.02, tol=1e-12, max_iter=1000),
    ),
    "two classes": (problems.breast_cancer, br.L2(0.01), logistic(569, 0.01)),
    "three classes": (problems.wine, br.L2(0.01), logistic(178, 0.01)),
    "digits": (problems.digits, br.L2(0.01), logistic(300, 0.01)),
    "sparse, of two classes": (problems.breast_cancer, br.L1(0.01), sparse_logistic(569, 0.01)),
}


@pytest.mark.parametrize("name", PEERS)
def test_objectives_are_those_of_scikit_learn(name):
    load, regularizer, peer = PEERS[name]
    X, y = load()
    if hasattr(peer, "predict_proba"):
        model = bs.ProxClassifier(regularizer)
    else:
        model = bs.ProxRegressor(regularizer, loss="poisson" if name == "counts" else "squared")
    model.set_params(**TIGHT).fit(X, y)
    ours, theirs = (objective(m, X, y, regularizer) for m in (model, peer.fit(X, y)))
    assert ours <= theirs + 1e-6 * abs(theirs)
    assert ours >= theirs - 1e-5 * abs(theirs)
    assert model.objective_ == pytest.approx(ours, rel=1e-12)


def test_huber_with_a_scale_of_one_is_that_of_scikit_learn():
    X, y = problems.diabetes()
    X, y = X * 20, (y - 150) / 50
    peer = linear_model.HuberRegressor(alpha=0.1, epsilon=1.5, tol=1e-10, max_iter=10_000).fit(X, y)
    # Theirs is the sum of sigma + sigma H((y - z) / sigma) with H twice the penalty here.
    delta, strength = 1.5 * peer.scale_, 0.1 * peer.scale_ / (2 * len(y))
    model = bs.ProxRegressor(br.L2(strength), loss="huber", delta=delta, **TIGHT).fit(X, y)
    np.testing.assert_allclose(model.coef_, peer.coef_, rtol=2e-3, atol=2e-4)


REGRESSIONS = {
    "group lasso": br.GroupL2(0.3, labels=[0, 0, 1, 1, 2, 2, 2, 3, 3, 3]),
    "sparse group": br.SparseGroup(0.1, 0.2, labels=[0, 0, 1, 1, 2, 2, 2, 3, 3, 3]),
    "slope": br.Slope(np.linspace(0.5, 0.05, 10)),
    "mcp": br.MCP(0.3, 2e3),
    "scad": br.SCAD(0.3, 3.7),
    "non-negative lasso": br.NonNegativeL1(0.1),
    "factors of features": br.L1(np.linspace(0.0, 0.5, 10)),
    "of parts": br.SeparableSum([(slice(4), br.L1(0.2)), (slice(4, 10), br.LinfNorm(0.3))]),
    "bounds": br.Box(-100.0, 100.0),
    "simplex": br.Simplex(500.0),
    "reference": br.L2SP(np.full(10, 100.0), 1e-3),
}
LOSSES = {"squared": problems.diabetes, "huber": problems.diabetes, "poisson": problems.counts}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", REGRESSIONS)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_numbers_satisfy_the_optimality_condition(name, loss, fit_intercept):
    regularizer, tolerance, delta = REGRESSIONS[name], 1e-6, 40.0
    X, y = LOSSES[loss]()
    if loss == "poisson" and name in ("bounds", "simplex", "reference"):
        regularizer = br.Translated(br.L2(1e-3), np.full(10, 1.0))
    model = bs.ProxRegressor(
        regularizer, loss=loss, delta=delta, fit_intercept=fit_intercept, tolerance=tolerance,
        max_iterations=20_000,
    ).fit(X, y)  # fmt: skip
    z = X @ model.coef_ + model.intercept_
    slope = problems.gradient(X, y, z, loss, delta)
    level = {"squared": np.mean(y), "huber": np.median(y), "poisson": np.log(np.mean(y))}[loss]
    constant = np.full(len(y), level if fit_intercept else 0.0)
    whole = np.linalg.norm(problems.gradient(X, y, constant, loss, delta))
    assert regularizer.subdifferential_distance(model.coef_, slope) <= 2 * tolerance * whole
    if fit_intercept:
        ones = np.ones((len(y), 1))
        assert abs(problems.gradient(ones, y, z, loss, delta)[0]) <= 2 * tolerance * y.mean()
    else:
        assert model.intercept_ == 0.0


CLASSES = {
    "lasso": br.L1(0.01),
    "groups of classes": br.GroupL2(0.02, axis=0),
    "mcp": br.MCP(0.02, 30.0),
    "matrix": br.Nuclear(0.02),
    "elastic net": br.ElasticNet(0.01, 0.01),
}


@pytest.mark.parametrize("loss", ["log", "squared_hinge"])
@pytest.mark.parametrize("load", [problems.wine, problems.breast_cancer])
@pytest.mark.parametrize("name", CLASSES)
def test_classes_satisfy_the_optimality_condition(name, load, loss):
    X, y = load()
    regularizer, n_classes, tolerance = CLASSES[name], len(set(y)), 1e-6
    if name == "matrix" and n_classes == 2:  # which are one vector
        regularizer = br.L2Norm(0.02)
    model = bs.ProxClassifier(regularizer, loss=loss, tolerance=tolerance).fit(X, y)
    z = model.decision_function(X)
    assert model.coef_.shape == (1 if n_classes == 2 else n_classes, X.shape[1])
    coef = model.coef_[0] if n_classes == 2 else model.coef_
    slope = problems.gradient(X, y, z, loss)
    whole = np.linalg.norm(problems.gradient(X, y, np.zeros_like(z), loss))
    if name == "matrix" and n_classes > 2:  # with no closed form of its subdifferential
        step = 0.1
        moved = np.linalg.norm(regularizer.prox(coef - step * slope, step) - coef) / step
    else:
        moved = regularizer.subdifferential_distance(coef, slope)
    assert moved <= 2 * tolerance * whole


@pytest.mark.parametrize("load", [problems.diabetes, problems.breast_cancer, problems.wine])
@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix])
def test_sparse_equals_dense(load, form):
    X, y = load()
    X = np.where(np.abs(X) < np.median(np.abs(X)), 0, X)
    kind = bs.ProxRegressor if load is problems.diabetes else bs.ProxClassifier
    dense = kind(br.L1(0.01), **TIGHT).fit(X, y)
    other = kind(br.L1(0.01), **TIGHT).fit(form(X), y)
    np.testing.assert_allclose(other.coef_, dense.coef_, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(other.intercept_, dense.intercept_, rtol=1e-6)
    np.testing.assert_allclose(other.predict(form(X)), dense.predict(X), rtol=1e-6)


@pytest.mark.parametrize("form", [np.asarray, np.asfortranarray, sparse.csr_array])
@pytest.mark.parametrize("loss", ["squared", "huber", "log", "squared_hinge"])
def test_float32_is_kept_and_nothing_of_it_is_changed(form, loss):
    X, y = problems.diabetes() if loss in ("squared", "huber") else problems.wine()
    given = form(X.astype(np.float32))
    before = given.copy()
    kind = bs.ProxRegressor if loss in ("squared", "huber") else bs.ProxClassifier
    model = kind(br.L1(0.01), loss=loss, tolerance=1e-5, max_iterations=50_000)
    model.set_params(**({"delta": 50.0} if loss == "huber" else {})).fit(given, y)
    assert model.coef_.dtype == np.float32
    assert (before != given).sum() == 0
    exact = kind(**model.get_params(deep=False)).fit(X, y)
    assert exact.coef_.dtype == np.float64
    np.testing.assert_allclose(model.coef_, exact.coef_, atol=2e-3 * np.abs(exact.coef_).max())
    assert kind(br.L1(0.01), loss=loss).fit(X.astype(int), y).coef_.dtype == np.float64


@pytest.mark.parametrize("loss", ["squared", "huber", "poisson", "log", "squared_hinge"])
@pytest.mark.parametrize("format", ["csr", "csc"])
def test_a_sparse_matrix_needs_memory_for_few_vectors(loss, format):
    rng = np.random.default_rng(0)
    shape = 20_000, 6_000
    places = rng.integers(0, shape, (1_200_000, 2), np.int32)
    X = sparse.coo_array((rng.random(len(places)), tuple(places.T)), shape).asformat(format)
    y = X[:, :20] @ np.ones(20)
    kind = bs.ProxRegressor if loss in ("squared", "huber", "poisson") else bs.ProxClassifier
    y = y if kind is bs.ProxRegressor else y > 0.1
    model = kind(br.L1(1e-3), loss=loss, tolerance=1e-3)
    tracemalloc.start()
    model.fit(X, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * 8 * sum(shape)


@pytest.mark.parametrize("name", ["one size", "many sizes"])
def test_features_of_any_size_converge_as_if_they_were_scaled(name):
    X, y = problems.diabetes()
    sizes = np.ones(10) if name == "one size" else 10.0 ** np.arange(-5, 5)
    levels = 0 if name == "one size" else 3 * sizes
    regularizer = br.L1(0.1 * sizes)
    model = bs.ProxRegressor(regularizer).fit(X * sizes + levels, y)
    assert model.n_iter_ < 200
    expected = bs.ProxRegressor(br.L1(0.1)).fit(X, y)
    np.testing.assert_allclose(model.coef_ * sizes, expected.coef_, rtol=1e-3, atol=0.1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array, sparse.csc_array])
@pytest.mark.parametrize("is_centered", [True, False])
def test_sizes_of_features_are_powers_of_two_and_rounding_is_none(dtype, form, is_centered):
    rng = np.random.default_rng(0)
    X = np.column_stack([np.full(999, 0.1), 1e4 * rng.standard_normal(999), np.zeros(999)])
    weights = rng.random(999).astype(dtype)
    design = Design(form(X.astype(dtype)), weights / weights.sum(), is_centered=is_centered)
    np.testing.assert_array_equal(design.sizes, [2.0**-3, 2.0**13, 1.0])
    assert design.sizes.dtype == dtype


def test_constant_features_cost_no_convergence():
    X, y = problems.diabetes()
    wide = np.column_stack([X, np.full(len(y), 1e6), np.zeros(len(y))])
    plain, model = (bs.ProxRegressor(br.L1(0.1), **TIGHT).fit(data, y) for data in (X, wide))
    np.testing.assert_allclose(model.coef_[:10], plain.coef_, rtol=1e-5)
    assert (model.coef_[10:] == 0).all()
    assert model.n_iter_ < 1000


@pytest.mark.parametrize("loss", ["squared", "huber", "poisson", "log", "squared_hinge"])
def test_weights_are_as_good_as_repeated_samples(loss):
    X, y = problems.counts() if loss in ("squared", "huber", "poisson") else problems.wine()
    kind = bs.ProxRegressor if loss in ("squared", "huber", "poisson") else bs.ProxClassifier
    times = np.random.default_rng(0).integers(0, 3, len(y))
    model = kind(br.L1(0.02), loss=loss, tolerance=1e-8)
    weighted = model.fit(X, y, sample_weight=7.0 * times).coef_.copy()
    repeated = model.fit(np.repeat(X, times, axis=0), np.repeat(y, times)).coef_
    np.testing.assert_allclose(weighted, repeated, rtol=1e-4, atol=1e-6)


def test_weights_of_classes_are_weights_of_their_samples():
    X, y = problems.breast_cancer()
    counts = np.bincount(y)
    balanced = bs.ProxClassifier(br.L2(0.01), class_weight="balanced", **TIGHT).fit(X, y)
    by_hand = bs.ProxClassifier(br.L2(0.01), **TIGHT).fit(X, y, sample_weight=1 / counts[y])
    given = bs.ProxClassifier(br.L2(0.01), class_weight=dict(enumerate(1 / counts)), **TIGHT)
    np.testing.assert_allclose(balanced.coef_, by_hand.coef_, rtol=1e-6)
    np.testing.assert_allclose(given.fit(X, y).coef_, by_hand.coef_, rtol=1e-6)
    peer = logistic(569, 0.01).set_params(class_weight="balanced").fit(X, y)
    np.testing.assert_allclose(balanced.coef_, peer.coef_, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("n_features", [1, 2, 3, 5, 30])
def test_the_largest_singular_value_is_not_missed(n_features):
    rng = np.random.default_rng(0)
    start = rng.standard_normal(n_features)  # as it is in the search itself
    start += 0.001
    start /= np.linalg.norm(start)
    # All other directions have a variance twice as large as this one, almost an eigenvector.
    X = rng.standard_normal((400, n_features))
    values, vectors = np.linalg.eigh(X.T @ X / 400)
    spread = 2 * np.eye(n_features) - 1.01 * np.outer(start, start)
    X = X @ vectors / np.sqrt(values) @ np.linalg.cholesky(spread).T
    exact = np.linalg.norm(X, 2) ** 2 / 400
    design = Design(X, np.full(400, 1 / 400), is_centered=False)
    assert exact * (1 - 1e-6) <= design.largest_square(None) <= 1.02 * exact
