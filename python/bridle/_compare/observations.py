"""What can be seen in the results, in words: numbers, and no claim that they do not bear out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bridle._compare.training import Result


def observations(results: Sequence[Result], epochs: int) -> list[str]:
    """Return one sentence for each thing worth seeing in the results of all methods."""
    by_name = {result.method.name: result for result in results}
    return [
        _overfitting(by_name["none"]),
        _best(results),
        _sparsity(by_name["l1"], by_name["elastic_net"]),
        _shrinkage(by_name["l2"], by_name["none"]),
        _stopping(by_name["early_stopping"], epochs),
        _cost(results),
    ]


def _overfitting(plain: Result) -> str:
    return (
        f"Without regularization the network gets {plain.train_accuracy_percent:.1f} % of its "
        f"training samples right but {plain.test_accuracy_percent:.1f} % of those it has never "
        f"seen: a gap of {plain.gap_points:.1f} points."
    )


def _best(results: Sequence[Result]) -> str:
    gaps = {result.method.title: round(result.gap_points, 1) for result in results}
    tests = {result.method.title: round(result.test_accuracy_percent, 1) for result in results}
    gap, test = min(gaps.values()), max(tests.values())
    return (
        f"The gap is smallest with {_titles(gaps, gap)} ({gap:.1f} points); unseen samples are "
        f"classified best with {_titles(tests, test)} ({test:.1f} %)."
    )


def _titles(values: Mapping[str, float], best: float) -> str:
    titles = [title for title, value in values.items() if value == best]
    return " and ".join([", ".join(titles[:-1]), titles[-1]] if len(titles) > 1 else titles)


def _sparsity(l1: Result, elastic_net: Result) -> str:
    return (
        f"L1 leaves {l1.zeros_percent:.1f} % of the weights exactly zero, elastic net "
        f"{elastic_net.zeros_percent:.1f} %: these need be neither stored nor multiplied."
    )


def _shrinkage(l2: Result, plain: Result) -> str:
    return (
        f"L2 brings the L2 norm of the weights to {l2.l2_norm:.1f}, against {plain.l2_norm:.1f} "
        f"without it; {l2.zeros_percent:.1f} % of them are exactly zero."
    )


def _stopping(stopped: Result, epochs: int) -> str:
    if stopped.epochs == epochs:
        return f"Early stopping found no reason to stop within {epochs} epochs."
    return (
        f"Early stopping ended training after {stopped.epochs} of {epochs} epochs and went back "
        f"to the weights of epoch {stopped.best_epoch}."
    )


def _cost(results: Sequence[Result]) -> str:
    dear = max(results, key=lambda result: result.time_in_bridle_percent)
    return (
        f"Regularizing took at most {dear.time_in_bridle_percent:.1f} % of the training time "
        f"({dear.method.title})."
    )
