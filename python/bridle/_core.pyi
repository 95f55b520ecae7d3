# The extension module, as far as the Python layer uses it.
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__version__: str
ufuncs: dict[str, np.ufunc]
elementwise_operators: dict[str, tuple[str, ...]]
penalties: dict[str, tuple[str, ...]]
compared: dict[str, tuple[int, ...]]
unchecked: dict[str, tuple[int, ...]]
penalties_beside: list[str]
c_functions: dict[str, int]

def soft_threshold(x: Any, threshold: Any, out: Any, ufunc_kwargs: Any, /) -> Any: ...
def prox_elastic_net(
    x: Any, l1: Any, l2: Any, step: Any, out: Any, ufunc_kwargs: Any, /
) -> Any: ...
def prox_l2(x: Any, strength: Any, step: Any, out: Any, ufunc_kwargs: Any, /) -> Any: ...
def decay(w: Any, rate: Any, out: Any, ufunc_kwargs: Any, /) -> Any: ...
def elastic_net_gradient(w: Any, l1: Any, l2: Any, out: Any, ufunc_kwargs: Any, /) -> Any: ...
def l1_penalty(w: Any, strength: Any, axis: Any, keepdims: Any, /) -> Any: ...
def l2_penalty(w: Any, strength: Any, axis: Any, keepdims: Any, /) -> Any: ...
def elastic_net_penalty(w: Any, l1: Any, l2: Any, axis: Any, keepdims: Any, /) -> Any: ...
def check_parameter(operator: str, index: int, value: Any, previous: Any = ..., /) -> None: ...
def penalty_of_each(
    name: str, w: NDArray[Any], parameters: tuple[float | NDArray[np.float64], ...], /
) -> float: ...
def set_fallbacks(
    elementwise: Callable[..., Any], penalty: Callable[..., Any], dropout: Callable[..., Any], /
) -> None: ...
def dropout(
    x: Any,
    p: Any,
    seed: Any,
    stream: Any,
    offset: Any,
    noise_shape: Any,
    block: Any,
    inverted: Any,
    out: Any,
    /,
) -> Any: ...
def keep_numbers(p: float, inverted: bool, /) -> tuple[int, float]: ...
def apply_noise(
    operator: str,
    x: NDArray[Any],
    out: NDArray[Any],
    members: Sequence[float],
    identity: bool,
    draws: tuple[int, int, int, int] | NDArray[Any] | None,
    strides: Sequence[int],
    fresh: bool,
    /,
) -> None: ...
def noise_mask(
    shape: Sequence[int],
    draws: tuple[int, int, int, int] | NDArray[Any] | None,
    strides: Sequence[int],
    packed: bool,
    out: NDArray[Any],
    /,
) -> None: ...
def update(
    operator: str,
    names: tuple[str, ...],
    groups: tuple[Any, ...],
    numbers: tuple[float, ...],
    settings: tuple[Any, ...],
    weight_decay: Any,
    l1: Any,
    l2: Any,
    /,
) -> Any: ...
def prepare(arrays: tuple[Any, ...], names: tuple[str], /) -> object: ...
def check_arrays(names: tuple[str, ...], groups: tuple[Any, ...], /) -> None: ...
def catch_up(
    w: NDArray[Any],
    toward: NDArray[Any] | None,
    rows: NDArray[np.int64],
    missed: NDArray[np.int64],
    step: float,
    l1: float,
    l2: float,
    weight_decay: float,
    /,
) -> None: ...
def copy_arrays(
    destinations: Sequence[NDArray[Any]],
    sources: Sequence[NDArray[Any]],
    owner: object = None,
    name: str = "",
    value: object = None,
) -> None: ...
def c_api() -> object: ...
def get_num_threads() -> int: ...
def set_num_threads(n: int, /) -> None: ...
def require_all_threads(required: bool, /) -> None: ...
def openmp_runtime() -> str: ...
def instruction_set() -> str: ...
def available_instruction_sets() -> list[str]: ...
def set_instruction_set(name: str, /) -> None: ...
