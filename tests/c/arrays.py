"""Lists of arrays and what works on them as C functions, called through ctypes."""

import ctypes
from collections.abc import Mapping
from typing import Any

import numpy as np

import bridle as br

from ..updates.oracle import Update
from .updates import CHOICES, NUMBERS, STATES, Regularization, Summary

DOUBLE, INT64, POINTER = ctypes.c_double, ctypes.c_int64, ctypes.c_void_p
DTYPE_NUMBERS = {"float16": 0, "bfloat16": 1, "float32": 2, "float64": 3}


class Array(ctypes.Structure):
    """struct bridle_array."""

    _fields_ = (
        ("data", POINTER),
        *((name, INT64) for name in ("rows", "length", "stride")),
        *((name, ctypes.c_int32) for name in ("dtype", "reserved")),
    )


class RandomBits(ctypes.Structure):
    """struct bridle_random_bits."""

    _fields_ = tuple((name, ctypes.c_uint64) for name in ("seed", "stream", "offset"))


class Norm(ctypes.Structure):
    """struct bridle_norm, with numbers that no list gives."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("finite", ctypes.c_int32),
        ("l2", DOUBLE),
        ("largest", DOUBLE),
    )

    def __init__(self) -> None:
        super().__init__(ctypes.sizeof(self), -7, -7.0, -7.0)

    @property
    def numbers(self) -> tuple[float, float, bool]:
        return self.l2, self.largest, bool(self.finite)


class Regularizer(ctypes.Structure):
    """struct bridle_regularizer."""

    _fields_ = (
        ("prox", ctypes.c_char_p),
        ("prox_parameters", ctypes.POINTER(DOUBLE)),
        ("penalty", ctypes.c_char_p),
        ("penalty_parameters", ctypes.POINTER(DOUBLE)),
    )


class Step(ctypes.Structure):
    """struct bridle_update."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("reserved", ctypes.c_int32),
        ("name", ctypes.c_char_p),
        ("numbers", ctypes.POINTER(DOUBLE)),
        ("count", INT64),
        ("w", POINTER),
        ("gradient", POINTER),
        ("state", POINTER * 3),
        ("toward", POINTER),
        ("copy_out", POINTER),
        *((name, ctypes.POINTER(DOUBLE)) for name in ("lr", "l1", "l2", "weight_decay")),
        ("regularization", POINTER),
        ("regularizer", POINTER),
        ("random_bits", POINTER),
    )


def doubles(numbers: Any) -> Any:
    return (DOUBLE * len(numbers))(*numbers)


def c_array(x: np.ndarray) -> Array:
    """Describe a vector, or the rows of a matrix."""
    rows, length = (1, x.size) if x.ndim == 1 else x.shape
    stride = length if x.ndim == 1 else x.strides[0] // x.itemsize
    return Array(x.ctypes.data, rows, length, stride, DTYPE_NUMBERS[str(x.dtype)])


def c_arrays(arrays: Any) -> Any:
    """Describe an array, or a list of them."""
    arrays = [arrays] if isinstance(arrays, np.ndarray) else arrays
    return (Array * len(arrays))(*[c_array(x) for x in arrays])


def function(name: str, *types: Any, result: Any = ctypes.c_int) -> Any:
    """Return the C function of that name."""
    return ctypes.CFUNCTYPE(result, *types)(br.c_api_address(name))


def last_error() -> str:
    message: bytes = function("last_error", result=ctypes.c_char_p)()
    return message.decode()


def random_bits(given: Mapping[str, Any]) -> RandomBits | None:
    """Take rounding by the keywords of Python."""
    if given.get("rounding") != "stochastic":
        return None
    return RandomBits(given["seed"], given["stream"], given.get("offset", 0))


def regularizers(given: Any, count: int) -> Any:
    """Describe regularizer objects, one for each array."""
    if given is None:
        return None
    result = (Regularizer * count)()
    for i, one in enumerate(given if isinstance(given, list) else [given] * count):
        if one is None:
            continue
        calls = one._elementwise()
        result[i].prox = calls.prox.encode()
        result[i].prox_parameters = doubles(calls.with_step(np.nan))
        result[i].penalty = calls.penalty and calls.penalty.encode()
        result[i].penalty_parameters = doubles(calls.penalty_parameters)
    return result


class Call:
    """The step of an optimizer for arrays by their names, and keywords of Python."""

    def __init__(self, row: Update, arrays: Mapping[str, Any], **keywords: Any) -> None:
        self.summary = Summary()
        self.lists = {name: c_arrays(given) for name, given in arrays.items()}
        count = len(self.lists["w"])
        options = {"lr": row.lr, "iteration": 1, "momentum": 0.0, "nesterov": 0} | row.options
        options |= {name: keywords.pop(name) for name in list(keywords) if name in options}
        if "betas" in options:
            options["beta1"], options["beta2"] = options["betas"]
        self.step = Step(ctypes.sizeof(Step), 0, row.function.encode(), None, count)
        for name in ("l1", "l2", "weight_decay"):
            if isinstance(keywords.get(name), list):
                setattr(self.step, name, doubles(keywords.pop(name)))
        if isinstance(options["lr"], list):
            self.step.lr = doubles(options["lr"])
            options["lr"] = np.nan
        self.step.numbers = doubles([options[name] for name in NUMBERS[row.function]])
        for name in ("w", "gradient", "toward", "copy_out"):
            if name in self.lists:
                setattr(self.step, name, ctypes.addressof(self.lists[name]))
        for s, name in enumerate(STATES[row.function]):
            if name in self.lists:
                self.step.state[s] = ctypes.addressof(self.lists[name])
        self.kept = [random_bits(keywords), regularizers(keywords.pop("regularizer", None), count)]
        for name, structure in zip(("random_bits", "regularizer"), self.kept, strict=True):
            if structure is not None:
                setattr(self.step, name, ctypes.addressof(structure))
        for name in ("rounding", "seed", "stream", "offset"):
            keywords.pop(name, None)
        self.regularization = Regularization(**{n: CHOICES.get(v, v) for n, v in keywords.items()})
        self.step.regularization = ctypes.addressof(self.regularization)

    def __call__(self) -> int:
        update = function("update", ctypes.POINTER(Step), ctypes.POINTER(Summary))
        result: int = update(self.step, self.summary)
        return result
