"""Objects that are their parameters: checked once, shown, compared, and never changed."""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridle._call import FLOAT_DTYPES, has_own_rules, is_lazy, parameters, shown

Parameter: TypeAlias = float | NDArray[np.floating[Any]]
"""One number for all weights, or a read-only array of a float type that broadcasts against them."""


def of_owner(error: Exception, operator: str, owner: str) -> Exception:
    """Return an error of an operator as that of the object which has called it."""
    head, found, rest = str(error).partition(": ")
    if head == operator and found and type(error) in (TypeError, ValueError):
        return type(error)(f"{owner}: {rest}")
    return error


class Parametrized:
    """Base of immutable objects that are told by the parameters of their constructor.

    A class names them in ``__match_args__``, in the order of the constructor, which hands them to
    ``_set``; that keeps them with `_fix`.
    """

    __slots__ = ()
    __match_args__: ClassVar[tuple[str, ...]] = ()

    def _set(self, *given: Any) -> None:
        raise NotImplementedError

    def _fix(self, operator: str, *given: ArrayLike) -> None:
        """Check parameters by the rules of an operator that has the same ones, and keep them."""
        owner, names = type(self).__name__, self.__match_args__
        try:
            values = parameters(operator, given)
        except (TypeError, ValueError) as error:
            raise of_owner(error, operator, owner) from None
        kept = {n: _kept(owner, n, value) for n, value in zip(names, values, strict=True)}
        _check_fit(owner, {n: v.shape for n, v in kept.items() if isinstance(v, np.ndarray)})
        for name, value in kept.items():
            object.__setattr__(self, name, value)

    def _parameters(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__match_args__}

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(
            f"{type(self).__name__}: {name} must not be changed; make a new object instead"
        )

    def __delattr__(self, name: str) -> NoReturn:
        self.__setattr__(name, None)

    def __repr__(self) -> str:
        given = (f"{name}={_as_code(value)}" for name, value in self._parameters().items())
        return f"{type(self).__name__}({', '.join(given)})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Parametrized) or type(other) is not type(self):
            return NotImplemented
        own, others = self._parameters().values(), other._parameters().values()
        return all(map(_same, own, others))

    def __hash__(self) -> int:
        # Of an array the shape alone: equal objects have equal ones, and it costs nothing.
        return hash((type(self), *map(_kind, self._parameters().values())))

    def __reduce__(self) -> Any:
        return _made, (type(self), *self._parameters().values())

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: object) -> Any:
        return self


def _made(cls: type[Parametrized], *parameters: Any) -> Parametrized:
    """Make an object that was pickled, its parameters checked as by the constructor."""
    made = cls.__new__(cls)
    made._set(*parameters)
    return made


def _check_fit(owner: str, shapes: dict[str, tuple[int, ...]]) -> None:
    """Check that arrays of parameters broadcast against each other."""
    try:
        np.broadcast_shapes(*shapes.values())
    except ValueError:
        names, listed = " and ".join(shapes), " and ".join(map(str, shapes.values()))
        raise ValueError(f"{owner}: {names} must fit, got {listed}") from None


def _kept(owner: str, name: str, value: Any) -> Parameter:
    """Return a checked parameter as nobody can change it."""
    if isinstance(value, float):
        return value
    if has_own_rules(value) and is_lazy(value):
        raise TypeError(f"{owner}: {name} must be computed first, got {shown(value)}")
    array = np.asarray(value)
    native = array.dtype.newbyteorder("=")
    copy = np.array(array, native if native in FLOAT_DTYPES else np.float64)
    copy.flags.writeable = False
    return copy


def _as_code(value: Any) -> str:
    """Return a parameter as an expression, with the names of NumPy, on one line."""
    digits: dict[str, Any] = {"floatmode": "unique", "suppress": False, "sign": "-"}
    words: dict[str, Any] = {"nanstr": "nan", "infstr": "inf", "legacy": False}
    with np.printoptions(threshold=1000, edgeitems=3, **digits, **words):
        return " ".join(repr(value).split()).replace(" ,", ",")


def _same(one: Any, other: Any) -> bool:
    one, other = np.asarray(one), np.asarray(other)
    return bool(one.dtype == other.dtype and np.array_equal(one, other, equal_nan=True))


def _kind(value: Any) -> object:
    return value if isinstance(value, float) and value == value else np.shape(value)
