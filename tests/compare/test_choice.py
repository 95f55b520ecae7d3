"""`bridle compare`: the order of the trainings, the choice of strengths, and the verdict."""

import math
from itertools import count

import numpy as np
import pytest

from bridle._compare.comparison import Comparison
from bridle._compare.methods import METHODS
from bridle._compare.results import Results
from bridle._compare.training import plan, reproducible
from bridle._compare.verdict import edges, verdict

from .data import BY_NAME, Silent, compare, dataset, fake, outcome, trials

for package in ("sklearn", "threadpoolctl"):
    pytest.importorskip(package)


def steady(validation, test, repeats=5):
    """Outcomes that hardly vary between repeats."""
    return [outcome(validation, test + 0.1 * (repeat % 2)) for repeat in range(repeats)]


# The choice


def test_validation_chooses_and_test_does_not():
    runs = {0.01: [outcome(70, 99)], 0.1: [outcome(80, 60)], 1.0: [outcome(75, 99)]}
    comparison = fake({"none": {0.0: [outcome(60, 60)]}, "l1": runs})
    choice = comparison.choice(comparison.trials[1], 0)
    assert (choice.strength, choice.diverged) == (0.1, False)


def test_ties_go_to_the_lower_loss_and_then_to_the_weaker():
    runs = {0.01: [outcome(80, 1, loss=0.4)], 0.1: [outcome(80, 2, loss=0.3)]}
    comparison = fake({"l1": runs | {1.0: [outcome(80, 3, loss=0.3)]}}, baseline=20)
    assert comparison.choice(comparison.trials[0], 0).strength == 0.1


@pytest.mark.parametrize(
    "bad", [outcome(99, 99, finite=False), outcome(99, 99, loss=math.nan), outcome(19.9, 99)]
)
def test_what_diverged_is_not_chosen(bad):
    comparison = fake({"l1": {0.01: [bad], 0.1: [outcome(60, 60)]}})
    choice = comparison.choice(comparison.trials[0], 0)
    assert (choice.strength, choice.diverged) == (0.1, False)
    alone = fake({"l1": {0.01: [bad]}})
    assert alone.choice(alone.trials[0], 0).diverged


def test_a_test_score_far_under_the_baseline_has_diverged():
    comparison = fake({"l1": {0.01: [outcome(60, 19.9)], 0.1: [outcome(59, 60)]}})
    choice = comparison.choice(comparison.trials[0], 0)
    assert (choice.strength, choice.diverged) == (0.01, True)
    assert not comparison.diverged(outcome(60, 20.1), 0, "test")


@pytest.mark.parametrize(
    ("scores", "edge"),
    [((3, 2, 1), -1), ((1, 2, 3), 1), ((1, 3, 2), 0), ((3, 3, 1), 0), ((2, 2, 2), 0), ((1,), 0)],
)
def test_edges(scores, edge):
    runs = {10.0**i: [outcome(60 + score, 60)] for i, score in enumerate(scores)}
    comparison = fake({"l1": runs})
    assert comparison.edge(comparison.trials[0]) == edge


def test_a_grid_is_extended_once_where_its_best_lies_at_its_edge(monkeypatch):
    def train(split, setting, settings, repeat, on_epoch):
        strength = setting.l1 or setting.l2
        return outcome(60 + (math.log10(strength) if setting.l1 else -abs(strength - 1e-3)), 60)

    monkeypatch.setattr("bridle._compare.comparison.train", train)
    data = dataset(np.zeros((100, 2)), np.arange(100) % 2)
    settings = plan("network", 60, 0, 2, None, False)
    chosen = trials({"l1": [0.01, 0.1], "l2": [1e-4, 1e-3, 1e-2]})
    for one in chosen:
        one.may_extend = True
    comparison = Comparison(data, settings, chosen)
    comparison.run(Silent())
    results = Results(comparison)
    assert [point.strength for point in results.row("l1").curve] == [0.01, 0.1, 0.3, 1.0]
    assert [point.strength for point in results.row("l2").curve] == [1e-4, 1e-3, 1e-2]
    assert results.row("l1").strengths == [1.0]
    (sentence,) = edges(results)
    assert sentence.startswith("L1: The best mean is at the strongest strength tried, 1, although")


def test_strengths_beyond_the_ends_of_a_grid():
    def further(name, end, direction):
        return BY_NAME[name].scale.further(end, direction)

    assert further("l1", 1e-2, 1) == [3e-2, 1e-1]
    assert further("l1", 3e-4, -1) == [1e-4, 3e-5]
    assert further("dropout", 0.7, 1) == pytest.approx([0.85, 0.925])
    assert further("dropout", 0.1, -1) == [0.05, 0.025]
    assert further("early_stopping", 3, 1) == [2, 1]
    assert further("early_stopping", 30, -1) == [60, 120]
    for method in METHODS[1:]:
        for model in ("network", "linear"):
            grid = method.grid(model)
            assert method.scale.ordered(grid) == list(grid)
            assert all(map(method.scale.allows, grid))


# The verdict


def test_best_is_what_differs_by_more_than_twice_the_spread():
    comparison = fake(
        {
            "none": {0.0: steady(70, 70)},
            "l1": {0.1: steady(80, 80)},
            "l2": {0.1: [outcome(90, test) for test in (95, 72, 90, 73, 70)]},
        }
    )
    results = Results(comparison)
    assert results.best.name == "l1"
    assert results.row("l1").mean("difference") == pytest.approx(10)
    assert not results.row("l2").clearly("difference")
    assert "L1 helps: an accuracy of 80.0 ± 0.1 % on unseen samples" in verdict(results)


@pytest.mark.parametrize(("lowest", "is_best"), [(1.0, False), (1.25, True)])
def test_twice_the_spread_is_the_line(lowest, is_best):
    plain = [outcome(70, 70)] * 3
    other = [outcome(80, 70 + lowest + more) for more in (0, 1, 2)]  # of spread 1
    assert (Results(fake({"none": {0.0: plain}, "l1": {0.1: other}})).best is not None) is is_best


def test_the_best_of_several_is_that_of_the_best_validation_score():
    comparison = fake(
        {
            "none": {0.0: steady(70, 70)},
            "l1": {0.1: steady(80, 85)},
            "l2": {0.1: steady(81, 80)},
        }
    )
    assert [row.name for row in Results(comparison).clear] == ["l2", "l1"]
    assert verdict(Results(comparison)).endswith("L1 clearly helps, too.")


def test_nothing_is_best_that_does_not_beat_the_baseline():
    grids = {"none": {0.0: steady(50, 50)}, "l1": {0.1: steady(80, 80)}}
    results = Results(fake(grids, baseline=80))
    assert results.row("l1").clearly("difference")
    assert results.best is None
    sentence = verdict(results)
    assert sentence.startswith("Nothing beats the baseline: always naming the most frequent class")


def test_a_difference_that_is_written_as_zero_is_none():
    plain = [outcome(70, 70)] * 5
    for test, is_best in ((70.04, False), (70.06, True)):
        results = Results(fake({"none": {0.0: plain}, "l1": {0.1: [outcome(80, test)] * 5}}))
        assert results.row("l1").clearly("difference")
        assert (results.best is not None) is is_best


def test_one_repeat_cannot_tell():
    results = Results(fake({"none": {0.0: steady(50, 50, 1)}, "l1": {0.1: steady(90, 90, 1)}}))
    assert results.best is None
    assert verdict(results).startswith("One repeat cannot tell")


def test_small_or_uncertain_differences_do_not_tell():
    tests = (70, 75, 72, 71, 74)
    other = [
        outcome(75, test + shift) for test, shift in zip(tests, (3, -2, 4, 1, -1), strict=True)
    ]
    plain = [outcome(70, test) for test in tests]
    results = Results(fake({"none": {0.0: plain}, "l1": {0.1: other}}))
    assert results.best is None
    assert verdict(results).startswith("The data do not tell")
    assert "differs by +1.0 ± 2.5 points" in verdict(results)


def test_what_is_clearly_worse_does_not_help():
    results = Results(fake({"none": {0.0: steady(80, 80)}, "l1": {0.1: steady(70, 70)}}))
    assert verdict(results).startswith("Regularization does not help")


def test_repeats_that_diverged_are_named_and_count_for_nothing():
    broken = [outcome(99, 99, finite=False), *steady(80, 80, 4)]
    results = Results(fake({"none": {0.0: steady(70, 70)}, "l1": {0.1: broken}}))
    row = results.row("l1")
    assert row.diverged == 1
    assert len(row.values("test_score")) == len(row.values("difference")) == 4
    assert row.mean("test_score") < 81
    assert row.curve[0].diverged == 1
    assert results.best is row
    assert "L1 diverged in 1 of 5 repeats." in verdict(results)
    everything = [outcome(99, 99, finite=False)] * 5
    results = Results(fake({"none": {0.0: steady(70, 70)}, "l1": {0.1: everything}}))
    assert results.best is None
    assert results.row("l1").mean("test_score") is None
    assert "diverged in 5 of 5" in verdict(results)


def test_a_plain_model_that_diverged_is_no_measure():
    broken = [outcome(1, 1, finite=False)] * 5
    results = Results(fake({"none": {0.0: broken}, "l1": {0.1: steady(90, 90)}}))
    assert results.best is None
    assert "Without regularization the model diverged" in verdict(results)


def test_features_of_a_linear_model():
    weights = [(2.0, 0.0), (4.0, 1.0), (3.0, 0.0)]
    runs = [outcome(80, 80, weights=pair) for pair in weights]
    comparison = fake({"none": {0.0: steady(70, 70, 3)}, "l1": {0.1: runs}}, model="linear")
    first, second = Results(comparison).row("l1").features
    assert (first.name, first.kept, first.mean_weight) == ("x0", 3, 3.0)
    assert (second.name, second.kept) == ("x1", 1)
    assert second.mean_weight == pytest.approx(1 / 3)
    assert not Results(comparison).row("none").features


# The trainings


def small(seed=0):
    generator = np.random.default_rng(seed)
    features = generator.standard_normal((60, 4))
    return dataset(features, (features[:, 0] > 0).astype(np.int64))


def numbers(outcomes):
    """What must not depend on time."""
    return [
        (o.scores, o.losses, o.history, o.epochs, o.zeros_percent, o.weights.tobytes())
        for o in outcomes
    ]


def test_a_strength_tried_alone_is_the_same_as_among_others():
    grids = {"l1": [0.01, 0.1], "dropout": [0.3, 0.6], "early_stopping": [2, 5], "all": [0.01]}
    together = compare(small(), grids=grids, repeats=2, epochs=3)
    for one in together.trials[1:]:
        for strength, outcomes in one.outcomes.items():
            alone = compare(small(), grids={one.method.name: [strength]}, repeats=2, epochs=3)
            assert numbers(alone.trials[1].outcomes[strength]) == numbers(outcomes)


def test_same_seed_same_numbers_on_any_number_of_threads():
    settings = plan("network", 36, 3, 2, 3, False)
    runs = []
    for threads in (1, 2):
        comparison = Comparison(small(), settings, trials({"none": None, "l1": [0.01]}))
        with reproducible(threads):
            comparison.run(Silent())
        runs.append([numbers(o) for t in comparison.trials for o in t.outcomes.values()])
    assert runs[0] == runs[1]


class Interrupting(Silent):
    """Progress that is interrupted when the n-th training begins."""

    def __init__(self, number):
        self.left = number

    def begin(self, *_):
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


def test_interruption_keeps_what_was_finished(monkeypatch):
    monkeypatch.setattr(
        "bridle._compare.comparison.train",
        lambda split, setting, *_: outcome(60 + setting.l1 + setting.l2, 60),
    )
    settings = plan("network", 36, 0, 3, 1, False)
    grids = {"none": None, "l1": [0.001, 0.01], "l2": [0.01]}
    seen = set()
    for number in count(1):
        chosen = trials(grids)
        for one in chosen[1:]:
            one.may_extend = True
        comparison = Comparison(small(), settings, chosen)
        comparison.run(Interrupting(number))
        if comparison.complete:
            break
        done = [comparison.repeats(one) for one in comparison.trials]
        seen.add(tuple(done))
        assert done == sorted(done, reverse=True)
        assert done[0] - done[-1] <= 1
        results = Results(comparison)
        assert [len(row.repeats) for row in results.rows[1:]] == [n for n in done if n]
        assert verdict(results)
    assert {(0, 0, 0), (1, 0, 0), (1, 1, 0), (1, 1, 1), (2, 1, 1), (3, 3, 3)} <= seen
