"""Objects that are their parameters: checked once, shown, compared, and never changed."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, NoReturn, Self, TypeAlias, cast

import numpy as np
from numpy.exceptions import AxisError
from numpy.typing import ArrayLike, DTypeLike, NDArray

from bridle._call import FLOAT_DTYPES, has_own_rules, is_lazy, parameters, shown

Parameter: TypeAlias = float | NDArray[np.floating[Any]]
"""One number for all weights, or a read-only array of a float type that broadcasts against them."""


def of_owner(error: Exception, operator: str, owner: str) -> Exception:
    """Return an error of an operator as that of the object which has called it."""
    head, found, rest = str(error).partition(": ")
    if head == operator and found and type(error) in (TypeError, ValueError, AxisError):
        return type(error)(f"{owner}: {rest}")
    return error


class Parametrized:
    """Base of immutable objects that are told by the parameters of their constructor.

    A class names them in ``__match_args__``, in the order of the constructor, and with their
    defaults in ``_options`` those that are given by name alone. The constructor hands them all to
    ``_set``, which keeps them, checked, with `_keep`.
    """

    __slots__ = ()
    __match_args__: ClassVar[tuple[str, ...]] = ()
    _options: ClassVar[Mapping[str, Any]] = MappingProxyType({})

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
        self._keep(**kept)

    def _keep(self, **values: Any) -> None:
        """Keep values that nobody else can change."""
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def _parameters(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in (*self.__match_args__, *self._options)}

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name; with ``deep`` also those of components.

        That of a component is named ``component__name``, as in scikit-learn.
        """
        found = self._components()
        if deep:
            for name, value in [*found.items()]:
                of_component: dict[str, Any] = getattr(value, "get_params", dict)()
                found |= {f"{name}__{inner}": own for inner, own in of_component.items()}
        return found

    def set_params(self, **params: Any) -> Self:
        """Return a new object with some parameters changed; this one stays as it is.

        A name ``component__name`` changes one of a component, as in scikit-learn.
        """
        components = self._components()
        nested: dict[str, dict[str, Any]] = {}
        for name, value in params.items():
            component, is_nested, inner = name.partition("__")
            if component not in components or (
                is_nested and not hasattr(components[component], "set_params")
            ):
                known = ", ".join(components) or "none"
                raise ValueError(f"{type(self).__name__}: parameters are {known}, got {name!r}")
            if is_nested:
                nested.setdefault(component, {})[inner] = value
            else:
                components[component] = value
        for component, changes in nested.items():
            own = copy.deepcopy(components[component])  # a class of the user's may change itself
            components[component] = own.set_params(**changes)
        return cast("Self", _made(type(self), *self._composed(components)))

    def _components(self) -> dict[str, Any]:
        """Return what has a name in `get_params`."""
        return self._parameters()

    def _composed(self, components: dict[str, Any]) -> tuple[Any, ...]:
        """Return the parameters of the constructor in order, given what has a name."""
        return tuple(components.values())

    def _with(self, **changes: Any) -> Self:
        """Return an object of the same class with some parameters changed."""
        return cast("Self", _made(type(self), *(self._parameters() | changes).values()))

    def __sklearn_clone__(self) -> Self:
        """Return the object itself, which nobody can change."""
        return self

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(
            f"{type(self).__name__}: {name} must not be changed; make a new object instead"
        )

    def __delattr__(self, name: str) -> NoReturn:
        self.__setattr__(name, None)

    def __repr__(self) -> str:
        given = (
            f"{name}={_as_code(value)}"
            for name, value in self._parameters().items()
            if name not in self._options or not _same(value, self._options[name])
        )
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
    return read_only(array, native if native in FLOAT_DTYPES else np.float64)


def read_only(array: ArrayLike, dtype: DTypeLike) -> NDArray[Any]:
    """Return a copy of an array that nobody can change."""
    own = np.array(array, dtype)
    own.flags.writeable = False
    return own


def _as_code(value: Any) -> str:
    """Return a parameter as an expression, with the names of NumPy, on one line."""
    digits: dict[str, Any] = {"floatmode": "unique", "suppress": False, "sign": "-"}
    words: dict[str, Any] = {"nanstr": "nan", "infstr": "inf", "legacy": False}
    with np.printoptions(threshold=1000, edgeitems=3, **digits, **words):
        return " ".join(repr(value).split()).replace(" ,", ",")


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if not isinstance(one, float | np.ndarray) or not isinstance(other, float | np.ndarray):
        return type(one) is type(other) and bool(one == other)
    one, other = np.asarray(one), np.asarray(other)
    numbers = one.dtype.kind not in "iu"  # integers have no NaN
    return bool(one.dtype == other.dtype and np.array_equal(one, other, equal_nan=numbers))


def _kind(value: Any) -> object:
    if isinstance(value, tuple):
        return tuple(map(_kind, value))
    if isinstance(value, slice):
        return value.start, value.stop, value.step
    is_like_array = isinstance(value, np.ndarray) or value != value
    return np.shape(value) if is_like_array else value
