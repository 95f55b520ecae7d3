"""The parameters of an `EarlyStopping`: checked once, then fixed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeAlias

from bridle._stopping.checks import (
    as_json,
    count,
    flag,
    from_json,
    names,
    non_negative,
    not_nan,
    one_of,
    shown,
)
from bridle._stopping.criteria import BUILT_IN, BuiltIn, Criterion
from bridle._stopping.metric import Metric, Mode

OWNER = "EarlyStopping"
MODES = ("min", "max")
Monitor: TypeAlias = str | Mapping[str, Mode] | None
PerMetric: TypeAlias = float | Mapping[str, float]
Reduce: TypeAlias = Callable[[bool], Any]


def _parameter(name: str) -> Any:
    return property(lambda self: getattr(self._rules, name), doc=f"The parameter {name}.")


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The parameters, as the properties of `EarlyStopping` show them."""

    patience: int
    mode: Mode | None
    monitor: Monitor
    min_delta: PerMetric
    delta: Literal["absolute", "relative"]
    baseline: PerMetric | None
    start_from_epoch: int
    restore_best_weights: bool
    nan: Literal["stop", "ignore", "raise"]
    target: PerMetric | None
    divergence: PerMetric | None
    max_seconds: float | None
    smoothing: float | None
    criteria: tuple[Criterion, ...]
    combine: Literal["any", "all"]
    reduce: Reduce | None

    @classmethod
    def checked(cls, given: Mapping[str, Any]) -> Rules:
        """Return the parameters as they were given to the constructor, or raise."""
        modes = _modes(given["mode"], given["monitor"])
        rules = cls(
            patience=count(OWNER, "patience", given["patience"]),
            mode=given["mode"],
            monitor=modes if isinstance(given["monitor"], Mapping) else given["monitor"],
            min_delta=_per_metric("min_delta", given, modes, non_negative),
            delta=one_of(OWNER, "delta", given["delta"], ("absolute", "relative")),
            baseline=_per_metric("baseline", given, modes, not_nan),
            start_from_epoch=count(OWNER, "start_from_epoch", given["start_from_epoch"]),
            restore_best_weights=flag(
                OWNER, "restore_best_weights must be", given["restore_best_weights"]
            ),
            nan=one_of(OWNER, "nan", given["nan"], ("stop", "ignore", "raise")),
            target=_per_metric("target", given, modes, not_nan),
            divergence=_per_metric("divergence", given, modes, not_nan),
            max_seconds=_optional(given["max_seconds"], _seconds),
            smoothing=_optional(given["smoothing"], _factor),
            criteria=_criteria(given["criteria"], next(iter(modes.values()))),
            combine=one_of(OWNER, "combine", given["combine"], ("any", "all")),
            reduce=given["reduce"],
        )
        if rules.reduce is not None and not callable(rules.reduce):
            raise TypeError(f"{OWNER}: reduce must be callable, got {rules.reduce!r}")
        for metric in rules.metrics():
            metric.check_thresholds(OWNER)
        return rules

    def metrics(self) -> tuple[Metric, ...]:
        """Return the rules of each metric, the one that `best` follows first."""
        modes = _modes(self.mode, self.monitor)

        def of(name: str, values: PerMetric | None, default: Any = None) -> Any:
            return values.get(name, default) if isinstance(values, Mapping) else values

        return tuple(
            Metric(
                name=name,
                mode=mode,
                min_delta=of(name, self.min_delta, 0.0),
                relative=self.delta == "relative",
                baseline=of(name, self.baseline),
                target=of(name, self.target),
                divergence=of(name, self.divergence),
                smoothing=self.smoothing,
            )
            for name, mode in modes.items()
        )

    def as_json(self) -> dict[str, Any]:
        """Return everything but `reduce` as JSON; a criterion of the user's as its class's name."""
        config = {field.name: getattr(self, field.name) for field in fields(self)}
        del config["reduce"]
        config["criteria"] = [
            {"type": type_of(criterion), **_arguments(criterion)} for criterion in self.criteria
        ]
        return dict(as_json(f"{OWNER}: configuration", config))

    def shown(self, defaults: Mapping[str, Any]) -> str:
        """Return in short what is not the default, as arguments."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        return ", ".join(
            f"{name}={_SHOWN.get(name, shown)(value)}"
            for name, value in given.items()
            if name not in defaults or value != defaults[name]
        )


def _criteria_shown(criteria: Sequence[Criterion]) -> str:
    each = [repr(c) if isinstance(c, BuiltIn) else type(c).__name__ for c in criteria]
    text = f"[{', '.join(each)}]"
    return text if len(text) <= 200 else f"[{len(criteria)} criteria]"


def _name_of(function: object) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


_SHOWN: dict[str, Callable[[Any], str]] = {"criteria": _criteria_shown, "reduce": _name_of}


class Parameters:
    """The parameters as attributes of an `EarlyStopping`, to be read."""

    _rules: Rules

    patience: int = _parameter("patience")
    mode: Mode | None = _parameter("mode")
    monitor: Monitor = _parameter("monitor")
    min_delta: PerMetric = _parameter("min_delta")
    delta: Literal["absolute", "relative"] = _parameter("delta")
    baseline: PerMetric | None = _parameter("baseline")
    start_from_epoch: int = _parameter("start_from_epoch")
    restore_best_weights: bool = _parameter("restore_best_weights")
    nan: Literal["stop", "ignore", "raise"] = _parameter("nan")
    target: PerMetric | None = _parameter("target")
    divergence: PerMetric | None = _parameter("divergence")
    max_seconds: float | None = _parameter("max_seconds")
    smoothing: float | None = _parameter("smoothing")
    criteria: tuple[Criterion, ...] = _parameter("criteria")
    combine: Literal["any", "all"] = _parameter("combine")
    reduce: Reduce | None = _parameter("reduce")


def arguments_from_json(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `Rules.as_json` gave as arguments of the constructor, criteria as they are."""
    expected = {field.name for field in fields(Rules)} - {"reduce"}
    if config.keys() != expected:
        raise ValueError(f"the configuration must be of {', '.join(sorted(expected))}")
    numeric = ("min_delta", "baseline", "target", "divergence", "max_seconds")
    return {**config, **{name: from_json(config[name]) for name in numeric}}


def rebuilt(criteria: Sequence[Mapping[str, Any]]) -> list[BuiltIn]:
    """Return the criteria that a configuration names."""
    own = [entry["type"] for entry in criteria if entry["type"] not in BUILT_IN]
    if own:
        raise ValueError(
            f"{OWNER}: criteria must be given to load, since the file's have {names(own)}"
        )
    return [
        BUILT_IN[entry["type"]](**{k: from_json(v) for k, v in entry.items() if k != "type"})
        for entry in criteria
    ]


def type_of(criterion: Criterion) -> str:
    """Return the name by which a criterion is known in a state."""
    kind: type = type(criterion)
    name = f"bridle.{kind.__name__}"
    return name if BUILT_IN.get(name) is kind else kind.__qualname__


def _arguments(criterion: Criterion) -> dict[str, Any]:
    if type_of(criterion) not in BUILT_IN or not isinstance(criterion, BuiltIn):
        return {}
    return {name: getattr(criterion, name) for name in criterion.parameters}


def _modes(mode: Any, monitor: Any) -> dict[str, Mode]:
    if not isinstance(monitor, Mapping):
        if monitor is not None and not isinstance(monitor, str):
            raise TypeError(
                f"{OWNER}: monitor must be a name or a mapping of names to modes, got {monitor!r}"
            )
        return {"value" if monitor is None else monitor: one_of(OWNER, "mode", mode, MODES)}
    if not monitor:
        raise ValueError(f"{OWNER}: monitor must name at least one metric, got {monitor!r}")
    for name in monitor:
        if not isinstance(name, str):
            raise TypeError(f"{OWNER}: the names in monitor must be strings, got {name!r}")
    modes = {name: one_of(OWNER, f"monitor[{name!r}]", m, MODES) for name, m in monitor.items()}
    if mode is not None and set(modes.values()) != {mode}:
        raise ValueError(
            f"{OWNER}: mode must be None or that of every metric in monitor, got {mode!r}"
        )
    return modes


def _per_metric(
    name: str,
    given: Mapping[str, Any],
    modes: Iterable[str],
    check: Callable[[str, str, Any], float],
) -> Any:
    values = given[name]
    if not isinstance(values, Mapping) or given["monitor"] is None:
        return None if values is None and name != "min_delta" else check(OWNER, name, values)
    for metric in values:
        if metric not in modes:
            raise ValueError(
                f"{OWNER}: {name} must be for the metrics of monitor ({names(modes)}), "
                f"got {metric!r}"
            )
    return {metric: check(OWNER, f"{name}[{metric!r}]", v) for metric, v in values.items()}


def _optional(value: Any, check: Callable[[Any], float]) -> float | None:
    return None if value is None else check(value)


def _seconds(value: Any) -> float:
    if not (seconds := not_nan(OWNER, "max_seconds", value)) > 0:
        raise ValueError(f"{OWNER}: max_seconds must be > 0, got {value}")
    return seconds


def _factor(value: Any) -> float:
    if not (factor := non_negative(OWNER, "smoothing", value)) < 1:
        raise ValueError(f"{OWNER}: smoothing must be < 1, got {value}")
    return factor


def _criteria(criteria: Any, mode: Mode) -> tuple[Criterion, ...]:
    if not isinstance(criteria, (list, tuple)):
        raise TypeError(f"{OWNER}: criteria must be a list or tuple, got {shown(criteria)}")
    for i, criterion in enumerate(criteria):
        if isinstance(criterion, type) or not isinstance(criterion, Criterion):
            raise TypeError(
                f"{OWNER}: criteria[{i}] must be an object with update, reset, state_dict and "
                f"load_state_dict, got {shown(criterion)}"
            )
        if isinstance(criterion, BuiltIn) and criterion.needs_loss and mode != "min":
            raise ValueError(
                f"{OWNER}: criteria[{i}] ({type(criterion).__name__}) must judge a loss, "
                f"with mode 'min', got {mode!r}"
            )
    return tuple(criteria)
