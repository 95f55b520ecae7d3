"""What the fused updates share: their keywords, the checks, and the call of the core."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, SupportsIndex, TypeAlias, TypedDict, TypeVar

import numpy as np

from bridle import _containers, _core, _lazy
from bridle._arrays import Arrays, PreparedArrays, companion, listed
from bridle._call import any_number, choice, counter, non_negative, number, refuse_masked, shown
from bridle._updates.regularizer import Regularizers, descriptions
from bridle._updates.rows import Rows, chosen_rows

Rate: TypeAlias = float | Sequence[float]

Note: TypeAlias = tuple[object, str, object]
"""An object, an attribute of it and the value that it has after an update: both or neither."""

Function = TypeVar("Function", bound=Callable[..., Any])

DECAYS = {"coupled": 1, "decoupled": 0, "full": 2}
"""Kinds of decay by their numbers in the core."""


class Starts(tuple[int, ...]):
    """An `offset` for each array of a list, of parts of something larger; for adapters."""

    __slots__ = ()


class UpdateSummary(NamedTuple):
    """What an update tells of the weights that it has written.

    See Also
    --------
    proximal_step : The first of the functions that return one.

    Examples
    --------
    >>> import bridle as br
    >>> br.UpdateSummary(penalty=0.5, nonzeros=3, finite=True).nonzeros
    3
    """

    penalty: float
    """``l1`` times the sum of abs(w) plus ``l2`` times the sum of squares, over all arrays."""
    nonzeros: int
    """Number of weights that are not zero."""
    finite: bool
    """Whether no weight is infinite or NaN."""


class Settings(TypedDict, total=False):
    """The keywords of updates that stay the same from step to step; see `adamw_update`."""

    l1: Rate
    l2: Rate
    weight_decay: Rate
    decay: Literal["coupled", "decoupled", "full"]
    cautious: bool
    toward: Arrays | None
    prox_step: Literal["adaptive", "scalar"]
    copy_out: Arrays | None
    rounding: Literal["nearest", "stochastic"]
    seed: SupportsIndex | None
    offset: SupportsIndex
    regularizer: Regularizers


class Regularization(Settings, total=False):
    """The keywords that all updates of optimizers take; see `adamw_update`."""

    grad_scale: float
    stream: SupportsIndex | None
    rows: Rows | None


class Operands(NamedTuple):
    """The arrays of an update by the names of their parameters."""

    w: Arrays
    gradient: Arrays | None
    state: dict[str, Arrays | None]
    optional: tuple[str, ...] = ()
    """Those that may be None."""

    def check(self, name: str) -> None:
        """Check what must be known before the core looks at each array."""
        if not isinstance(self.w, (np.ndarray, list, tuple, Mapping, PreparedArrays)):
            raise _no_arrays(name, "w", self.w)
        if self.gradient is None and "gradient" not in self.optional:
            raise _no_arrays(name, "gradient", None)
        for parameter, value in self.state.items():
            if value is None and parameter not in self.optional:
                raise _no_arrays(name, parameter, None)


class Operator(NamedTuple):
    """An operator of the core and its numbers in the order of `params` there, step size first.

    The step size is yet to be checked: it may be one for each array.
    """

    name: str
    numbers: tuple[Any, ...]
    step_size: str = "lr"
    positive: bool = False
    """Whether the step size must not be zero."""


def _no_arrays(name: str, parameter: str, value: object) -> TypeError:
    got = f"{type(value).__name__}{_containers.instead(value)}"
    return TypeError(
        f"{name}: {parameter} must be an array, or a list, tuple or mapping of arrays, got {got}"
    )


def check_arrays(
    name: str,
    groups: Mapping[str, Any],
    keys: tuple[Any, ...] | None = None,
    *,
    stochastic: bool = False,
) -> None:
    """Check arrays as an update does: the weights come first; there need be no gradient."""
    others = ("gradient", "toward", "copy_out")
    first, *states = [parameter for parameter in groups if parameter not in others]
    names = _names(first, tuple(states))
    every = _fixed([groups.get(parameter) for parameter in names])
    _core.check_arrays((*names, name), every, keys, stochastic)


def _in_roles(
    w: Any, gradient: Any, states: Collection[Any], toward: Any, copy_out: Any, none: Any
) -> tuple[Any, ...]:
    """Return groups, or what they are called, in the order of the core, which has three states."""
    return (w, gradient, *states, *(none,) * (3 - len(states)), toward, copy_out)


@functools.cache
def _names(first: str, states: tuple[str, ...]) -> tuple[str, ...]:
    """Return what each group is called."""
    return _in_roles(first, "gradient", states, "toward", "copy_out", "")


def fraction(name: str, parameter: str, value: Any) -> float:
    """Check a number that must lie in [0, 1)."""
    result = number(name, parameter, value)
    if not 0 <= result < 1:
        raise ValueError(f"{name}: {parameter} must be >= 0 and < 1, got {value}")
    return result


def flag(name: str, parameter: str, value: Any) -> bool:
    """Check what must be True or False, where a text or a number is a mistake."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name}: {parameter} must be True or False, got {shown(value)}")
    return bool(value)


def per_array(name: str, parameter: str, value: Any, w: Arrays) -> float | tuple[float, ...]:
    """Check a number, or a sequence of one number for each array of a list."""
    if isinstance(value, (float, int)):
        return non_negative(name, parameter, value)
    refuse_masked(name, parameter, value)
    if not isinstance(value, (list, tuple)):
        if np.ndim(value) == 0:
            return non_negative(name, parameter, value)
        if not isinstance(value, np.ndarray):
            raise TypeError(
                f"{name}: {parameter} must be a number, or a list, tuple or array of one for each "
                f"array, got {type(value).__name__}"
            )
    values = tuple(value)
    if isinstance(w, np.ndarray) or len(values) != len(w):
        arrays = "one array" if isinstance(w, np.ndarray) else f"a list of {len(w)}"
        raise ValueError(
            f"{name}: {parameter} must be a number, or one for each array of a list, "
            f"got {len(values)} for {arrays}"
        )
    return tuple(non_negative(name, f"{parameter}[{i}]", v) for i, v in enumerate(values))


def each_of(arrays: Any) -> Any:
    """Return the arrays one by one: a single one as a tuple of it."""
    return (arrays,) if isinstance(arrays, np.ndarray) else arrays


def _fixed(groups: Iterable[Any]) -> tuple[Any, ...]:
    """Return lists as tuples, which nobody else can change meanwhile."""
    return tuple([tuple(group) if isinstance(group, list) else group for group in groups])


def _by_keys(
    name: str, names: tuple[str, ...], groups: tuple[Any, ...]
) -> tuple[tuple[Any, ...], tuple[Any, ...] | None]:
    """Return the arrays of mappings in the order of the first one, and its keys."""
    w = groups[0]
    if isinstance(w, np.ndarray) or not _has_keys(w):
        return _fixed(groups), None
    first = listed(name, "w", w)
    found = []
    for parameter, group in zip(names, groups, strict=True):
        if group is not None:
            fitting = companion(name, parameter, group, first)
            prepared = isinstance(group, PreparedArrays) and fitting.handle is group._handle
            group = group if prepared else fitting.arrays
        found.append(group)
    return tuple(found), first.keys


def _has_keys(w: Any) -> bool:
    return isinstance(w, Mapping) or (isinstance(w, PreparedArrays) and w._keys is not None)


def run(
    name: str,
    operator: Operator,
    operands: Operands,
    /,
    *,
    l1: Rate = 0.0,
    l2: Rate = 0.0,
    weight_decay: Rate = 0.0,
    decay: Literal["coupled", "decoupled", "full"] = "decoupled",
    cautious: bool = False,
    toward: Arrays | None = None,
    prox_step: Literal["adaptive", "scalar"] = "adaptive",
    copy_out: Arrays | None = None,
    rounding: Literal["nearest", "stochastic"] = "nearest",
    seed: SupportsIndex | None = None,
    offset: SupportsIndex = 0,
    regularizer: Regularizers = None,
    grad_scale: float = 1.0,
    stream: SupportsIndex | None = None,
    rows: Rows | None = None,
    _note: Note | None = None,
    **unknown: Any,
) -> UpdateSummary:
    """Check the common keywords, those of `Regularization`, and run an update."""
    if unknown:
        raise TypeError(f"{name}() got an unexpected keyword argument {next(iter(unknown))!r}")
    operands.check(name)
    w, gradient, state, _ = operands
    names = _names("w", tuple(state))
    given = _in_roles(w, gradient, state.values(), toward, copy_out, None)
    groups, keys = _by_keys(name, names, given)
    _lazy.refuse_in_place(name, names, groups)
    w = groups[0]
    kind = DECAYS[choice(name, "decay", decay, tuple(DECAYS))]
    own_step = choice(name, "prox_step", prox_step, ("adaptive", "scalar")) == "adaptive"
    step_size, *rest = operator.numbers
    sizes = per_array(name, operator.step_size, step_size, w)
    if operator.positive and 0 in np.atleast_1d(sizes):
        raise ValueError(f"{name}: {operator.step_size} must be > 0, got {step_size}")
    numbers = (sizes, *rest)
    strengths = per_array(name, "l1", l1, w), per_array(name, "l2", l2, w)
    rates = per_array(name, "weight_decay", weight_decay, w)
    scale = any_number(name, "grad_scale", grad_scale)
    random = _random(name, w, rounding, seed, stream, offset)
    settings = (scale, flag(name, "cautious", cautious), own_step, kind, random)
    chosen = None if rows is None else chosen_rows(name, rows, w)
    following = descriptions(name, regularizer, w)
    arguments = (numbers, settings, rates, *strengths, chosen, following, keys, _note)
    return _call(operator.name, (*names, name), groups, arguments)


def with_keywords(own: inspect.Signature, names: Iterable[str]) -> inspect.Signature:
    """Return a signature with common keywords in place of two stars, and without private ones."""
    every = list(own.parameters.values())
    if any(p.kind is p.VAR_KEYWORD for p in every):
        common = inspect.signature(run).parameters
        every = [*every[:-1], *(common[name] for name in names)]
    return own.replace(parameters=[p for p in every if not p.name.startswith("_")])


def shows_keywords(update: Function) -> Function:
    """Show the common keywords in the signature of an update, one by one."""
    shown_one: Any = update  # of which mypy does not know that it may have a signature of its own
    shown_one.__signature__ = with_keywords(
        inspect.signature(update), Regularization.__annotations__
    )
    return update


def _random(
    name: str,
    w: Arrays,
    rounding: str,
    seed: SupportsIndex | None,
    stream: SupportsIndex | None,
    offset: SupportsIndex,
) -> tuple[int, int, int] | tuple[int, int, int, Starts] | None:
    if choice(name, "rounding", rounding, ("nearest", "stochastic")) == "nearest":
        return None
    if seed is None:
        raise ValueError(f"{name}: seed must be given if rounding is 'stochastic', got None")
    if stream is None:
        raise ValueError(
            f"{name}: stream must be given if rounding is 'stochastic', as each step needs its "
            "own, got None"
        )
    size = sum(array.size for array in each_of(w) if isinstance(array, np.ndarray))
    key = counter(name, "seed", seed), counter(name, "stream", stream)
    if isinstance(offset, Starts):
        return (*key, 0, offset)
    return (*key, counter(name, "offset", offset, 2**64 - size))


def _handle(group: Any) -> Any:
    return group._handle if isinstance(group, PreparedArrays) else group


def _call(
    operator: str,
    names: tuple[str, ...],
    groups: tuple[Arrays | None, ...],
    arguments: tuple[Any, ...],
) -> UpdateSummary:
    # Whether it is an array is known soonest: that of prepared ones is an abstract base class.
    handles = tuple([g if g is None or isinstance(g, np.ndarray) else _handle(g) for g in groups])
    result = _core.update(operator, names, handles, *arguments)
    if result is not NotImplemented:
        return UpdateSummary(*result)
    # Arrays that cannot be walked alike: the update runs on copies, which are written back.
    *_, l1, l2, chosen, following, _, note = arguments
    copies = tuple(_copies(group) for group in groups)
    without_note = (*arguments[:-1], None)
    result = _core.update(operator, names, copies, *without_note)
    written = [(groups[i], copies[i]) for i in (0, 2, 3, 4, 6) if groups[i] is not None]
    to = [array for group, _ in written for array in each_of(group)]
    _core.copy_arrays(to, [copy for _, each in written for copy in each_of(each)], *(note or ()))
    if chosen is not None or following is not None:
        return UpdateSummary(*result)
    return UpdateSummary(_penalty(groups[0], l1, l2), *result[1:])


def _penalty(w: Any, l1: Any, l2: Any) -> float:
    """Return the penalty of arrays as they lie in memory, which is not as their copies do."""
    total = 0.0
    for i, array in enumerate(each_of(w)):
        one, two = (s[i] if isinstance(s, tuple) else s for s in (l1, l2))
        if one or two:
            total += float(_core.elastic_net_penalty(array, one, two, None, False))
    return total


def _copies(group: Arrays | None) -> Any:
    if group is None or isinstance(group, np.ndarray):
        return None if group is None else np.array(group, order="C", ndmin=0)
    return tuple(np.array(array, order="C") for array in group)
