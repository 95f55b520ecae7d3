"""`bridle compare`: the models, the data and the training."""

from functools import partial

import numpy as np
import pytest

import bridle as br
from bridle._compare.data import load_digits
from bridle._compare.methods import METHODS, Setting
from bridle._compare.network import MomentumDescent, Network
from bridle._compare.tasks import Classification, Regression
from bridle._compare.training import Run, plan, reproducible, train

from .data import BY_NAME, compare, dataset

for package in ("sklearn", "threadpoolctl"):
    pytest.importorskip(package)

TASKS = {
    "two classes": Classification(("no", "yes")),
    "three classes": Classification(("a", "b", "c")),
    "number": Regression(2.0),
}


def targets_of(task, generator, size):
    if task.name == "regression":
        return generator.standard_normal(size)
    return generator.integers(0, len(task.classes), size)


@pytest.fixture(scope="module")
def digits():
    return load_digits(seed=0)


def sparse(seed=0, rows=300, columns=40):
    """Two classes, told apart by the first three columns."""
    generator = np.random.default_rng(seed)
    features = generator.standard_normal((rows, columns))
    noise = 0.5 * generator.standard_normal(rows)
    return dataset(features, (features[:, :3] @ [2, -2, 2] + noise > 0).astype(np.int64))


# The models


def drop(step, layer, values):
    return br.dropout(values, 0.4, seed=1, stream=16 * step + layer)


@pytest.mark.parametrize("mask", [None, partial(drop, 3)], ids=["plain", "dropout"])
@pytest.mark.parametrize("hidden", [(), (6, 5)], ids=["linear", "network"])
@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_gradients_are_those_of_finite_differences(task, hidden, mask):
    generator = np.random.default_rng(0)
    network = Network((4, *hidden, task.outputs), generator, np.float64)
    network.parameters[:] = generator.standard_normal(network.parameters.size)
    inputs, targets = generator.standard_normal((9, 4)), targets_of(task, generator, 9)
    gradient = network.gradient(inputs, targets, task, mask)
    for index, before in enumerate(network.parameters.copy()):
        losses = []
        for shift in (1e-6, -1e-6):
            network.parameters[index] = before + shift
            losses.append(task.loss(network._forward(inputs, mask)[-1], targets))
        network.parameters[index] = before
        numeric = (losses[0] - losses[1]) / 2e-6
        assert gradient[index] == pytest.approx(numeric, rel=1e-5, abs=1e-8)


def test_weights_come_first_and_are_what_the_layers_multiply_with():
    network = Network((3, 4, 2), np.random.default_rng(0))
    assert network.weights.size == 3 * 4 + 4 * 2
    network.parameters[:] = np.arange(network.parameters.size)
    assert [weight.shape for weight, _ in network.layers] == [(3, 4), (4, 2)]
    assert network.layers[1][0][0, 0] == 12
    assert network.layers[1][1].tolist() == [24, 25]


def test_long_gradients_are_shortened():
    parameters = np.zeros(2)
    descent = MomentumDescent(parameters, momentum=0.5, longest=1.0)
    descent.step(np.array([30.0, 40.0]), 1.0)
    np.testing.assert_allclose(parameters, [-0.3, -0.4])
    descent.step(np.array([0.3, 0.4]), 1.0)
    np.testing.assert_allclose(parameters, [-0.6, -0.8])


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_scores_are_those_of_scikit_learn(task):
    from sklearn import metrics

    generator = np.random.default_rng(0)
    targets = targets_of(task, generator, 200)
    outputs = generator.standard_normal((200, task.outputs))
    scores = task.scores(outputs, targets)
    if task.name == "regression":
        assert scores["r2"] == pytest.approx(metrics.r2_score(targets, outputs[:, 0]))
        error = metrics.mean_squared_error(2 * targets, 2 * outputs[:, 0])
        assert scores["rmse"] == pytest.approx(np.sqrt(error))
        assert task.loss(outputs, targets) == pytest.approx(error / 8)
        return
    predicted = outputs.argmax(axis=1) if task.outputs > 1 else (outputs[:, 0] > 0).astype(int)
    right = 100 * metrics.accuracy_score(targets, predicted)
    balanced = 100 * metrics.balanced_accuracy_score(targets, predicted)
    assert scores["accuracy_percent"] == pytest.approx(right)
    assert scores["balanced_accuracy_percent"] == pytest.approx(balanced)
    if task.outputs == 1:
        assert scores["roc_auc"] == pytest.approx(metrics.roc_auc_score(targets, outputs))
    logits = outputs if task.outputs > 1 else np.hstack([0 * outputs, outputs])
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert task.loss(outputs, targets) == pytest.approx(metrics.log_loss(targets, shares))


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_the_baseline_has_the_least_loss_of_all_constants(task):
    generator = np.random.default_rng(1)
    targets = targets_of(task, generator, 300)
    best = task.baseline(targets)
    least = task.loss(best.repeat(300, axis=0), targets)
    for _ in range(50):
        other = best + 0.1 * generator.standard_normal(best.shape)
        assert task.loss(other.repeat(300, axis=0), targets) > least


@pytest.mark.parametrize("l1", [0.003, 0.03])
def test_linear_regression_ends_at_the_lasso(l1):
    from sklearn.linear_model import Lasso

    generator = np.random.default_rng(0)
    features = generator.standard_normal((200, 20)) * np.linspace(1, 9, 20)
    target = features[:, :3].sum(axis=1) + generator.standard_normal(200)
    split = dataset(features, target).split([0])
    run = Run(split, Setting(l1=l1), plan("linear", 120, 0, 1, None, False), repeat=0)
    for _ in range(run.settings.epochs):
        run.epoch()
    lasso = Lasso(alpha=l1, tol=1e-10, max_iter=100_000)
    lasso.fit(split.training.inputs.astype(float), split.training.targets)
    np.testing.assert_allclose(run.model.weights, lasso.coef_, atol=1e-5)
    np.testing.assert_array_equal(run.model.weights != 0, lasso.coef_ != 0)


def test_logistic_regression_ends_where_the_penalized_loss_is_least():
    split = sparse().split([0])
    run = Run(split, Setting(l1=0.01, l2=0.01), plan("linear", 180, 0, 1, None, False), repeat=0)
    for _ in range(run.settings.epochs):
        run.epoch()
    inputs, targets = split.training.inputs, split.training.targets
    gradient = run.model.gradient(inputs, targets, split.task)[:-1]
    weights = run.model.weights
    # Zero is in the subdifferential.
    smooth = gradient + 2 * 0.01 * weights
    np.testing.assert_allclose(
        smooth[weights != 0], -0.01 * np.sign(weights[weights != 0]), atol=1e-5
    )
    assert np.abs(smooth[weights == 0]).max() <= 0.01 + 1e-5
    assert 3 <= np.count_nonzero(weights) < 30


# The data


def test_digits_are_split_without_loss_and_with_all_classes(digits):
    split = digits.split([0])
    parts = (split.training, split.validation, split.test)
    assert sum(len(part.targets) for part in parts) == 1797
    assert [len(part.targets) for part in parts] == list(digits.samples.values())
    for part in parts:
        counts = np.bincount(part.targets, minlength=10)
        assert counts.max() - counts.min() < 0.05 * len(part.targets)


def test_one_digit_in_ten_is_mislabelled(digits):
    import sklearn.datasets

    _, labels = sklearn.datasets.load_digits(return_X_y=True)
    assert np.mean(labels == digits.table.target) == pytest.approx(0.9, abs=1e-3)


def test_splits_are_standardized_by_their_training_samples():
    generator = np.random.default_rng(0)
    features = np.column_stack(
        [generator.normal(1e6, 3, 100), generator.integers(0, 2, 100), np.full(100, 7.1)]
    )
    features[::10, 0] = np.nan
    data = dataset(features, generator.normal(50, 4, 100), indicator=[False, True, False])
    split = data.split([0])
    inputs = split.training.inputs
    assert inputs.dtype == split.training.targets.dtype == np.float32
    np.testing.assert_allclose(inputs.mean(axis=0), 0, atol=1e-6)
    known = inputs[inputs[:, 0] != 0, 0]
    assert known.std() == pytest.approx(1, rel=1e-5)
    assert len(np.unique(inputs[:, 1])) == 2
    assert np.ptp(inputs[:, 1]) == pytest.approx(1)  # centred, not scaled
    assert np.all(inputs[:, 2] == 0)
    assert np.all(split.test.inputs[:, 2] == 0)
    assert split.training.targets.std() == pytest.approx(1, rel=1e-5)
    assert 2 < split.task.scale < 6
    other = data.split([1])
    assert not np.array_equal(other.training.targets, split.training.targets)


# Training


def test_methods_do_what_they_are_known_for(digits):
    split, settings = digits.split([0]), plan("network", 400, 0, 1, 60, False)
    gaps, zeros, norms = {}, {}, {}
    for name, strength in (("none", 0), ("l1", 3e-3), ("l2", 1e-2), ("elastic_net", 1e-2)):
        setting = BY_NAME[name].setting(strength, "network")
        with reproducible(1):
            outcome = train(split, setting, settings, 0, lambda: None)
        scores = {part: values["accuracy_percent"] for part, values in outcome.scores.items()}
        gaps[name] = scores["training"] - scores["test"]
        zeros[name], norms[name] = outcome.zeros_percent, outcome.l2_norm
        assert (outcome.time_in_bridle_percent > 0) == (name != "none")
    assert zeros["none"] == zeros["l2"] == 0
    assert zeros["l1"] > 70
    assert zeros["elastic_net"] > 20
    assert max(norms["l1"], norms["l2"]) < norms["none"] / 1.5
    assert max(gaps["l1"], gaps["l2"], gaps["elastic_net"]) < gaps["none"] - 5


def test_all_methods_start_alike_and_repeats_do_not(digits):
    split, settings = digits.split([0]), plan("network", 400, 5, 2, None, False)
    first, *others = (
        Run(split, method.setting(0.5, "network"), settings, 0).model.parameters
        for method in METHODS
        if method.name not in ("early_stopping",)
    )
    for other in others:
        np.testing.assert_array_equal(first, other)
    again = Run(split, Setting(), settings, 1).model.parameters
    assert not np.array_equal(first, again)


def test_early_stopping_restores_the_best_weights(digits):
    split = digits.split([0])
    run = Run(split, Setting(patience=10), plan("network", 400, 0, 1, None, False), repeat=0)
    while not run.epoch():
        pass
    outcome = run.outcome()
    losses = outcome.history["validation_loss"]
    assert outcome.epochs == len(losses) == outcome.best_epoch + 10
    assert outcome.losses["validation"] == min(losses)
    assert losses.index(min(losses)) == outcome.best_epoch - 1


def test_a_model_that_diverges_stops_and_says_so():
    split, settings = sparse().split([0]), plan("network", 180, 0, 1, 20, False)
    huge = type(settings)(**(vars(settings) | {"learning_rate": 1e30, "longest_gradient": None}))
    with reproducible(1):
        outcome = train(split, Setting(patience=3), huge, 0, lambda: None)
    assert not outcome.finite
    assert outcome.epochs < 20


@pytest.mark.parametrize("model", ["network", "linear"])
@pytest.mark.parametrize("seed", range(3))
def test_ordinary_data_with_heavy_tails_and_rare_columns_do_not_diverge(model, seed):
    generator = np.random.default_rng(seed)
    features = generator.standard_t(2, (200, 12))
    features[:, 6:] = generator.random((200, 6)) < 0.02
    target = (features[:, 0] + generator.standard_normal(200) > 0).astype(np.int64)
    comparison = compare(dataset(features, target), model, repeats=1, epochs=15)
    for trials in comparison.trials:
        for outcomes in trials.outcomes.values():
            assert not comparison.diverged(outcomes[0], 0, "validation"), trials.method.name


def test_threads_are_put_back():
    import threadpoolctl

    def blas():
        return [
            p["num_threads"] for p in threadpoolctl.threadpool_info() if p["user_api"] == "blas"
        ]

    before = br.get_num_threads(), blas()
    with reproducible(3):
        assert br.get_num_threads() == 3
        assert set(blas()) <= {1}
    assert (br.get_num_threads(), blas()) == before
