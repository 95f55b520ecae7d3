"""The verdict: whether regularization helps, which, how strong, and how sure that is."""

from __future__ import annotations

from bridle._compare.columns import score_text
from bridle._compare.methods import NONE
from bridle._compare.results import BASELINE, Results, Row
from bridle._compare.words import listed

SURE = 5
"""Repeats with which chance passes for a difference in about one of 200 comparisons, not in 30."""


def verdict(results: Results) -> str:
    """Return the answer in a few sentences: numbers, and no claim that they do not bear out."""
    plain = results.row(NONE.name)
    repeats = len(plain.repeats) if plain is not None else 0
    if plain is None or repeats == 0:
        return "Nothing was finished that could be compared."
    if repeats == 1:
        return (
            "One repeat cannot tell: how much of a difference is chance shows only when "
            f"everything is repeated. {_state(results, plain)}"
        )
    if results.best is not None:
        return _helps(results, results.best)
    if plain.mean("test_score") is not None and not any(
        row.clearly("difference_from_baseline") for row in results.rows
    ):
        return _nothing_learned(results)
    return _no_answer(results, plain)


def _helps(results: Results, best: Row) -> str:
    name, counted = best.title, len(best.values("difference"))
    others = [row.title for row in results.clear[1:]]
    better = sum(value > 0 for value in best.values("difference"))
    sentences = [
        f"{_capital(name)} helps: {_score(results, best)} on unseen samples, "
        f"higher by {_difference(results, best)} than without regularization, "
        f"in {better} of {counted} repeats.",
        _strengths(best),
    ]
    if others:
        verb = "helps" if len(others) == 1 else "help"
        sentences.append(f"{_capital(listed(others))} clearly {verb}, too.")
    if counted < SURE:
        sentences.append("With so few repeats chance may look like this; more --repeats tell.")
    return " ".join([*sentences, _diverged(results)]).strip()


def _nothing_learned(results: Results) -> str:
    baseline = results.row(BASELINE)
    assert baseline is not None
    rest = (
        "always naming the most frequent class"
        if results.task.name == "classification"
        else "always predicting the mean"
    )
    sentence = (
        f"Nothing beats the baseline: {rest} has {_score(results, baseline)} on unseen samples, "
        "and no method, nor the plain model, is clearly better."
    )
    return " ".join(filter(None, [sentence, _ranking(results), _diverged(results)]))


def _ranking(results: Results) -> str:
    """Say that the classes are told apart where accuracy does not show it, if they are."""
    known = [row for row in results.rows if row.spread("roc_auc") is not None]
    if not known:
        return ""
    best = max(known, key=lambda row: row.mean("validation_roc_auc") or 0.0)
    auc, spread = best.mean("roc_auc") or 0.0, best.spread("roc_auc") or 0.0
    if auc - 0.5 <= 2 * spread:
        return ""
    name = "the plain model" if best.name == NONE.name else best.title
    return (
        f"Yet the features say something that accuracy does not show: {name} ranks the classes "
        f"with an area under the ROC curve of {auc:.2f} (chance has 0.5)."
    )


def _no_answer(results: Results, plain: Row) -> str:
    compared = [row for row in results.methods if row.mean("difference") is not None]
    if not compared:
        sentence = "The data do not tell whether regularization helps: there is nothing to compare."
        return " ".join([sentence, _state(results, plain), _diverged(results)]).strip()
    top = max(compared, key=lambda row: row.mean("difference") or 0.0)
    if all(row.clearly("difference", below=True) for row in compared):
        answer = "Regularization does not help: every method is clearly worse than none."
    else:
        answer = (
            "The data do not tell whether regularization helps: no method is better than none, and "
            "than the baseline, by more than twice the spread of the difference over the repeats."
        )
    sentence = f"The best, {top.title}, differs by {_difference(results, top, sign='+')}."
    return " ".join([answer, sentence, _state(results, plain), _diverged(results)]).strip()


def _state(results: Results, plain: Row) -> str:
    if plain.mean("test_score") is None:
        return "Without regularization the model diverged."
    return f"Without regularization it is {_score(results, plain)} on unseen samples."


def _diverged(results: Results) -> str:
    names: dict[str, list[str]] = {}
    for row in results.rows:
        # "None diverged" would say the opposite.
        name = "the plain model" if row.name == NONE.name else row.title
        names.setdefault(diverged(row), []).append(name)
    names.pop("", None)
    return " ".join(f"{_capital(listed(of))} {how} repeats." for how, of in names.items())


def edges(results: Results) -> list[str]:
    """Return a sentence for each method whose best strength lies at the edge of its grid."""
    return [f"{_capital(row.title)}: {edge(row)}" for row in results.methods if row.edge != 0]


def edge(row: Row) -> str:
    """Say that the best strength is the last that was tried in one direction, if it is."""
    if row.edge == 0:
        return "The grid was extended once: its best was at the edge." if row.extended else ""
    weakest = row.edge < 0
    strength = row.curve[0 if weakest else -1].strength
    return (
        f"The best mean is at the {'weakest' if weakest else 'strongest'} strength tried, "
        f"{strength:g}{', although the grid was extended once' if row.extended else ''}: "
        f"{'weaker' if weakest else 'stronger'} ones may be better still."
    )


def cost(results: Results) -> str:
    """Return what regularization costs at most, if anything was regularized."""
    timed = [row for row in results.methods if row.mean("time_cost_percent") is not None]
    if not timed:
        return ""
    dearest = max(timed, key=lambda row: row.mean("time_cost_percent") or 0.0)
    more, share = dearest.mean("time_cost_percent"), dearest.mean("time_in_bridle_percent")
    return (
        f"Of all methods {dearest.title} takes the most time: an epoch lasts "
        f"{1 + (more or 0.0) / 100:.2f} times as long as without regularization; {share:.1f} % of "
        "it is spent in bridle."
    )


def diverged(row: Row) -> str:
    """Return in how many repeats a method diverged, in words; nothing for none."""
    return f"diverged in {row.diverged} of {len(row.repeats)}" if row.diverged else ""


def _strengths(row: Row) -> str:
    strengths = row.strengths
    if len(strengths) == 1:
        return f"Validation chose the strength {strengths[0]:g} in every repeat."
    return (
        f"Validation chose strengths from {min(strengths):g} to {max(strengths):g}, "
        f"most often {row.usual_strength:g}."
    )


def _score(results: Results, row: Row) -> str:
    return f"{_quantity(results)} {_with_spread(results, row, 'test_score')}{results.task.unit}"


def _difference(results: Results, row: Row, *, sign: str = "") -> str:
    unit = " points" if results.task.unit else ""
    return _with_spread(results, row, "difference", sign=sign) + unit


def _with_spread(results: Results, row: Row, name: str, *, sign: str = "") -> str:
    mean = row.mean(name)
    assert mean is not None
    return score_text(results.task, mean, row.spread(name), sign=sign)


def _quantity(results: Results) -> str:
    return "an accuracy of" if results.task.unit else "an R² of"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
