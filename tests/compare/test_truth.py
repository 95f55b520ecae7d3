"""`bridle compare` on data whose truth is known: the conclusion is what is checked."""

import numpy as np
import pytest

from bridle._compare.results import Results
from bridle._compare.verdict import verdict

from .data import compare, dataset

for package in ("sklearn", "threadpoolctl"):
    pytest.importorskip(package)


def classes(features, weights, noise, generator):
    score = features @ weights + noise * generator.standard_normal(len(features))
    return (score > 0).astype(np.int64)


def test_a_few_columns_of_many_are_found_by_l1():
    generator = np.random.default_rng(0)
    features = generator.standard_normal((400, 200))
    target = classes(features[:, :3], [2, -2, 2], 0.5, generator)
    results = Results(compare(dataset(features, target), "linear", quick=False))
    l1 = results.row("l1")
    assert l1 in results.clear
    assert l1.mean("difference") > 5
    assert l1.mean("zeros_percent") > 40
    assert {feature.name for feature in l1.features[:3]} == {"x0", "x1", "x2"}
    signs = {feature.name: np.sign(feature.mean_weight) for feature in l1.features[:3]}
    assert signs == {"x0": 1, "x1": -1, "x2": 1}
    assert [feature.kept for feature in l1.features[:3]] == [5, 5, 5]
    assert abs(l1.features[3].mean_weight) < 0.2 * abs(l1.features[2].mean_weight)
    assert not results.row("l2").features


def test_a_few_columns_of_many_are_found_among_more_columns_than_rows():
    generator = np.random.default_rng(0)
    features = generator.standard_normal((150, 400))
    target = 3 * features[:, 0] - 2 * features[:, 7] + generator.standard_normal(150)
    results = Results(compare(dataset(features, target), "linear"))
    assert results.best.name in ("l1", "elastic_net", "all")
    assert {feature.name for feature in results.row("l1").features[:2]} == {"x0", "x7"}
    assert results.row("l1").mean("test_score") > 0.8 > results.row("none").mean("test_score")


def test_a_network_with_more_weights_than_samples_is_helped():
    generator = np.random.default_rng(1)
    features = generator.standard_normal((160, 300))
    target = classes(features[:, :2], [3, 3], 0.1, generator)
    results = Results(compare(dataset(features, target), grids={"l1": [1e-2], "l2": [1e-3]}))
    assert results.best.name == "l1"
    assert "L1 helps" in verdict(results)


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        *(("linear", kind) for kind in ("two classes", "five classes", "number")),
        *(("network", kind) for kind in ("two classes", "number")),
    ],
)
def test_noise_tells_nothing(model, kind):
    generator = np.random.default_rng(2)
    features = generator.standard_normal((120, 10))
    target = {
        "two classes": generator.permutation(np.arange(120) % 2),
        "five classes": generator.permutation(np.arange(120) % 5),
        "number": generator.standard_normal(120),
    }[kind]
    results = Results(compare(dataset(features, target), model, epochs=15))
    assert results.best is None
    assert verdict(results).startswith(("Nothing beats the baseline", "The data do not tell"))


def test_shuffled_labels_of_real_data_tell_nothing():
    import sklearn.datasets

    features, target = sklearn.datasets.load_breast_cancer(return_X_y=True)
    shuffled = np.random.default_rng(0).permutation(target)
    results = Results(compare(dataset(features, shuffled), "linear"))
    assert results.best is None
    real = Results(compare(dataset(features, target), "linear"))
    assert real.row("none").clearly("difference_from_baseline")
    assert real.row("none").mean("test_score") > 90


def test_one_percent_of_positives_is_no_success_of_guessing():
    generator = np.random.default_rng(0)
    features = generator.standard_normal((1500, 4))
    target = (features[:, 0] + 0.7 * generator.standard_normal(1500) > 2.8).astype(np.int64)
    assert 0.005 < target.mean() < 0.02
    results = Results(compare(dataset(features, target), "linear"))
    baseline = results.row("baseline")
    assert baseline.mean("test_score") > 98
    assert baseline.mean("balanced_accuracy_percent") == 50
    assert baseline.mean("roc_auc") == 0.5
    assert results.best is None
    sentence = verdict(results)
    assert sentence.startswith("Nothing beats the baseline")
    assert "something that accuracy does not show" in sentence


def test_data_that_a_line_fits_need_nothing():
    generator = np.random.default_rng(0)
    features = generator.standard_normal((400, 4))
    target = features @ [1.0, -1.0, 2.0, 0.5] + 0.1 * generator.standard_normal(400)
    results = Results(compare(dataset(features, target), "linear"))
    assert results.row("none").mean("test_score") > 0.99
    assert results.best is None


def test_rmse_is_in_the_unit_of_the_target():
    generator = np.random.default_rng(0)
    features = generator.standard_normal((300, 3))
    target = 1e6 + 5000 * (features @ [1.0, 1.0, 1.0]) + 100 * generator.standard_normal(300)
    row = Results(compare(dataset(features, target), "linear", grids={"l2": [1e-3]})).row("none")
    assert row.mean("rmse") == pytest.approx(100, rel=0.2)
