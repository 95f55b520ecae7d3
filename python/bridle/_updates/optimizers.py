"""The updates with a memory: moments, the number of the step and prepared lists."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import (
    Any,
    ClassVar,
    Literal,
    NamedTuple,
    SupportsFloat,
    TypeAlias,
    TypeVar,
    Unpack,
)

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from bridle._arrays import Arrays, Listed, companion, description, listed, prepare
from bridle._call import choice, counter, one_line, shown
from bridle._core import copy_arrays
from bridle._updates import functions
from bridle._updates.call import (
    Rate,
    Settings,
    UpdateSummary,
    check_arrays,
    flag,
    per_array,
    with_keywords,
)
from bridle._updates.regularizer import descriptions
from bridle._updates.rows import Rows

__all__ = ["FTRL", "SGD", "Adagrad", "AdamW", "Lion", "RMSprop"]

Class = TypeVar("Class", bound=type)
StateType: TypeAlias = Literal["bfloat16"] | None


class _Record(NamedTuple):
    """What changes together with the arrays."""

    iteration: int
    lr: Rate


class Optimizer:
    """Base of the optimizers: weights, their state, and how many steps were taken.

    A class names its update, and hands its numbers and the names of its state, which are keywords
    of the update, to `_set`.
    """

    _update: ClassVar[Callable[..., UpdateSummary]]
    _counting: ClassVar[tuple[str, ...]] = ()
    """Keywords of the update that are always the number of the step."""

    def _set(
        self,
        weights: Arrays,
        lr: Rate,
        states: tuple[str, ...],
        state_dtype: StateType,
        numbers: dict[str, Any],
        settings: Mapping[str, Any],
    ) -> None:
        name = type(self).__name__
        for keyword in settings.keys() - Settings.__annotations__.keys():
            raise TypeError(f"{name}() got an unexpected keyword argument {keyword!r}")
        if state_dtype is not None:
            choice(name, "state_dtype", state_dtype, ("bfloat16",))
            if settings.get("rounding") != "stochastic":
                rule = (
                    "must be None unless rounding is 'stochastic', as nearest loses small changes"
                )
                raise ValueError(f"{name}: state_dtype {rule}, got {state_dtype!r}")
        given = listed(name, "weights", weights)
        self._single, self._keys, self._arrays = given.single, given.keys, given.arrays
        beside = {
            parameter: companion(name, parameter, settings[parameter], given).arrays
            for parameter in ("toward", "copy_out")
            if settings.get(parameter) is not None
        }
        self._state = {
            state: tuple(_zeros(given, i, state_dtype) for i in range(len(given.arrays)))
            for state in states
        }
        self._numbers, self._settings = numbers, dict(settings)
        self._check(lr, beside | self._state)
        self._record = _Record(0, lr)
        self._weights = self._prepared(self._arrays)
        prepared = {p: self._prepared(arrays) for p, arrays in (beside | self._state).items()}
        self._arguments = numbers | self._settings | prepared

    def _check(self, lr: Rate, groups: dict[str, tuple[NDArray[Any], ...]]) -> None:
        """Check the arrays, and the numbers by a step of no elements."""

        def as_given(arrays: tuple[NDArray[Any], ...]) -> Any:
            return arrays[0] if self._single else arrays

        def nothing(arrays: tuple[NDArray[Any], ...]) -> Any:
            return as_given(tuple([np.zeros(0, array.dtype) for array in arrays]))

        name, update = type(self).__name__, type(self)._update
        stochastic = self._settings.get("rounding") == "stochastic"
        every = {p: as_given(arrays) for p, arrays in ({"weights": self._arrays} | groups).items()}
        check_arrays(name, every, self._keys, stochastic=stochastic)
        descriptions(name, self._settings.get("regularizer"), every["weights"])
        arguments = self._numbers | {k: v for k, v in self._settings.items() if k != "regularizer"}
        arguments |= {parameter: nothing(arrays) for parameter, arrays in groups.items()}
        weights = nothing(self._arrays)
        try:
            update(weights, gradient=weights, lr=lr, **arguments, **self._numbered(1))
        except (TypeError, ValueError) as error:
            raise self._own(error) from None

    def _numbered(self, step: int) -> dict[str, int]:
        """Return the keywords of the update that are the number of the step."""
        stochastic = self._settings.get("rounding") == "stochastic"
        names = (*self._counting, "stream") if stochastic else self._counting
        return dict.fromkeys(names, step)

    def _prepared(self, arrays: tuple[NDArray[Any], ...]) -> Any:
        return arrays[0] if self._single else prepare(self._as_given(arrays))

    def _as_given(self, arrays: tuple[NDArray[Any], ...]) -> Any:
        """Return arrays in the structure in which the weights were given."""
        if self._single:
            return arrays[0]
        return list(arrays) if self._keys is None else dict(zip(self._keys, arrays, strict=True))

    @property
    def lr(self) -> Rate:
        """Learning rate of the next steps, which may be assigned."""
        return self._record.lr

    @lr.setter
    def lr(self, value: Rate) -> None:
        self._record = _Record(self._record.iteration, self._checked_rate(value))

    @property
    def iteration(self) -> int:
        """Number of the steps that were taken."""
        return self._record.iteration

    @property
    def weights(self) -> Any:
        """The arrays of the weights, in the structure in which they were given."""
        return self._as_given(self._arrays)

    @property
    def state(self) -> dict[str, Any]:
        """The arrays of the state by their names, each in the structure of the weights."""
        return {name: self._as_given(arrays) for name, arrays in self._state.items()}

    def step(
        self,
        gradients: Arrays,
        *,
        lr: Rate | None = None,
        grad_scale: float = 1.0,
        rows: Rows | None = None,
    ) -> UpdateSummary:
        """Take a step: what the update does that the class is named after.

        Weights, state and `iteration` change together or, after an exception, an interruption
        included, not at all.

        Parameters
        ----------
        gradients : like the weights
            Gradients; those of a mapping go by its keys.
        lr : float or sequence of float, optional
            Learning rate of this step; by default that of the optimizer.
        grad_scale : float, default 1.0
            Multiplies the gradients, as `GlobalNorm.clip_scale` gives it.
        rows : array_like of int, or list of them, optional
            Update these rows of tables alone, of which there are the gradients.

        Returns
        -------
        UpdateSummary
            Penalty, number of non-zeros and finiteness of the new weights.

        Raises
        ------
        ValueError, TypeError, IndexError
            If gradients, a number or a row do not fit; nothing has been written then.
        """
        record = self._record
        number = record.iteration + 1
        own: dict[str, Any] = self._numbered(number)
        if rows is not None:
            own["rows"] = rows
        rate = record.lr if lr is None else lr
        note = self, "_record", record._replace(iteration=number)
        own |= {"lr": rate, "grad_scale": grad_scale, "_note": note}
        try:
            return type(self)._update(self._weights, gradient=gradients, **self._arguments, **own)
        except (TypeError, ValueError, IndexError) as error:
            raise self._own(error) from None

    def state_dict(self) -> dict[str, Any]:
        """Return the learning rate, the number of steps and the arrays of the state.

        The arrays are those of the optimizer, no copies.
        """
        iteration, lr = self._record
        rates = float(lr) if isinstance(lr, SupportsFloat) else [float(rate) for rate in lr]
        numbers = {"optimizer": type(self).__name__, "iteration": iteration, "lr": rates}
        return {**numbers, "state": self.state}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where the optimizer of a `state_dict` was: its arrays are copied into those here.

        Parameters
        ----------
        state : mapping
            A result of `state_dict`.

        Raises
        ------
        ValueError
            If it is not the state of such an optimizer of such weights; nothing has changed then.
        """
        record, sources = self._check_state(state)
        targets = [array for arrays in self._state.values() for array in arrays]
        copy_arrays(targets, sources, self, "_record", record)

    def _check_state(self, state: Any) -> tuple[_Record, list[NDArray[Any]]]:
        """Return the numbers and the arrays of a state, in the order of those here."""
        name = type(self).__name__
        try:
            kind, iteration, lr = state["optimizer"], state["iteration"], state["lr"]
            saved = dict(state["state"])
        except (KeyError, TypeError, ValueError):
            raise ValueError(f"{name}: state must be a state_dict, got {shown(state)}") from None
        if kind != name:
            raise ValueError(f"{name}: state must be that of {name}, got that of {shown(kind)}")
        if saved.keys() != self._state.keys():
            wanted, got = (", ".join(map(str, names)) or "none" for names in (self._state, saved))
            rule = f"state must have the arrays {wanted}"
            raise ValueError(f"{name}: {rule}, got {one_line(got)}")
        try:
            record = _Record(counter(name, "iteration", iteration), self._checked_rate(lr))
            sources = [a for parameter in self._state for a in self._fitting(parameter, saved)]
        except TypeError as error:
            raise ValueError(str(error)) from None
        return record, sources

    def _checked_rate(self, lr: Any) -> Any:
        per_array(type(self).__name__, "lr", lr, self._arrays[0] if self._single else self._arrays)
        return lr

    def _fitting(self, parameter: str, saved: Mapping[str, Any]) -> tuple[NDArray[Any], ...]:
        """Return the arrays of a state, which must be like those here."""
        name, own = type(self).__name__, self._state[parameter]
        like = listed(name, "weights", self._as_given(self._arrays))
        group = companion(name, parameter, saved[parameter], like)
        if group.single != self._single or len(group.arrays) != len(own):
            wanted = "one array" if self._single else f"{len(own)} arrays"
            got = "one array" if group.single else f"{len(group.arrays)} arrays"
            raise ValueError(f"{name}: {parameter} must be {wanted}, got {got}")
        for i, (array, target) in enumerate(zip(group.arrays, own, strict=True)):
            if description(array) != description(target):
                rule = f"{group.name(i)} must be {description(target)}"
                raise ValueError(f"{name}: {rule}, got {description(array)}")
        return group.arrays

    def _own(self, error: Exception) -> Exception:
        """Return an error of the update as one of the class."""
        name = type(self)._update.__name__
        return type(error)(str(error).replace(name, type(self).__name__, 1))

    def __repr__(self) -> str:
        numbers = {"lr": self.lr} | self._numbers | self._settings
        texts = [f"{k}={v!r}" for k, v in numbers.items() if k not in ("toward", "copy_out")]
        count, size = len(self._arrays), sum(array.size for array in self._arrays)
        text = f"{count} array{'s' * (count != 1)}, {size} element{'s' * (size != 1)}"
        return (
            f"<{type(self).__name__}: {', '.join([text, f'iteration {self.iteration}', *texts])}>"
        )


def _zeros(given: Listed, index: int, state_dtype: StateType) -> NDArray[Any]:
    name, array = given.function, given.arrays[index]
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name}: {given.name(index)} must be an array, got {type(array).__name__}")
    if array.dtype == np.float64:
        if state_dtype is not None:
            rule = "state_dtype must be None where weights are float64"
            raise ValueError(f"{name}: {rule}, got {state_dtype!r}")
        return np.zeros_like(array, subok=False)
    dtype = np.dtype(ml_dtypes.bfloat16) if state_dtype else np.dtype(np.float32)
    return np.zeros_like(array, dtype, subok=False)


def shows_settings(cls: Class) -> Class:
    """Show the common keywords in the signature of an optimizer, one by one."""
    start: Any = cls.__init__  # type: ignore[misc]  # of a class, which any instance would have
    start.__signature__ = with_keywords(inspect.signature(start), Settings.__annotations__)
    return cls


@shows_settings
class SGD(Optimizer):
    """Stochastic gradient descent, with what `sgd_update` does in each step.

    Parameters
    ----------
    weights : ndarray, or list, tuple or mapping of ndarray
        Weights, which the steps overwrite.
    lr : float or sequence of float
        Learning rate >= 0; a sequence has one for each array. It may be assigned later.
    momentum : float, default 0.0
        Factor >= 0 of the old momentum.
    nesterov : bool, default False
        Nesterov's form; needs a momentum.
    state_dtype : {None, "bfloat16"}, default None
        Type of the momentum: that of the weights, float32 for halves, or bfloat16.
    l1, l2, weight_decay, decay, cautious, toward, prox_step, copy_out, rounding, seed, offset
        See `adamw_update`; random bits of a step have the stream of its number.
    regularizer
        See `adamw_update`.

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> w = np.array([1.0, 0.05])
    >>> optimizer = br.SGD(w, 0.1, l1=1.0)
    >>> optimizer.step(np.array([1.0, 0.0]))
    UpdateSummary(penalty=0.8, nonzeros=1, finite=True)
    >>> optimizer
    <SGD: 1 array, 2 elements, iteration 1, lr=0.1, momentum=0.0, nesterov=False, l1=1.0>
    """

    _update = staticmethod(functions.sgd_update)

    def __init__(
        self,
        weights: Arrays,
        lr: Rate,
        *,
        momentum: float = 0.0,
        nesterov: bool = False,
        state_dtype: StateType = None,
        **settings: Unpack[Settings],
    ) -> None:
        states = ("momentum_buffer",) if momentum else ()
        numbers = {"momentum": momentum, "nesterov": nesterov}
        self._set(weights, lr, states, state_dtype, numbers, settings)


@shows_settings
class AdamW(Optimizer):
    """Adam with decoupled decay, with what `adamw_update` does in each step.

    Parameters
    ----------
    weights : ndarray, or list, tuple or mapping of ndarray
        Weights, which the steps overwrite.
    lr : float or sequence of float
        Learning rate >= 0; a sequence has one for each array. It may be assigned later.
    betas : tuple of float, default (0.9, 0.999)
        Decay rates of the moments, each in [0, 1).
    epsilon : float, default 1e-8
        Added to the denominator, >= 0.
    state_dtype : {None, "bfloat16"}, default None
        Type of the moments: that of the weights, float32 for halves, or bfloat16.
    l1, l2, weight_decay, decay, cautious, toward, prox_step, copy_out, rounding, seed, offset
        See `adamw_update`; random bits of a step have the stream of its number.
    regularizer
        See `adamw_update`.

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> model = {"kernel": np.ones((2, 3)), "bias": np.zeros(3)}
    >>> optimizer = br.AdamW(model, 0.01, weight_decay=[0.1, 0.0])
    >>> gradients = {"bias": np.ones(3), "kernel": np.ones((2, 3))}
    >>> optimizer.step(gradients).finite, optimizer.iteration
    (True, 1)
    >>> list(optimizer.state)
    ['first_moment', 'second_moment']
    """

    _update = staticmethod(functions.adamw_update)
    _counting = ("iteration",)

    def __init__(
        self,
        weights: Arrays,
        lr: Rate,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        state_dtype: StateType = None,
        **settings: Unpack[Settings],
    ) -> None:
        states = ("first_moment", "second_moment")
        numbers = {"betas": betas, "epsilon": epsilon}
        self._set(weights, lr, states, state_dtype, numbers, settings)


@shows_settings
class Adagrad(Optimizer):
    """Adagrad, with what `adagrad_update` does in each step.

    Parameters
    ----------
    weights : ndarray, or list, tuple or mapping of ndarray
        Weights, which the steps overwrite.
    lr : float or sequence of float
        Learning rate >= 0; a sequence has one for each array. It may be assigned later.
    epsilon : float, default 1e-10
        Added to the denominator, >= 0.
    state_dtype : {None, "bfloat16"}, default None
        Type of the accumulator: that of the weights, float32 for halves, or bfloat16.
    l1, l2, weight_decay, decay, cautious, toward, prox_step, copy_out, rounding, seed, offset
        See `adamw_update`; random bits of a step have the stream of its number.
    regularizer
        See `adamw_update`.

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> w = np.array([1.0, 2.0])
    >>> optimizer = br.Adagrad(w, 0.5)
    >>> optimizer.step(np.array([3.0, -1.0])).nonzeros, w
    (2, array([0.5, 2.5]))
    """

    _update = staticmethod(functions.adagrad_update)

    def __init__(
        self,
        weights: Arrays,
        lr: Rate,
        *,
        epsilon: float = 1e-10,
        state_dtype: StateType = None,
        **settings: Unpack[Settings],
    ) -> None:
        self._set(weights, lr, ("accumulator",), state_dtype, {"epsilon": epsilon}, settings)


@shows_settings
class RMSprop(Optimizer):
    """RMSProp, with what `rmsprop_update` does in each step.

    Parameters
    ----------
    weights : ndarray, or list, tuple or mapping of ndarray
        Weights, which the steps overwrite.
    lr : float or sequence of float
        Learning rate >= 0; a sequence has one for each array. It may be assigned later.
    alpha : float, default 0.99
        Decay rate of the averages, in [0, 1).
    epsilon : float, default 1e-8
        Added to the denominator, >= 0.
    momentum : float, default 0.0
        Factor >= 0 of the old momentum.
    centered : bool, default False
        Divide by the standard deviation of the gradients, not by their root mean square.
    state_dtype : {None, "bfloat16"}, default None
        Type of the state: that of the weights, float32 for halves, or bfloat16.
    l1, l2, weight_decay, decay, cautious, toward, prox_step, copy_out, rounding, seed, offset
        See `adamw_update`; random bits of a step have the stream of its number.
    regularizer
        See `adamw_update`.

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> w = np.array([1.0])
    >>> optimizer = br.RMSprop(w, 0.1, alpha=0.75)
    >>> optimizer.step(np.array([2.0])).nonzeros, w
    (1, array([0.8]))
    """

    _update = staticmethod(functions.rmsprop_update)

    def __init__(
        self,
        weights: Arrays,
        lr: Rate,
        *,
        alpha: float = 0.99,
        epsilon: float = 1e-8,
        momentum: float = 0.0,
        centered: bool = False,
        state_dtype: StateType = None,
        **settings: Unpack[Settings],
    ) -> None:
        moving = ("momentum_buffer",) if momentum else ()
        centre = ("gradient_average",) if flag("RMSprop", "centered", centered) else ()
        states = ("square_average", *moving, *centre)
        numbers = {"alpha": alpha, "epsilon": epsilon, "momentum": momentum}
        self._set(weights, lr, states, state_dtype, numbers, settings)


@shows_settings
class Lion(Optimizer):
    """Lion, with what `lion_update` does in each step.

    Parameters
    ----------
    weights : ndarray, or list, tuple or mapping of ndarray
        Weights, which the steps overwrite.
    lr : float or sequence of float
        Learning rate >= 0; a sequence has one for each array. It may be assigned later.
    betas : tuple of float, default (0.9, 0.99)
        Rates of the update and of the momentum, each in [0, 1).
    state_dtype : {None, "bfloat16"}, default None
        Type of the momentum: that of the weights, float32 for halves, or bfloat16.
    l1, l2, weight_decay, decay, cautious, toward, prox_step, copy_out, rounding, seed, offset
        See `adamw_update`; random bits of a step have the stream of its number.
    regularizer
        See `adamw_update`.

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> w = np.array([1.0, 1.0])
    >>> optimizer = br.Lion(w, 0.25)
    >>> optimizer.step(np.array([3.0, -0.1])).nonzeros, w
    (2, array([0.75, 1.25]))
    """

    _update = staticmethod(functions.lion_update)

    def __init__(
        self,
        weights: Arrays,
        lr: Rate,
        *,
        betas: tuple[float, float] = (0.9, 0.99),
        state_dtype: StateType = None,
        **settings: Unpack[Settings],
    ) -> None:
        self._set(weights, lr, ("momentum_buffer",), state_dtype, {"betas": betas}, settings)


class FTRL(Optimizer):
    """FTRL-Proximal, with what `ftrl_update` does in each step: exact zeros online.

    Parameters
    ----------
    weights : ndarray, or list, tuple or mapping of ndarray
        Weights, which the steps overwrite.
    lr : float or sequence of float
        Learning rate > 0; a sequence has one for each array. It may be assigned later.
    beta : float, default 1.0
        Smooths the first steps, >= 0.
    l1, l2 : float or sequence of float, default 0.0
        Strengths of the elastic net, >= 0.

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> w = np.zeros(2)
    >>> optimizer = br.FTRL(w, 0.5, l1=1.0)
    >>> optimizer.step(np.array([3.0, 0.5])).nonzeros, w
    (1, array([-0.25,  0.  ]))
    """

    _update = staticmethod(functions.ftrl_update)

    def __init__(
        self, weights: Arrays, lr: Rate, *, beta: float = 1.0, l1: Rate = 0.0, l2: Rate = 0.0
    ) -> None:
        numbers = {"beta": beta, "l1": l1, "l2": l2}
        self._set(weights, lr, ("linear", "accumulator"), None, numbers, {})
