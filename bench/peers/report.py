"""Rows become a table in Markdown, and JSON for programs."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

from bench.peers.machine import QUIET
from bench.peers.measure import Timing
from bench.peers.works import Goal, Work

PEERS = ("NumPy", "Numba", "PyTorch")
HEADER = ("work", "bridle ms", "limit ms", "share of limit", *PEERS, "goal", "reached")


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
        work = Work(**(data["work"] | {"goals": goals}))
        timings = {name: Timing(**timing) for name, timing in data["timings"].items()}
        return Row(work, timings, data["relative_errors"], data["disturbance"])


def to_json(facts: dict[str, str], rows: list[Row]) -> str:
    return json.dumps({"facts": facts, "rows": [row.as_json() for row in rows]}, indent=1)


def to_markdown(facts: dict[str, str], rows: list[Row], judged: bool) -> str:
    """Return the facts and the table; goals are only judged where sizes are those of the goals."""
    lines = [f"- {name}: {value}" for name, value in facts.items()]
    lines += ["", _line(HEADER), _line("---" for _ in HEADER)]
    lines += [_line(_cells(row, judged)) for row in rows]
    lines += ["", *NOTES]
    lines += [f"- {row.work.name}: {_errors(row)}" for row in rows if row.errors]
    return "\n".join(lines) + "\n"


NOTES = (
    "Times are medians; those of peers are followed by how many times as long as bridle they took.",
    f"During a row with * others took more than {QUIET:.0%} of the processors' time.",
    "",
    "Relative errors of the penalties timed above:",
    "",
)


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
    missed = [goal for goal in work.goals if row.speed(goal) < goal.least]
    details = ", ".join(f"{row.speed(goal):.2f}" for goal in missed)
    return (
        work.name + (" *" if row.disturbance > QUIET else ""),
        _milliseconds(own, rests),
        f"{_milliseconds(limit, rests)} ({work.limit})",
        f"{share:.2f}",
        *peers,
        ", ".join(str(goal) for goal in work.goals),
        (f"no: {details}" if missed else "yes") if judged else "not judged",
    )


def _milliseconds(timing: Timing, with_p90: bool = False) -> str:
    p90 = f", p90 {timing.p90 * 1e3:.3g}" if with_p90 else ""
    return f"{timing.median * 1e3:.3g}{p90}"


def _versus(timing: Timing, own: Timing) -> str:
    return f"{_milliseconds(timing)} ({timing.median / own.median:.3g}x)"
