"""The updates with a memory: moments, the number of the step and prepared lists."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal, TypeAlias, TypeVar, Unpack, cast

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from bridle._arrays import Arrays, Listed, companion, listed, prepare
from bridle._call import choice, shown
from bridle._updates import functions
from bridle._updates.call import Rate, Settings, UpdateSummary, flag, run
from bridle._updates.regularizer import descriptions
from bridle._updates.rows import Rows

__all__ = ["FTRL", "SGD", "Adagrad", "AdamW", "Lion", "RMSprop"]

Class = TypeVar("Class", bound=type)
StateType: TypeAlias = Literal["bfloat16"] | None


class Optimizer:
    """Base of the optimizers: weights, their state, and how many steps were taken.

    A class names its update, and hands its numbers and the names of its state, which are keywords
    of the update, to `_set`.
    """

    _update: ClassVar[Callable[..., UpdateSummary]]
    lr: Rate
    """Learning rate of the next steps."""

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
        self._given, self._listed = weights, listed(name, "weights", weights)
        beside = {
            parameter: companion(name, parameter, settings[parameter], self._listed)
            for parameter in ("toward", "copy_out")
            if settings.get(parameter) is not None
        }
        self._state = {parameter: self._zeros(state_dtype) for parameter in states}
        self.lr, self._numbers, self._settings = lr, numbers, dict(settings)
        self._iteration = 0
        parameters = inspect.signature(type(self)._update).parameters
        self._counts = "iteration" in parameters
        self._check(beside)
        prepared = {parameter: _prepared(arrays) for parameter, arrays in beside.items()}
        prepared |= {parameter: self._prepared(arrays) for parameter, arrays in self._state.items()}
        self._weights = _prepared(self._listed)
        self._arguments = numbers | self._settings | prepared

    def _check(self, beside: Mapping[str, Listed]) -> None:
        """Check numbers and types, by a step of no elements."""
        name, update = type(self).__name__, type(self)._update.__name__

        def nothing(arrays: Sequence[NDArray[Any]]) -> Any:
            empty = [np.zeros(0, array.dtype) for array in arrays]
            return empty[0] if self._listed.single else empty

        arguments = self._numbers | {k: v for k, v in self._settings.items() if k != "regularizer"}
        arguments |= {parameter: nothing(group.arrays) for parameter, group in beside.items()}
        arguments |= {parameter: nothing(arrays) for parameter, arrays in self._state.items()}
        arguments |= {"iteration": 1} if self._counts else {}
        arguments |= {"stream": 1} if self._is_stochastic else {}
        weights = nothing(self._listed.arrays)
        try:
            type(self)._update(weights, gradient=weights, lr=self.lr, **arguments)
            arrays = self._listed.arrays[0] if self._listed.single else self._listed.arrays
            descriptions(update, self._settings.get("regularizer"), arrays)
        except (TypeError, ValueError) as error:
            raise type(error)(str(error).replace(update, name, 1)) from None

    @property
    def _is_stochastic(self) -> bool:
        return self._settings.get("rounding") == "stochastic"

    def _zeros(self, state_dtype: StateType) -> list[NDArray[Any]]:
        return [_zeros(type(self).__name__, self._listed, i, state_dtype) for i in self._indices]

    @property
    def _indices(self) -> range:
        return range(len(self._listed.arrays))

    def _prepared(self, arrays: list[NDArray[Any]]) -> Any:
        return arrays[0] if self._listed.single else prepare(self._as_given(arrays))

    @property
    def weights(self) -> Arrays:
        """The weights, as they were given."""
        return self._given

    @property
    def iteration(self) -> int:
        """The number of steps that were taken."""
        return self._iteration

    @property
    def state(self) -> dict[str, Any]:
        """The arrays of the state by their names, in the structure of the weights."""
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

        Parameters
        ----------
        gradients : like the weights
            Gradients; those of a mapping go by its keys.
        lr : float or sequence of float, optional
            Learning rate of this step; by default `lr` of the optimizer.
        grad_scale : float, default 1.0
            Multiplies the gradients, as `GlobalNorm.clip_scale` gives it.
        rows : array_like of int, or list of them, optional
            Update these rows of tables alone, of which there are the gradients.

        Returns
        -------
        UpdateSummary
            Penalty, number of non-zeros and finiteness of the new weights.
        """
        number = self._iteration + 1
        own: dict[str, Any] = {"grad_scale": grad_scale}
        if self._counts:
            own["iteration"] = number
        if self._is_stochastic:
            own["stream"] = number
        if rows is not None:
            own["rows"] = rows
        rate = self.lr if lr is None else lr
        update = type(self)._update
        summary = update(self._weights, gradient=gradients, lr=rate, **self._arguments, **own)
        self._iteration = number
        return summary

    def state_dict(self) -> dict[str, Any]:
        """Return the learning rate, the number of steps and the arrays of the state.

        The arrays are those of the optimizer, no copies.
        """
        lr = self.lr if np.ndim(self.lr) == 0 else [float(rate) for rate in cast(Any, self.lr)]
        numbers = {"optimizer": type(self).__name__, "iteration": self._iteration, "lr": lr}
        return {**numbers, "state": self.state}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where the optimizer of a `state_dict` was: its arrays are copied into those here.

        Raises
        ------
        ValueError
            If it is not a state of such an optimizer for such weights. Nothing has changed then.
        """
        iteration, lr, arrays = self._checked(state)
        for name, sources in arrays.items():
            for target, source in zip(self._state[name], sources, strict=True):
                np.copyto(target, source)
        self._iteration, self.lr = iteration, lr

    def _checked(self, state: Mapping[str, Any]) -> tuple[int, Any, dict[str, Any]]:
        name = type(self).__name__
        try:
            kind, iteration = state["optimizer"], state["iteration"]
            lr, saved = state["lr"], dict(state["state"])
        except (KeyError, TypeError, ValueError):
            raise ValueError(f"{name}: state must be a state_dict, got {shown(state)}") from None
        if kind != name:
            raise ValueError(f"{name}: state must be that of {name}, got that of {kind}")
        if not isinstance(iteration, int) or isinstance(iteration, bool) or iteration < 0:
            raise ValueError(f"{name}: iteration must be a whole number, got {shown(iteration)}")
        if saved.keys() != self._state.keys():
            wanted, got = ", ".join(self._state) or "none", ", ".join(saved) or "none"
            raise ValueError(f"{name}: state must have the arrays {wanted}, got {got}")
        found = {}
        for parameter, own in self._state.items():
            beside = companion(name, parameter, saved[parameter], self._listed)
            if len(beside.arrays) != len(own):
                raise ValueError(
                    f"{name}: {parameter} must have {len(own)} arrays, got {len(beside.arrays)}"
                )
            for i, (target, source) in enumerate(zip(own, beside.arrays, strict=True)):
                saved_array = np.asarray(source)
                if _description(saved_array) != _description(target):
                    raise ValueError(
                        f"{name}: {beside.name(i)} must be {_description(target)}, "
                        f"got {_description(saved_array)}"
                    )
            found[parameter] = beside.arrays
        return iteration, lr, found

    def _as_given(self, arrays: list[NDArray[Any]]) -> Any:
        if self._listed.single:
            return arrays[0]
        if self._listed.keys is None:
            return list(arrays)
        return dict(zip(cast(Any, self._listed.keys), arrays, strict=True))

    def __repr__(self) -> str:
        numbers = {"lr": self.lr} | self._numbers | self._settings
        shown_numbers = [
            f"{k}={v!r}" for k, v in numbers.items() if k not in ("toward", "copy_out")
        ]
        arrays = self._listed.arrays
        count, size = len(arrays), sum(array.size for array in arrays)
        text = f"{count} array{'s' * (count != 1)}, {size} element{'s' * (size != 1)}"
        text = f"{text}, iteration {self._iteration}"
        return f"<{type(self).__name__}: {', '.join([text, *shown_numbers])}>"


def _prepared(given: Listed) -> Any:
    if given.single:
        return given.arrays[0]
    if given.keys is None:
        return prepare(given.arrays)
    return prepare(dict(zip(cast(Any, given.keys), given.arrays, strict=True)))


def _description(array: NDArray[Any]) -> str:
    return f"{array.dtype} of shape {array.shape}"


def _zeros(name: str, given: Listed, index: int, state_dtype: StateType) -> NDArray[Any]:
    array = given.arrays[index]
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name}: {given.name(index)} must be an array, got {type(array).__name__}")
    if array.dtype == np.float64:
        if state_dtype is not None:
            raise ValueError(
                f"{name}: state_dtype must be None where weights are float64, got {state_dtype!r}"
            )
        return np.zeros_like(array, subok=False)
    dtype = np.dtype(ml_dtypes.bfloat16) if state_dtype else np.dtype(np.float32)
    return np.zeros_like(array, dtype, subok=False)


def shows_settings(cls: Class) -> Class:
    """Show the common keywords in the signature of an optimizer, one by one."""
    own = inspect.signature(cls.__init__)  # type: ignore[misc]
    parameters = [p for p in own.parameters.values() if p.kind is not p.VAR_KEYWORD]
    common = inspect.signature(run).parameters.values()
    parameters += [p for p in common if p.name in Settings.__annotations__]
    cls.__init__.__signature__ = own.replace(parameters=parameters)  # type: ignore[misc]
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
