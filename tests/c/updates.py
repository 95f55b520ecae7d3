"""The fused updates as C functions, called through ctypes."""

import ctypes
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import bridle as br

from ..updates.data import Operands
from ..updates.oracle import Update

DOUBLE, INT64 = ctypes.c_double, ctypes.c_int64
SUFFIXES = {"float32": "f32", "float64": "f64"}

STATES = {
    "proximal_step": (),
    "sgd_update": ("momentum_buffer",),
    "adamw_update": ("first_moment", "second_moment"),
    "adagrad_update": ("accumulator",),
    "rmsprop_update": ("square_average", "momentum_buffer", "gradient_average"),
    "lion_update": ("momentum_buffer",),
    "ftrl_update": ("linear", "accumulator"),
}
NUMBERS = {
    "proximal_step": {"lr": DOUBLE},
    "sgd_update": {"lr": DOUBLE, "momentum": DOUBLE, "nesterov": ctypes.c_int},
    "adamw_update": {
        "lr": DOUBLE,
        "iteration": INT64,
        "beta1": DOUBLE,
        "beta2": DOUBLE,
        "epsilon": DOUBLE,
    },
    "adagrad_update": {"lr": DOUBLE, "epsilon": DOUBLE},
    "rmsprop_update": {"lr": DOUBLE, "alpha": DOUBLE, "epsilon": DOUBLE, "momentum": DOUBLE},
    "lion_update": {"lr": DOUBLE, "beta1": DOUBLE, "beta2": DOUBLE},
    "ftrl_update": {"lr": DOUBLE, "beta": DOUBLE},
}
CHOICES = {"decoupled": 0, "coupled": 1, "full": 2, "adaptive": 0, "scalar": 1}


class Regularization(ctypes.Structure):
    """struct bridle_regularization, initialized."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        *((name, ctypes.c_int32) for name in ("decay", "cautious", "prox_step")),
        *((name, DOUBLE) for name in ("l1", "l2", "weight_decay", "grad_scale")),
    )

    def __init__(self, **given: Any) -> None:
        super().__init__(**{"size": ctypes.sizeof(self), "grad_scale": 1.0} | given)


class Summary(ctypes.Structure):
    """struct bridle_update_summary, with numbers that no update gives."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("finite", ctypes.c_int32),
        ("penalty", DOUBLE),
        ("nonzeros", INT64),
    )

    def __init__(self) -> None:
        super().__init__(ctypes.sizeof(self), -7, -7.0, -7)

    @property
    def numbers(self) -> tuple[float, int, int]:
        return self.penalty, self.nonzeros, self.finite


@dataclass(frozen=True)
class Call:
    """Everything that a C function takes; arrays are addresses by name, in order."""

    function: str
    suffix: str
    arrays: dict[str, int | None]
    numbers: dict[str, float]
    toward: int | None
    n: int
    regularization: int | None
    summary: int | None

    def __call__(self) -> int:
        pointer = ctypes.c_void_p
        types = [pointer] * len(self.arrays) + list(NUMBERS[self.function].values())
        types += [pointer, pointer, INT64, pointer]
        address = br.c_api_address(f"{self.function}_{self.suffix}")
        return ctypes.CFUNCTYPE(ctypes.c_int, *types)(address)(
            *self.arrays.values(),
            *self.numbers.values(),
            self.regularization,
            self.toward,
            self.n,
            self.summary,
        )

    def with_array(self, name: str, address: int | None) -> "Call":
        """Return the call with another array."""
        if name == "toward":
            return replace(self, toward=address)
        return replace(self, arrays=self.arrays | {name: address})

    def with_numbers(self, **numbers: float) -> "Call":
        """Return the call with other numbers."""
        return replace(self, numbers=self.numbers | numbers)


def _numbers(row: Update, iteration: int) -> dict[str, float]:
    given = {"lr": row.lr, "iteration": iteration, "momentum": 0.0, "nesterov": 0} | row.options
    if "betas" in given:
        given["beta1"], given["beta2"] = given["betas"]
    return {name: given[name] for name in NUMBERS[row.function]}


def address(array: np.ndarray | None) -> int | None:
    return None if array is None else array.ctypes.data


def call_of(
    row: Update,
    given: Operands,
    regularization: Regularization | None,
    summary: Summary | None,
    iteration: int = 1,
    toward: Any = None,
) -> Call:
    """Return the call for these operands, the objects of which must outlive it."""
    state = dict(zip(row.states, given.state, strict=True))
    arrays = {"w": address(given.w)}
    if row.has_gradient:
        arrays["gradient"] = address(given.gradient)
    arrays |= {name: address(state.get(name)) for name in STATES[row.function]}
    return Call(
        row.function,
        SUFFIXES[str(given.w.dtype)],
        arrays,
        _numbers(row, iteration),
        None if toward is None else address(given.toward),
        given.w.size,
        None if regularization is None else ctypes.addressof(regularization),
        None if summary is None else ctypes.addressof(summary),
    )


def regularization_of(keywords: dict[str, Any]) -> Regularization:
    """Return the struct for the keywords of Python."""
    return Regularization(
        **{name: CHOICES.get(value, value) for name, value in keywords.items() if name != "toward"}
    )
