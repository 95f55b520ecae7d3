"""`bridle compare`: the network, the data and the training."""

from functools import partial
from itertools import pairwise

import numpy as np
import pytest

import bridle as br
from bridle._compare import CompareError
from bridle._compare.data import load_csv, load_digits
from bridle._compare.methods import METHODS, Method, Regularization
from bridle._compare.network import Network, loss_and_accuracy
from bridle._compare.training import Run, Settings, reproducible, train

for package in ("sklearn", "threadpoolctl", "matplotlib", "jinja2", "rich"):
    pytest.importorskip(package)

BY_NAME = {method.name: method for method in METHODS}
FLOWERS = "length;width;species\n" + "".join(
    f"{i % 7 + 10 * (i % 2)};{i * 0.5};{'red' if i % 2 else 'blue <b>'}\n" for i in range(60)
)


@pytest.fixture(scope="module")
def digits():
    return load_digits(seed=0)


def flowers(tmp_path, text=FLOWERS):
    path = tmp_path / "flowers.csv"
    path.write_text(text, encoding="utf-8")
    return path


def fit(name, data, epochs, **settings):
    with reproducible(None):
        return train(BY_NAME[name], data, Settings(epochs, 0, **settings), lambda: None)


# The network


def drop(step, layer, values):
    br.dropout(values, 0.4, seed=1, stream=16 * step + layer, out=values)


@pytest.mark.parametrize("mask", [None, partial(drop, 3)], ids=["plain", "dropout"])
def test_gradients_are_those_of_finite_differences(mask):
    generator = np.random.default_rng(0)
    network = Network((4, 6, 5, 3), generator, np.float64)
    for bias in network.biases:
        bias += generator.standard_normal(bias.shape)
    inputs, labels = generator.standard_normal((9, 4)), generator.integers(0, 3, 9)
    _, gradients = network.gradients(inputs, labels, mask)
    for parameter, gradient in zip(network.parameters, gradients, strict=True):
        for index in np.ndindex(parameter.shape):
            before, losses = parameter[index], []
            for shift in (1e-6, -1e-6):
                parameter[index] = before + shift
                losses.append(network.gradients(inputs, labels, mask)[0])
            parameter[index] = before
            numeric = (losses[0] - losses[1]) / 2e-6
            assert gradient[index] == pytest.approx(numeric, rel=1e-5, abs=1e-8)


def test_loss_and_accuracy_of_known_logits():
    logits = np.log(np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25]]))
    loss, accuracy = loss_and_accuracy(logits, np.array([0, 2]))
    assert loss == pytest.approx(np.log(8) / 2)
    assert accuracy == 0.5


# The data


def test_digits_are_split_without_loss_and_with_all_classes(digits):
    parts = (digits.training, digits.validation, digits.test)
    assert sum(len(part.labels) for part in parts) == 1797
    for part in parts:
        counts = np.bincount(part.labels, minlength=10)
        assert counts.max() - counts.min() < 0.05 * len(part.labels)


def test_one_digit_in_ten_is_mislabelled(digits):
    import sklearn.datasets

    images, labels = sklearn.datasets.load_digits(return_X_y=True)
    truth = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    for part in (digits.training, digits.validation, digits.test):
        inputs = (16 * part.inputs).astype(images.dtype)
        right = [
            truth[image.tobytes()] == label
            for image, label in zip(inputs, part.labels, strict=True)
        ]
        assert 0.86 < np.mean(right) < 0.94


def test_csv_is_standardized_by_its_training_samples(tmp_path):
    data = load_csv(flowers(tmp_path), "species", seed=0)
    sizes = [len(part.labels) for part in (data.training, data.validation, data.test)]
    assert sizes == [36, 12, 12]
    assert (data.features, data.classes) == (2, 2)
    np.testing.assert_allclose(data.training.inputs.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(data.training.inputs.std(axis=0), 1, rtol=1e-6)
    assert data.training.inputs.dtype == np.float32


@pytest.mark.parametrize("position", [0, 1, 2])
def test_csv_may_have_a_mark_quotes_blank_lines_and_the_label_anywhere(tmp_path, position):
    lines = [["a", "b"], *([str(i), "7.5"] for i in range(30))]
    labels = ['"the, label"', *('"x, y"' if i % 2 else '" z "' for i in range(30))]
    for line, label in zip(lines, labels, strict=True):
        line.insert(position, label)
    text = "\ufeff" + "\r\n\r\n".join(",".join(line) for line in lines)
    data = load_csv(flowers(tmp_path, text), "the, label", seed=0)
    assert (data.features, data.classes) == (2, 2)
    assert not data.training.inputs[:, 1].any()


@pytest.mark.parametrize(
    ("text", "target", "words"),
    [
        (FLOWERS, "colour", "no column named 'colour'; the columns are 'length', 'width', "),
        (FLOWERS.replace("\n3;", "\nthree;", 1), "species", "'three', which is not a number"),
        (FLOWERS.replace("\n3;", "\nnan;", 1), "species", "'nan', which is not a number"),
        (FLOWERS.replace("\n3;", "\n;", 1), "species", "column 'length' is missing"),
        (FLOWERS.replace(";red", ";", 1), "species", "label in column 'species' is missing"),
        (FLOWERS.replace(";red", "", 1), "species", "row 2 has 2 values, the header 3"),
        (FLOWERS.replace(";red", ';"red', 1), "species", "unexpected end of data"),
        (FLOWERS.replace("width", "species"), "species", "2 columns are named 'species'"),
        (FLOWERS.replace("blue <b>", "red"), "species", "the same label in every row"),
        (FLOWERS[:80], "species", "too few"),
        (FLOWERS.replace("red", "1").replace("blue <b>", "2"), "width", "60 different labels in"),
        (FLOWERS.replace("\n3;", "\n1e300;"), "length", "'blue <b>', which is not a number"),
        (FLOWERS.replace("\n3;", "\n1e300;"), "species", "column 'length' are too large"),
        ("", "species", "is empty"),
        ("species\nred\n", "species", "only one column"),
    ],
)
def test_unusable_csv_is_one_line(tmp_path, text, target, words):
    with pytest.raises(CompareError) as error:
        load_csv(flowers(tmp_path, text), target, seed=0)
    assert words in str(error.value)
    assert "flowers.csv: " in str(error.value)
    assert "\n" not in str(error.value)


def test_csv_that_is_no_text_is_one_line(tmp_path):
    (tmp_path / "picture.csv").write_bytes(b"\x89PNG\xff\xfe\x00")
    with pytest.raises(CompareError, match=r"picture\.csv: not a text file in UTF-8$"):
        load_csv(tmp_path / "picture.csv", "x", seed=0)


# Training


def test_methods_do_what_they_are_known_for(digits):
    none, l1, l2, elastic_net = (
        fit(name, digits, 60, hidden=(128,)) for name in ("none", "l1", "l2", "elastic_net")
    )
    assert none.zeros_percent == l2.zeros_percent == 0
    assert l1.zeros_percent > 50
    assert elastic_net.zeros_percent > 20
    assert l1.l1_norm < none.l1_norm / 4
    assert l2.l2_norm < none.l2_norm / 2
    assert none.gap_points > 5 + max(r.gap_points for r in (l1, l2, elastic_net))
    assert none.time_in_bridle_percent == 0
    assert 0 < l1.time_in_bridle_percent < 100


def test_all_methods_start_alike(digits):
    runs = [Run(method, digits, Settings(1, 5)) for method in METHODS]
    for first, second in pairwise(runs):
        for one, other in zip(first.network.parameters, second.network.parameters, strict=True):
            np.testing.assert_array_equal(one, other)


def test_early_stopping_restores_the_best_weights(digits):
    best = Run(BY_NAME["early_stopping"], digits, Settings(60, 0, hidden=(64,)))
    while not best.epoch():
        pass
    result = best.result()
    losses = result.history["validation_loss"]
    assert result.epochs == len(losses) == result.best_epoch + result.method.patience
    logits = best.network.predict(digits.validation.inputs)
    assert loss_and_accuracy(logits, digits.validation.labels)[0] == min(losses)
    assert result.test_loss == result.history["test_loss"][result.best_epoch - 1]


def test_penalty_is_what_the_method_adds_to_the_loss():
    weights = [np.array([[1.0, -2.0]], np.float32), np.array([[0.5]], np.float32)]
    penalties = {"l1": 3.5, "l2": 5.25}
    for l1, l2 in ((0.0, 0.0), (0.1, 0.0), (0.0, 0.2), (0.1, 0.2)):
        method = Method("", "", "", l1=l1, l2=l2)
        expected = l1 * penalties["l1"] + l2 * penalties["l2"]
        assert Regularization(method, 0.1, 0).penalty(weights) == pytest.approx(expected)


def test_blas_and_bridle_threads_are_put_back(monkeypatch):
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
