"""The page of `bridle compare`, over comparisons made by hand: nothing is trained here."""

import html.parser
import math
import re
from dataclasses import replace

import numpy as np
import pytest

from bridle._compare.columns import NOTHING, columns, four_digits, minus
from bridle._compare.comparison import Baseline, Comparison, Trials
from bridle._compare.data import PARTS, Dataset
from bridle._compare.page import MOST_FEATURES, interrupted, page
from bridle._compare.plots import window
from bridle._compare.report import Report
from bridle._compare.results import Results
from bridle._compare.table import Table
from bridle._compare.training import plan
from bridle._compare.verdict import verdict

from . import data as fakes
from .data import BY_NAME

for package in ("sklearn", "matplotlib", "jinja2"):
    pytest.importorskip(package)

EPOCHS = 6


def dataset(classes=("no", "yes"), names=("size", "colour=red", "colour=blue"), **fields):
    target = np.arange(30) % max(len(classes), 7)
    table = Table(
        names=tuple(names),
        features=np.zeros((30, len(names))),
        indicator=np.zeros(len(names), bool),
        target=target if classes else target.astype(float),
        classes=tuple(classes),
        notes=(),
    )
    return Dataset(**{"name": "a file", "notes": (), "table": table, "sizes": (18, 6)} | fields)


def scores(data, test):
    if data.table.classes:
        extra = {"roc_auc": 0.75} if len(data.table.classes) == 2 else {}
        return {"accuracy_percent": test, "balanced_accuracy_percent": test - 3, **extra}
    return {"r2": test / 100, "rmse": 1234567.8 - test}


def outcome(data, test, *, finite=True, loss=1.0, weights=None, validation=None):
    """Return what training might give: `loss` is the height at which the curves begin."""
    history = [loss / (1 + epoch) for epoch in range(EPOCHS)]
    finite = finite and math.isfinite(test)
    tests = {"training": test + 5, "validation": test if validation is None else validation}
    outputs = 1 if len(data.table.classes) <= 2 else len(data.table.classes)
    ones = np.ones(len(data.table.names) * outputs, np.float32)
    return replace(
        fakes.outcome(0, 0, finite=finite, weights=ones if weights is None else weights),
        losses=dict.fromkeys(PARTS, history[-1] if finite else math.nan),
        scores={part: scores(data, tests.get(part, test)) for part in PARTS},
        epochs=EPOCHS,
        best_epoch=EPOCHS - 2,
        history={"train_loss": history, "validation_loss": [2 * value for value in history]},
    )


def comparison(tests, *, data=None, repeats=5, model="linear", complete=True, **changes):
    """Return a comparison of methods, each with the test scores that its strengths have.

    ``tests`` holds for each method a score per strength, which grows with the repeats;
    ``changes`` are arguments of `outcome` by the name of the method.
    """
    data = dataset() if data is None else data
    settings = plan(model, 18, 0, repeats, EPOCHS, True)
    trials = []
    for name, by_strength in tests.items():
        one = Trials(BY_NAME[name], list(by_strength), may_extend=True)
        for strength, score in by_strength.items():
            one.outcomes[strength] = [
                outcome(data, score + 0.1 * repeat, **changes.get(name, {}))
                for repeat in range(repeats)
            ]
        trials.append(one)
    base = {part: scores(data, 20.0) for part in PARTS}
    return Comparison(data, settings, trials, [Baseline(base)] * repeats, complete)


GOOD = {"none": {0.0: 70.0}, "l1": {1e-3: 71.0, 1e-2: 80.0, 1e-1: 60.0}, "l2": {1e-2: 75.0}}


def report_of(compared, command="bridle compare --seed 0"):
    return Report(Results(compared), 1, command)


class Page(html.parser.HTMLParser):
    """A page taken apart: its tags, what they refer to, its texts, labels and table rows."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.references, self.labels, self.rows = [], [], [], []
        self.text, self.inside = "", False
        self.feed(text)
        self.text = " ".join(self.text.split())
        self.rows = [[" ".join(cell.split()) for cell in row] for row in self.rows]

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        for name, value in attributes:
            if name.split(":")[-1] in ("src", "href", "data"):
                self.references.append(value)
            if name == "aria-label":
                self.labels.append(value)
        if tag == "tr":
            self.rows.append([dict(attributes).get("class", "")])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self.inside = True

    def handle_endtag(self, tag):
        self.inside = self.inside and tag not in ("td", "th")

    def handle_data(self, data):
        self.text += data
        if self.inside:
            self.rows[-1][-1] += data

    def row(self, title):
        """Return the cells of a method's row, its class first."""
        return next(row for row in self.rows if row[1].startswith(title))


def read(compared):
    text = page(report_of(compared))
    return text, Page(text)


def test_page_needs_no_other_file_and_is_always_the_same():
    text, parts = read(comparison(GOOD))
    assert page(report_of(comparison(GOOD))) == text
    assert "http:" not in text
    assert "https:" not in text
    assert "@import" not in text
    assert not set(parts.tags) & {"script", "link", "iframe", "img", "object"}
    assert all(reference.startswith("#") for reference in parts.references)


def test_verdict_comes_first_and_all_numbers_are_shown():
    compared = comparison(GOOD)
    _, parts = read(compared)
    results = Results(compared)
    shown = parts.text.split(" bridle compare ", 1)[1].replace("\N{NO-BREAK SPACE}", " ")
    assert shown.startswith(minus(verdict(results)))
    for row in results.rows:
        cells = parts.row(row.title)[2:]
        for cell, column in zip(cells, columns(results.task), strict=True):
            assert cell.startswith(minus(column.text(row)))
            assert cell.endswith(minus(column.spread_text(row)))
    for method in results.methods:
        assert method.method.explanation in parts.text
    assert compared.data.summary in parts.text
    assert np.__version__ in parts.text
    assert "bridle compare --seed 0" in parts.text


def test_what_the_user_names_is_escaped():
    odd = '<i>"a"</i> & \N{SNOWMAN}' + 200 * "n"
    data = dataset(classes=(f"{odd}1", f"{odd}2"), names=[f"{odd}=x"], name=odd, notes=(odd,))
    text = page(report_of(comparison(GOOD, data=data), command=odd))
    assert "<i>" not in text
    assert text.count("&lt;i&gt;") >= 6
    assert f"{odd}=x" in Page(text).text


def test_marks_follow_the_results():
    _, parts = read(comparison(GOOD))
    marks = {title: parts.row(title)[0] for title in ("majority class", "none", "L1", "L2")}
    assert marks == {"majority class": "", "none": "", "L1": "best", "L2": "clear"}
    assert "best" in parts.row("L1")[1]
    assert "clearly better" in parts.row("L2")[1]
    _, parts = read(comparison({"none": {0.0: 70.0}, "l1": {1e-3: 70.0}}))
    assert not any(row[0] for row in parts.rows)


@pytest.mark.parametrize("classes", [("no", "yes"), ("a", "b", "c"), ()])
def test_a_method_that_diverged_has_no_numbers_and_moves_no_axis(classes):
    data = dataset(classes)
    tests = {
        "none": {0.0: 70.0},
        "l1": {1e-3: 71.0},
        "l2": {1e-3: 70.5},
        "early_stopping": {3: 70.0},
    }
    wild = {"finite": False, "loss": 1e300, "validation": -1e9}
    good = page(report_of(comparison(tests, data=data)))
    text, parts = read(comparison(tests | {"dropout": {0.5: math.nan}}, data=data, dropout=wild))
    assert "diverged in 5 of 5" in parts.row("dropout")[1]
    assert set(parts.row("dropout")[2:]) == {NOTHING}
    assert "Not shown, since every repeat diverged: dropout." in parts.text

    def curves(text):
        return re.findall(r'<svg role="img" aria-label="Loss of.*?</svg>', text, re.DOTALL)

    assert curves(text) == curves(good)


def test_a_loss_that_rises_far_is_named_and_stretches_no_axis():
    tests = {name: {BY_NAME[name].linear[0]: 70.0} for name in ("l1", "l2", "dropout")}
    tests = {"none": {0.0: 70.0}} | tests
    text, parts = read(comparison(tests, dropout={"loss": 1e6}))
    ticks = [float(tick) for tick in re.findall(r">(\d+\.\d+)</text>", text)]
    assert max(ticks) < 100
    assert "up to 2e+06" in text
    assert any("2e+06 after the first epoch" in label for label in parts.labels)


@pytest.mark.parametrize("finite", [True, False])
def test_an_axis_leaves_out_what_is_far_away(finite):
    far = -1e9 if finite else math.nan
    shown = window([70, 71, 72, 73, 74, far], 1.0)
    assert 69 < shown.low < 70 < 74 < shown.high < 75
    assert far not in shown


@pytest.mark.parametrize(
    "change",
    [
        {"repeats": 1},
        {"tests": {"none": {0.0: 70.0}}},
        {"tests": {"none": {0.0: math.nan}, "l1": {0.1: math.nan}}},
        {"tests": {"none": {0.0: math.nan}, "l1": {0.1: 70.0}}},
        {"model": "network"},
        {"data": dataset(classes=())},
        {"data": dataset(classes=[f"class {i}" for i in range(60)])},
        {"data": dataset(names=[f"x{i}" for i in range(2000)])},
    ],
    ids=["once", "none only", "all diverged", "none diverged", "network", "number", "60", "2000"],
)
def test_every_kind_of_comparison_has_a_page(change):
    _, parts = read(comparison(**{"tests": GOOD} | change))
    assert parts.tags.count("table") >= 1
    assert "nan" not in parts.text.replace("finance", "")
    assert not any("nan" in label for label in parts.labels)


@pytest.mark.parametrize(
    ("by_strength", "extended", "sentence"),
    [
        ({1e-3: 80.0, 1e-2: 75.0}, False, "at the weakest strength tried, 0.001: weaker ones"),
        ({1e-3: 75.0, 1e-2: 80.0}, True, "0.01, although the grid was extended once: stronger"),
        ({1e-3: 75.0, 1e-2: 80.0, 1e-1: 75.0}, True, "The grid was extended once: its best"),
        ({1e-3: 75.0, 1e-2: 80.0, 1e-1: 75.0}, False, None),
    ],
)
def test_a_best_strength_at_the_edge_is_said(by_strength, extended, sentence):
    compared = comparison({"none": {0.0: 70.0}, "l1": by_strength})
    if extended:
        compared.trials[1].grid = compared.trials[1].grid[:1]
    _, parts = read(compared)
    assert (sentence or "") in parts.text
    assert sentence or "extended once:" not in parts.text


def test_early_stopping_grows_stronger_to_the_right():
    _, parts = read(comparison({"none": {0.0: 70.0}, "early_stopping": {30: 71.0, 3: 72.0}}))
    (label,) = [one for one in parts.labels if one.startswith("Validation accuracy of early")]
    assert label.index("30: 71.2") < label.index("3: 72.2")
    assert "chosen in 5" in label


def test_pictures_say_their_numbers():
    _, parts = read(comparison(GOOD))
    text = " ".join(parts.labels)
    assert "0.01: 80.2 ± 0.2 %, chosen in 5" in text
    assert "none 70.2 ± 0.2 %, majority class 20.0 ± 0.0 %" in text
    assert "L1: +10.0, +10.0, +10.0, +10.0, +10.0" in text
    assert "none: 75.2 ± 0.2 % and 70.2 ± 0.2 %" in text
    assert "Training: 1 after the first epoch, lowest 0.167 after epoch 6" in text


def weights_of(data, kept):
    """Return weights that keep the first columns only, falling, of alternating signs."""
    count = len(data.table.names)
    outputs = 1 if len(data.table.classes) <= 2 else len(data.table.classes)
    weights = np.zeros((count, outputs), np.float32)
    weights[:kept] = (np.arange(kept, 0, -1) * (-1.0) ** np.arange(kept))[:, np.newaxis]
    return weights.ravel()


def test_features_are_listed_with_their_weights():
    data = dataset(names=[f"column {i}" for i in range(50)])
    text, parts = read(comparison(GOOD, data=data, l1={"weights": weights_of(data, 40)}))
    assert parts.row("column 0")[2:4] == ["5", "+40.000"]
    assert parts.row("column 1")[2:4] == ["5", f"{minus('-39.000')}"]
    assert f"and {40 - MOST_FEATURES} more" in parts.text
    assert "Never: column 40, column 41" in parts.text
    assert f"column {MOST_FEATURES}" not in [row[1] for row in parts.rows]
    assert "A weight above zero speaks for yes, one below for no." in parts.text
    assert text.count('<svg viewBox="-50 0 100 10"') == MOST_FEATURES


@pytest.mark.parametrize(("count", "shown"), [(3, "class 2"), (20, "class 0 (+), class 1 (+)")])
def test_features_of_many_classes_name_them(count, shown):
    data = dataset(classes=[f"class {i}" for i in range(count)])
    _, parts = read(comparison(GOOD, data=data, l1={"weights": weights_of(data, 2)}))
    assert shown in parts.text.split("Features", 1)[1]
    assert "Never: colour=blue." in parts.text


def test_a_network_has_no_features():
    _, parts = read(comparison(GOOD, model="network"))
    assert "Features" not in parts.text


def test_an_interruption_is_said_with_what_was_finished():
    compared = comparison(GOOD, complete=False)
    del compared.trials[1].outcomes[1e-1][2:]
    compared.trials[2].outcomes.clear()
    _, parts = read(compared)
    sentence = (
        "Interrupted. These repeats were finished: 5 of 5 by none; 2 of 5 by L1; 0 of 5 by L2."
    )
    assert sentence in parts.text
    assert interrupted(replace(compared, complete=True)) == ""
    assert "beyond the edges" in interrupted(comparison(GOOD, complete=False))


def test_a_plain_model_that_diverged_is_not_called_none():
    _, parts = read(comparison({"none": {0.0: math.nan}, "l1": {0.1: math.nan}, "l2": {0.1: 70.0}}))
    assert "The plain model and L1 diverged in 5 of 5 repeats." in parts.text
    assert "None diverged" not in parts.text


def test_nothing_is_less_than_zero_by_rounding():
    _, parts = read(comparison({"none": {0.0: 70.0}, "l1": {1e-3: 69.99}}))
    assert "+0.0" in parts.row("L1")[4]
    assert minus("-0.0") not in parts.text


def test_an_axis_goes_no_further_than_scores_do():
    tests = {"none": {0.0: 90.0}, "l1": {1e-3: 99.0}}
    text, _ = read(comparison(tests, data=dataset(classes=()), l1={"validation": 99.9}))
    pictures = re.findall(r'<svg role="img" aria-label="[TV][^"]*R².*?</svg>', text, re.DOTALL)
    ticks = [float(tick) for one in pictures for tick in re.findall(r">([\d.]+)</text>", one)]
    assert len(pictures) == 3
    assert 0.9 < max(ticks) <= 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.000"),
        (12.3456, "12.35"),
        (1234567.8, "1,234,568"),
        (3.2e12, "3.200e+12"),
        (2e-7, "2.000e-07"),
    ],
)
def test_numbers_of_any_size_have_four_digits(value, text):
    assert four_digits(value) == text
