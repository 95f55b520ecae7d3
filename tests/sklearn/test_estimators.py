"""The estimators as scikit-learn's machinery sees them, and what they say of mistakes."""

import doctest
import inspect
import pickle
import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn")

from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import bridle as br
import bridle.sklearn as bs

from . import problems

KINDS = [bs.ProxRegressor, bs.ProxClassifier, bs.ProxRegressorCV, bs.ProxClassifierCV]
EVERY = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
# Its other checks are of what no estimator of ours is asked for without a setting of SciPy's.
FEW = {"n_strengths": 4, "ratio": 0.1}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:The least populated class:UserWarning")
@parametrize_with_checks(
    [
        *(kind() for kind in KINDS[:2]),
        *(kind(**FEW) for kind in KINDS[2:]),
        bs.ProxRegressor(br.GroupL2(0.1), loss="huber"),
        bs.ProxRegressor(br.L2(0.1), loss="poisson"),
        bs.ProxClassifier(br.MCP(0.1, 3.0), loss="squared_hinge"),
    ]
)
def test_scikit_learn_finds_no_fault(estimator, check):
    check(estimator)


@EVERY
def test_the_examples_run(kind):
    (example,) = (
        test for test in doctest.DocTestFinder().find(kind, globs={}) if test.name == kind.__name__
    )
    report = []
    doctest.DocTestRunner(verbose=False).run(example, out=report.append)
    assert not report, "".join(report)


@EVERY
def test_every_parameter_and_attribute_is_documented(kind):
    text = inspect.getdoc(kind)
    for name in inspect.signature(kind).parameters:
        assert f"\n{name} : " in text
    X, y = problems.wine()
    model = kind(**FEW) if "CV" in kind.__name__ else kind()
    model.fit(X, y)
    for name in vars(model):
        if name.endswith("_") and not name.startswith("_"):
            assert f"\n{name} : " in text or f"{name}, " in text or f", {name}\n" in text, name


@EVERY
def test_a_parameter_of_the_regularizer_may_be_set_by_its_name(kind):
    first = br.ElasticNet(0.1, 0.2)
    model = kind(first)
    assert model.set_params(regularizer__l1=0.5, fit_intercept=False) is model
    assert model.regularizer == br.ElasticNet(0.5, 0.2)
    assert first == br.ElasticNet(0.1, 0.2)
    assert model.get_params()["regularizer__l1"] == 0.5
    model.set_params(regularizer=br.L1(1.0), regularizer__strength=3.0)
    assert model.regularizer == br.L1(3.0)
    with pytest.raises(ValueError, match="nothing"):
        model.set_params(regularizer__nothing=1.0, fit_intercept=True)
    with pytest.raises(ValueError, match="nothing"):
        model.set_params(nothing=1.0)
    assert (model.fit_intercept, model.regularizer) == (False, br.L1(3.0))


class Ridge:
    """A user's own regularizer, without parameters that have names."""

    is_convex = True

    def value(self, w):
        return 0.1 * float(np.sum(w * w))

    def prox(self, w, step=1.0, out=None):
        return w / (1 + 0.2 * step)


def test_a_regularizer_of_a_class_of_your_own_will_do():
    X, y = problems.breast_cancer()
    own, known = (bs.ProxClassifier(r, tolerance=1e-9).fit(X, y) for r in (Ridge(), br.L2(0.1)))
    np.testing.assert_allclose(own.coef_, known.coef_, rtol=1e-6)
    with pytest.raises(ValueError, match=r"^ProxClassifier: regularizer must have set_params for"):
        own.set_params(regularizer__strength=1.0)
    path = bs.regularization_path(X, y, Ridge(), loss="log", strengths=[2.0, 1.0])
    np.testing.assert_allclose(path.coefficients[1], own.coef_[0], rtol=1e-3)


@EVERY
def test_clones_and_pickles_are_equal(kind):
    X, y = problems.wine()
    model = kind(br.L1(0.02)).set_params(**FEW if "CV" in kind.__name__ else {})
    copy = clone(model)
    assert copy.regularizer is model.regularizer
    assert copy.get_params() == model.get_params()
    again = pickle.loads(pickle.dumps(model.fit(X, y)))
    np.testing.assert_array_equal(again.predict(X), copy.fit(X, y).predict(X))


def test_grids_name_regularizers_and_their_parameters():
    X, y = problems.diabetes()
    steps = make_pipeline(StandardScaler(), bs.ProxRegressor(br.L1(1.0)))
    strengths = [0.5, 5.0, 50.0]
    by_strength = GridSearchCV(steps, {"proxregressor__regularizer__strength": strengths}).fit(X, y)
    found = by_strength.best_estimator_[-1]
    assert found.regularizer.strength in strengths[:2]
    assert steps[-1].regularizer == br.L1(1.0)
    scores = by_strength.cv_results_["mean_test_score"]
    assert len(set(scores)) == 3
    grid = {"regularizer": [br.L1(strength) for strength in strengths]}
    plain = GridSearchCV(bs.ProxRegressor(), grid).fit(StandardScaler().fit_transform(X), y)
    np.testing.assert_allclose(plain.cv_results_["mean_test_score"], scores, atol=0.02)


def test_a_warm_start_goes_on_where_the_last_one_ended():
    for kind, (X, y), loss in [
        (bs.ProxRegressor, problems.diabetes(), "squared"),
        (bs.ProxRegressor, problems.counts(), "poisson"),
        (bs.ProxClassifier, problems.breast_cancer(), "log"),
        (bs.ProxClassifier, problems.wine(), "log"),
    ]:
        model = kind(br.L1(0.01), loss=loss, warm_start=True).fit(X, y)
        coef, first = model.coef_.copy(), model.n_iter_
        assert model.fit(X, y).n_iter_ < first / 2
        assert model.set_params(warm_start=False).fit(X, y).n_iter_ == first
        model.set_params(warm_start=True)
        np.testing.assert_allclose(model.coef_, coef, rtol=1e-3, atol=1e-3)
        model.fit(X[:, :3], y)
        assert model.coef_.shape[-1] == 3


def test_an_end_without_convergence_is_a_warning():
    X, y = problems.breast_cancer()
    with pytest.warns(
        ConvergenceWarning, match=r"^ProxClassifier: no convergence in 2 iter"
    ) as told:
        model = bs.ProxClassifier(max_iterations=2).fit(X, y)
    assert model.n_iter_ == 2
    assert told[0].filename == __file__
    with pytest.warns(
        ConvergenceWarning, match=r"^regularization_path: no convergence for"
    ) as told:
        bs.regularization_path(X, y, br.L1(1.0), loss="log", max_iterations=2)
    assert told[0].filename == __file__


def test_probabilities_are_those_of_the_log_loss():
    for X, y in (problems.wine(), problems.breast_cancer()):
        model = bs.ProxClassifier(br.L2(0.01)).fit(X, y)
        probabilities = model.predict_proba(X)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1)
        np.testing.assert_array_equal(
            model.classes_[probabilities.argmax(axis=1)], model.predict(X)
        )
        ratio = np.log(probabilities[:, -1] / probabilities[:, 0])
        z = model.decision_function(X)
        np.testing.assert_allclose(ratio, z if z.ndim == 1 else z[:, -1] - z[:, 0], rtol=1e-6)
        assert not hasattr(model.set_params(loss="squared_hinge"), "predict_proba")


def test_counts_are_predicted_by_their_means():
    X, y = problems.counts()
    model = bs.ProxRegressor(br.L2(1e-3), loss="poisson").fit(X, y)
    assert model.predict(X).mean() == pytest.approx(y.mean(), rel=1e-5)


BOTH = (bs.ProxRegressor, bs.ProxClassifier)
MISTAKES = [
    (BOTH, {"loss": "absolute"}, ValueError, "loss must be '"),
    (BOTH, {"loss": None}, ValueError, "loss must be '"),
    (BOTH, {"regularizer": "l1"}, TypeError, "regularizer must have value"),
    (BOTH, {"regularizer": br.L1}, TypeError, "regularizer must have value"),
    (BOTH, {"regularizer": None}, TypeError, "regularizer must have value"),
    (BOTH, {"max_iterations": 0}, ValueError, "max_iterations must be >= 1, got 0"),
    (BOTH, {"max_iterations": 1.5}, TypeError, "max_iterations must be an integer"),
    (BOTH, {"tolerance": -1.0}, ValueError, "tolerance must be >= 0, got -1.0"),
    (BOTH, {"tolerance": np.nan}, ValueError, "tolerance must be >= 0, got nan"),
    (BOTH[:1], {"delta": 0.0}, ValueError, "delta must be > 0 and finite, got 0.0"),
    (BOTH[:1], {"delta": np.inf}, ValueError, "delta must be > 0 and finite, got inf"),
    (BOTH[1:], {"class_weight": {0: -1.0}}, ValueError, "class_weight must be >= 0"),
    (BOTH[1:], {"class_weight": {0: 0.0, 1: 0.0, 2: 0.0}}, ValueError, "weights of samples must"),
    (KINDS[2:], {"strengths": []}, ValueError, "strengths must be numbers > 0"),
    (KINDS[2:], {"strengths": [1.0, 0.0]}, ValueError, "strengths must be numbers > 0"),
    (KINDS[2:], {"strengths": [np.nan]}, ValueError, "strengths must be numbers > 0"),
    (KINDS[2:], {"n_strengths": 0}, ValueError, "n_strengths must be >= 1, got 0"),
    (KINDS[2:], {"ratio": 1.0}, ValueError, "ratio must be > 0 and < 1, got 1.0"),
    (KINDS[2:], {"regularizer": br.L2(1.0)}, ValueError, "strengths must be given where none"),
    (KINDS[2:], {"regularizer": br.NonNegative()}, ValueError, "strengths must be given where"),
]


@pytest.mark.parametrize(("kinds", "params", "error", "message"), MISTAKES)
def test_mistakes_are_said_on_one_line(kinds, params, error, message):
    X, y = problems.wine()
    for kind in kinds:
        with pytest.raises(error, match=f"^{kind.__name__}: {message}") as raised:
            kind(**params).fit(X, y)
        assert "\n" not in str(raised.value)


def test_data_that_cannot_be_fitted_are_refused():
    X, y = problems.wine()
    weights = np.ones(len(y))
    for model in (bs.ProxRegressor(), bs.ProxClassifier()):
        name = type(model).__name__
        with pytest.raises(ValueError, match=f"^{name}: sample_weight must be >= 0, got -1.0"):
            model.fit(X, y, sample_weight=-weights)
        # The first is scikit-learn's; 1.6 has none.
        message = f"^(Sample weights must contain|{name}: weights of samples must have a sum > 0)"
        with pytest.raises(ValueError, match=message):
            model.fit(X, y, sample_weight=0 * weights)
        with pytest.raises(ValueError, match="NaN"):
            model.fit(np.where(X > 1, np.nan, X), y)
        with pytest.raises(NotFittedError):
            model.predict(X)
    with pytest.raises(ValueError, match=r"^ProxRegressor: y must be >= 0 for the loss 'poisson'"):
        bs.ProxRegressor(loss="poisson").fit(X, y - 1.0)
    with pytest.raises(ValueError, match=r"^ProxClassifier: y must have at least 2 classes"):
        bs.ProxClassifier().fit(X, 0 * y)
    with pytest.raises(ValueError, match=r"^L1: .*strength"):
        bs.ProxRegressor(br.L1([1.0, 2.0])).fit(X, y)


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array, sparse.csc_array])
@pytest.mark.parametrize(("dtype", "sizes"), [(np.float64, (170, 300)), (np.float32, (25, 35))])
def test_columns_whose_squares_are_out_of_range_are_refused(dtype, sizes, form):
    X, y = problems.wine()
    for exponent in (*sizes, -sizes[0], -sizes[1]):
        given = form((X.astype(np.float64) * 10.0**exponent).astype(dtype))
        for model in (bs.ProxRegressor(), bs.ProxClassifier()):
            with pytest.raises(ValueError, match=r"^Prox\w+: X must have columns of sizes from"):
                model.fit(given, y)
    # One that is as small as that beside others is as good as zero.
    tiny = np.column_stack([X, X[:, 0] * 10.0 ** -sizes[0]]).astype(dtype)
    assert bs.ProxRegressor(tolerance=1e-4).fit(form(tiny), y).coef_[-1] == 0


@pytest.mark.parametrize("loss", ["squared", "huber", "poisson", "log", "squared_hinge"])
def test_targets_without_anything_to_explain_have_coefficients_of_zero(loss):
    X, y = problems.wine()
    y = y if loss in bs._data.OF_CLASSES else np.full(len(y), 1e5)
    path = bs.regularization_path(0 * X, y, br.L1(1.0), loss=loss, n_strengths=3)
    assert not path.nonzeros.any()
    kind = bs.ProxClassifier if loss in bs._data.OF_CLASSES else bs.ProxRegressor
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = kind(br.L1(0.1), loss=loss).fit(0 * X, y)
    assert not model.coef_.any()
    if kind is bs.ProxRegressor:
        np.testing.assert_allclose(model.predict(X), y, rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_a_class_or_a_sample_without_weight_does_no_harm(class_weight, dtype):
    X, y = problems.wine()
    X, weights = X.astype(dtype), (y != 2).astype(float)
    model = bs.ProxClassifier(br.L1(0.01), class_weight=class_weight, tolerance=1e-4)
    model.fit(X, y, sample_weight=weights)
    assert np.isfinite(model.coef_).all()
    assert set(model.predict(X[y != 2])) == {0, 1}
    counts = bs.ProxRegressor(br.L1(0.1), loss="poisson").fit(X, 0 * y)
    assert np.isfinite(counts.intercept_)
