"""Solutions for many strengths, and the choice of one."""

import doctest
import sys

import numpy as np
import pytest

pytest.importorskip("sklearn")

from scipy import sparse
from sklearn.linear_model import LassoCV, lasso_path
from sklearn.model_selection import KFold

import bridle as br
import bridle.sklearn as bs

from . import problems


def wide():
    """Return data of more features than samples, of which few matter."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80, 200)) * 10.0 ** rng.integers(-2, 3, 200) + 1.0
    return X, X[:, :5] @ (3 / X.std(axis=0)[:5]) + rng.standard_normal(80)


def tall():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 40)) + 0.5
    return X, X[:, :5] @ np.ones(5) + rng.standard_normal(400)


REGULARIZERS = {
    "lasso": br.L1(1.0),
    "with factors": br.L1(np.resize([0.5, 1.0, 2.0, 4.0, 0.25], 200)),
    "elastic net": br.ElasticNet(1.0, 0.1),
    "mcp": br.MCP(1.0, 100.0),
    "scad": br.SCAD(1.0, 100.0),
    "non-negative": br.NonNegativeL1(1.0),
    "groups": br.GroupL2(1.0, labels=np.resize(np.arange(8), 200)),
}


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("data", [wide, tall])
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array, sparse.csc_array])
@pytest.mark.parametrize("name", REGULARIZERS)
def test_every_strength_is_solved(name, form, data, fit_intercept):
    X, y = data()
    X = X / X.std(axis=0) if name == "groups" else X  # which do not have features scaled
    regularizer = REGULARIZERS[name]
    if data is tall and name == "with factors":
        regularizer = br.L1(regularizer.strength[:40])
    if data is tall and name == "groups":
        regularizer = br.GroupL2(1.0, labels=regularizer.labels[:40])
    path = bs.regularization_path(
        form(X), y, regularizer, n_strengths=12, ratio=0.03, fit_intercept=fit_intercept
    )
    assert path.strengths[[0, -1]] == pytest.approx([path.strengths[0], 0.03 * path.strengths[0]])
    assert (np.diff(path.strengths) < 0).all()
    assert path.nonzeros[0] == 0 < path.nonzeros[1]
    sizes = np.std(X, axis=0) if fit_intercept else np.sqrt(np.mean(X**2, axis=0))
    sizes = 1.0 if name == "groups" else sizes
    whole = np.linalg.norm(problems.gradient(X, y, y.mean() * fit_intercept, "squared") / sizes)
    for strength, coef, intercept, objective in zip(
        path.strengths, path.coefficients, path.intercepts, path.objectives, strict=True
    ):
        z = X @ coef + intercept
        residual = (strength * regularizer)._residual(coef, -problems.gradient(X, y, z, "squared"))
        assert np.linalg.norm(residual / sizes) <= 4e-6 * whole
        expected = np.mean((y - z) ** 2) / 2 + strength * regularizer.value(coef)
        assert objective == pytest.approx(expected, rel=1e-6)
        assert intercept == pytest.approx(np.mean(y - X @ coef) * fit_intercept, abs=1e-6)


@pytest.mark.parametrize("loss", ["huber", "poisson", "log", "squared_hinge"])
def test_paths_of_other_losses_are_those_of_the_estimators(loss):
    if loss in ("huber", "poisson"):
        X, y = wide()
        y = np.round(np.exp(y / y.std())) if loss == "poisson" else y
        kind = bs.ProxRegressor
    else:
        X, y = problems.wine()
        kind = bs.ProxClassifier
    path = bs.regularization_path(X, y, br.L1(1.0), loss=loss, n_strengths=6, ratio=0.1)
    assert path.nonzeros[0] == 0 < path.nonzeros[1]
    for at in (2, 5):
        model = kind(br.L1(path.strengths[at]), loss=loss, tolerance=1e-7).fit(X, y)
        assert path.objectives[at] == pytest.approx(model.objective_, rel=1e-6)
        assert path.coefficients[at].shape == np.squeeze(model.coef_).shape
        np.testing.assert_allclose(path.intercepts[at], model.intercept_, rtol=1e-2, atol=1e-3)


def test_the_lasso_path_is_that_of_scikit_learn():
    X, y = problems.diabetes()
    path = bs.regularization_path(X, y, br.L1(1.0), tolerance=1e-9)
    assert len(path.strengths) == 100
    _, coefficients, _ = lasso_path(
        X - X.mean(axis=0), y - y.mean(), alphas=path.strengths, tol=1e-10, max_iter=100_000
    )
    np.testing.assert_allclose(path.coefficients, coefficients.T, atol=1e-3)


@pytest.mark.parametrize("data", [wide, tall])
def test_a_float32_path_stays_float32(data):
    X, y = data()
    path = bs.regularization_path(
        X.astype(np.float32), y, br.L1(1.0), tolerance=1e-4, n_strengths=10, ratio=0.1
    )
    exact = bs.regularization_path(X, y, br.L1(1.0), n_strengths=10, ratio=0.1)
    assert path.coefficients.dtype == np.float32
    assert path.objectives.dtype == np.float64
    np.testing.assert_allclose(path.objectives, exact.objectives, rtol=1e-4)


def test_a_path_of_few_features_does_not_copy_all():
    import tracemalloc

    X, y = wide()
    X = np.asfortranarray(np.tile(X, (1, 40)))
    tracemalloc.start()
    bs.regularization_path(X, y, br.L1(1.0), n_strengths=5, ratio=0.5)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < X.nbytes / 2


def test_strengths_may_be_given_in_any_order():
    X, y = tall()
    path = bs.regularization_path(X, y, br.L2(1.0), strengths=[0.1, 1.0, 0.5])
    np.testing.assert_array_equal(path.strengths, [1.0, 0.5, 0.1])
    one = bs.ProxRegressor(br.L2(0.5), tolerance=1e-8).fit(X, y)
    np.testing.assert_allclose(path.coefficients[1], one.coef_, rtol=1e-4)


def test_a_path_is_shown_and_drawn(monkeypatch):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    X, y = problems.wine()
    path = bs.regularization_path(X, y, br.L1(1.0), loss="log", n_strengths=4)
    assert repr(path).startswith("Path(strengths=4 from ")
    axes = path.plot()
    assert len(axes.lines) == 3 * 13 + 1
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), path.coefficients[:, 0, 0])
    assert path.plot(axes) is axes
    matplotlib.pyplot.close("all")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r'^Path: plot needs matplotlib.*"bridle\[plot\]"$'):
        path.plot()


def test_the_examples_run():
    for found in (bs.Path, bs.regularization_path):
        report = []
        for example in doctest.DocTestFinder().find(found, found.__name__, globs={}):
            doctest.DocTestRunner(verbose=False).run(example, out=report.append)
        assert not report, "".join(report)


def test_the_strength_is_that_of_the_least_loss_held_out():
    X, y = wide()
    folds = KFold(4)
    model = bs.ProxRegressorCV(br.L1(1.0), cv=folds, n_strengths=20, ratio=0.02).fit(X, y)
    assert model.losses_.shape == (20, 4)
    at = int(np.flatnonzero(model.path_.strengths == model.strength_)[0])
    assert at == model.mean_losses_.argmin()
    assert 0 < at < 19
    for fold, (train, test) in enumerate(folds.split(X)):
        part = bs.ProxRegressor(br.L1(model.strength_)).fit(X[train], y[train])
        loss = np.mean((y[test] - part.predict(X[test])) ** 2) / 2
        assert model.losses_[at, fold] == pytest.approx(loss, rel=1e-2)
    whole = bs.ProxRegressor(br.L1(model.strength_)).fit(X, y)
    np.testing.assert_allclose(model.predict(X), whole.predict(X), rtol=1e-2, atol=0.01)
    assert model.objective_ == pytest.approx(whole.objective_, rel=1e-4)
    assert model.regularizer_ == br.L1(model.strength_)


def test_the_choice_is_that_of_scikit_learn():
    X, y = tall()
    strengths = np.geomspace(1.0, 0.01, 30)
    peer = LassoCV(alphas=strengths, cv=5, tol=1e-8).fit(X, y)
    model = bs.ProxRegressorCV(strengths=strengths, tolerance=1e-7).fit(X, y)
    assert model.strength_ == pytest.approx(peer.alpha_)
    np.testing.assert_allclose(2 * model.losses_, peer.mse_path_, rtol=1e-4)


def test_one_standard_error_gives_the_largest_strength_that_is_as_good():
    X, y = wide()
    model = bs.ProxRegressorCV(br.L1(1.0), n_strengths=20, ratio=0.02)
    best = model.fit(X, y).strength_
    simpler = model.set_params(one_standard_error=True).fit(X, y)
    means, losses = simpler.mean_losses_, simpler.losses_
    error = losses[means.argmin()].std(ddof=1) / np.sqrt(losses.shape[1])
    expected = model.path_.strengths[np.flatnonzero(means <= means.min() + error)[0]]
    assert simpler.strength_ == expected > best


@pytest.mark.parametrize("load", [problems.wine, problems.breast_cancer])
@pytest.mark.parametrize("loss", ["log", "squared_hinge"])
def test_classes_are_chosen_for_as_well(load, loss):
    X, y = load()
    names = np.array(["one", "two", "three"])[y]
    model = bs.ProxClassifierCV(loss=loss, n_strengths=6, ratio=0.01, cv=3).fit(X, names)
    assert model.score(X, names) > 0.95
    assert model.coef_.shape == (1 if load is problems.breast_cancer else 3, X.shape[1])
    form = sparse.csc_array(X)
    other = bs.ProxClassifierCV(loss=loss, n_strengths=6, ratio=0.01, cv=3).fit(form, names)
    assert other.strength_ == pytest.approx(model.strength_)


def test_a_fold_may_lack_a_class():
    X, y = problems.wine()
    order = np.argsort(y, kind="stable")
    model = bs.ProxClassifierCV(cv=KFold(3), n_strengths=3, ratio=0.3).fit(X[order], y[order])
    assert np.isfinite(model.losses_).all()
    assert model.coef_.shape == (3, 13)
