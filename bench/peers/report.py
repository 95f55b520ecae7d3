"""Rows become a table in Markdown, and JSON for programs."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bench.peers.machine import QUIET
from bench.peers.measure import Timing
from bench.peers.works import BUSY_COST, Goal, Load, Work, one_thread

PEERS = ("NumPy", "Numba", "PyTorch")
HEADER = (
    *("work", "bridle ms", "limit ms", "share of limit", *PEERS, "others"),
    *("goal", "reached"),
)
BUSY = ("bridle", "Numba", "PyTorch")
BUSY_HEADER = (
    "work; load",
    *(cell for name in BUSY for cell in (f"{name} ms", "all / one", "p99 ms")),
    f"bridle's all / one ≤ {BUSY_COST:g}",
)


@dataclass(frozen=True)
class Row:
    """A work, how long each contender took, and the relative errors of penalties."""

    work: Work
    timings: dict[str, Timing]
    errors: dict[str, float]
    disturbance: float  # the share of the processors' time that others took

    def speed(self, goal: Goal) -> float:
        """How many times as fast as what the goal names bridle is."""
        if goal.against == "the fastest peer":
            against = [self.timings[name] for name in PEERS if name in self.timings]
        else:
            against = [self.timings[self.work.limit if goal.against == "limit" else goal.against]]
        own = getattr(self.timings["bridle"], goal.quantile)
        return min(float(getattr(timing, goal.quantile)) for timing in against) / float(own)

    @property
    def reached(self) -> bool:
        return all(self.speed(goal) >= goal.least for goal in self.work.goals)

    def as_json(self) -> dict[str, Any]:
        goals = [
            dataclasses.asdict(goal) | {"measured": self.speed(goal)} for goal in self.work.goals
        ]
        return {
            "work": dataclasses.asdict(self.work) | {"goals": goals},
            "timings": {name: dataclasses.asdict(timing) for name, timing in self.timings.items()},
            "relative_errors": self.errors,
            "disturbance": self.disturbance,
            "reached": self.reached,
        }

    @staticmethod
    def from_json(data: dict[str, Any]) -> Row:
        goals = tuple(Goal(g["against"], g["least"], g["quantile"]) for g in data["work"]["goals"])
        load = Load(**data["work"]["load"]) if data["work"]["load"] else None
        work = Work(**(data["work"] | {"goals": goals, "load": load}))
        timings = {name: Timing(**timing) for name, timing in data["timings"].items()}
        return Row(work, timings, data["relative_errors"], data["disturbance"])


def to_json(facts: dict[str, str], rows: list[Row]) -> str:
    return json.dumps({"facts": facts, "rows": [row.as_json() for row in rows]}, indent=1)


def to_markdown(facts: dict[str, str], rows: list[Row], judged: bool) -> str:
    """Return the facts and the tables; goals are only judged where sizes are those of the goals."""
    lines = [f"- {name}: {value}" for name, value in facts.items()]
    quiet = [row for row in rows if not row.work.load]
    busy = [row for row in rows if row.work.load]
    if quiet:
        lines += ["", *_table(HEADER, (_cells(row, judged) for row in quiet)), "", *NOTES]
        lines += [f"- {row.work.name}: {_errors(row)}" for row in quiet if row.errors]
    if busy:
        lines += ["", *_table(BUSY_HEADER, (_busy_cells(row, judged) for row in busy))]
        lines += ["", *BUSY_NOTES]
    return "\n".join(lines) + "\n"


DISTURBED = f"During a row with * others took more than {QUIET:.0%} of the processors' time."
NOTES = (
    "Times are medians; those of peers are followed by how many times as long as bridle they took.",
    DISTURBED,
    "",
    "Relative errors of the penalties and of the objectives of paths timed above:",
    "",
)
BUSY_NOTES = (
    "Means of single calls with one thread → with all threads, the second divided by the first ±"
    " its standard error, and 99th percentiles.",
    DISTURBED,
)


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    return [_line(header), _line("---" for _ in header), *(_line(cells) for cells in rows)]


def _errors(row: Row) -> str:
    return ", ".join(f"{name} {error:.0e}" for name, error in row.errors.items())


def _line(cells: Any) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(row: Row, judged: bool) -> tuple[str, ...]:
    work, own = row.work, row.timings["bridle"]
    limit = row.timings[work.limit]
    share = limit.median / own.median
    rests = work.check == "none"
    peers = [_versus(row.timings[name], own) if name in row.timings else "" for name in PEERS]
    named = ("bridle", work.limit, *PEERS)
    others = [f"{n} {_versus(t, own)}" for n, t in row.timings.items() if n not in named]
    speeds = ", ".join(f"{row.speed(goal):.3g}" for goal in work.goals)
    verdict = ("yes" if row.reached else "no") + f": {speeds}" * bool(speeds)
    return (
        _title(row),
        _milliseconds(own, rests),
        f"{_milliseconds(limit, rests)} ({work.limit})",
        f"{share:.2f}",
        *peers,
        ", ".join(others),
        ", ".join(str(goal) for goal in work.goals),
        verdict if judged else f"not judged: {speeds}",
    )


def _busy_cells(row: Row, judged: bool) -> tuple[str, ...]:
    ratio, error = _ratio(row, "bridle")
    missed = "no" if ratio - 2 * error > BUSY_COST else "within two errors"
    reached = ("yes" if row.reached else missed) if judged else "not judged"
    return (_title(row), *(cell for name in BUSY for cell in _one_and_all(row, name)), reached)


def _one_and_all(row: Row, contender: str) -> tuple[str, str, str]:
    if contender not in row.timings:
        return "", "", ""
    one, together = row.timings[one_thread(contender)], row.timings[contender]
    means, tails = (
        f"{getattr(one, name) * 1e3:.3g} → {getattr(together, name) * 1e3:.3g}"
        for name in ("mean", "p99")
    )
    ratio, error = _ratio(row, contender)
    return means, f"{ratio:.2f} ± {error:.2f}", tails


def _ratio(row: Row, contender: str) -> tuple[float, float]:
    """Return the mean with all threads over that with one, and its standard error."""
    one, together = row.timings[one_thread(contender)], row.timings[contender]
    ratio = together.mean / one.mean
    return ratio, ratio * math.hypot(together.error / together.mean, one.error / one.mean)


def _title(row: Row) -> str:
    return row.work.name + (" *" if row.disturbance > QUIET else "")


def _milliseconds(timing: Timing, with_p90: bool = False) -> str:
    p90 = f", p90 {timing.p90 * 1e3:.3g}" if with_p90 else ""
    return f"{timing.median * 1e3:.3g}{p90}"


def _versus(timing: Timing, own: Timing) -> str:
    return f"{_milliseconds(timing)} ({timing.median / own.median:.3g}x)"
