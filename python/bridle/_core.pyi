# The extension module, as far as the Python layer uses it.
from collections.abc import Callable, Sequence
from typing import Any, TypedDict

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
xla_handlers: dict[str, object]  # capsules

class SliceOperator(TypedDict):
    params: tuple[str, ...]
    whole: tuple[str, ...]  # parameters that count
    beside: str | None  # what lies beside the elements
    measures: bool
    groups: bool
    divisor: int | None  # the place of the parameter that divides the length of a vector

slice_operators: dict[str, SliceOperator]

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
def hard_threshold(x: Any, threshold: Any, out: Any, ufunc_kwargs: Any, /) -> Any: ...
def firm_threshold(x: Any, lower: Any, upper: Any, out: Any, ufunc_kwargs: Any, /) -> Any: ...
def prox_l0(x: Any, strength: Any, step: Any, out: Any, ufunc_kwargs: Any, /) -> Any: ...
def prox_mcp(
    x: Any, strength: Any, gamma: Any, step: Any, out: Any, ufunc_kwargs: Any, /
) -> Any: ...
def prox_scad(
    x: Any, strength: Any, gamma: Any, step: Any, out: Any, ufunc_kwargs: Any, /
) -> Any: ...
def l0_penalty(w: Any, strength: Any, axis: Any, keepdims: Any, /) -> Any: ...
def mcp_penalty(w: Any, strength: Any, gamma: Any, axis: Any, keepdims: Any, /) -> Any: ...
def scad_penalty(w: Any, strength: Any, gamma: Any, axis: Any, keepdims: Any, /) -> Any: ...
def prox_huber(
    x: Any, strength: Any, delta: Any, step: Any, out: Any, ufunc_kwargs: Any, /
) -> Any: ...
def prox_l2_sp(
    x: Any, reference: Any, strength: Any, step: Any, out: Any, ufunc_kwargs: Any, /
) -> Any: ...
def huber_penalty(w: Any, strength: Any, delta: Any, axis: Any, keepdims: Any, /) -> Any: ...
def l2_sp_penalty(w: Any, reference: Any, strength: Any, axis: Any, keepdims: Any, /) -> Any: ...
def prox_nonnegative_l1(
    x: Any, strength: Any, step: Any, out: Any, ufunc_kwargs: Any, /
) -> Any: ...
def prox_nonnegative_l2(
    x: Any, strength: Any, step: Any, out: Any, ufunc_kwargs: Any, /
) -> Any: ...
def nonnegative_l1_penalty(w: Any, strength: Any, axis: Any, keepdims: Any, /) -> Any: ...
def nonnegative_l2_penalty(w: Any, strength: Any, axis: Any, keepdims: Any, /) -> Any: ...
def project_box(x: Any, lower: Any, upper: Any, out: Any, ufunc_kwargs: Any, /) -> Any: ...
def project_nonnegative(x: Any, out: Any, ufunc_kwargs: Any, /) -> Any: ...
def prox_l_half(x: Any, strength: Any, step: Any, out: Any, ufunc_kwargs: Any, /) -> Any: ...
def prox_l_two_thirds(x: Any, strength: Any, step: Any, out: Any, ufunc_kwargs: Any, /) -> Any: ...
def prox_log_sum(
    x: Any, strength: Any, epsilon: Any, step: Any, out: Any, ufunc_kwargs: Any, /
) -> Any: ...
def l_half_penalty(w: Any, strength: Any, axis: Any, keepdims: Any, /) -> Any: ...
def l_two_thirds_penalty(w: Any, strength: Any, axis: Any, keepdims: Any, /) -> Any: ...
def log_sum_penalty(w: Any, strength: Any, epsilon: Any, axis: Any, keepdims: Any, /) -> Any: ...
def check_beside(operator: str, value: float, /) -> None: ...
def apply_to_slices(
    operator: str,
    x: NDArray[Any],
    out: NDArray[Any],
    axes: list[int],
    numbers: list[float],
    weights: NDArray[np.float64] | None,
    offsets: NDArray[np.int64] | None,
    beside: NDArray[np.float64] | None,
    fresh: bool,
    /,
) -> None: ...
def apply_by_labels(
    operator: str,
    x: NDArray[Any],
    out: NDArray[Any],
    labels: NDArray[np.int64],
    numbers: list[float],
    weights: NDArray[np.float64] | None,
    count: int,
    /,
) -> None: ...
def count_labels(labels: NDArray[np.int64], /) -> int: ...
def select_largest(arrays: list[NDArray[Any]], k: int, /) -> tuple[bool, float, int]: ...
def keep_selected(x: NDArray[Any], out: NDArray[Any], threshold: float, ties: int, /) -> int: ...
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
    rows: tuple[NDArray[Any], ...] | None,
    regularizers: tuple[Any, ...] | None,
    keys: tuple[Any, ...] | None,
    note: tuple[object, str, object] | None,
    /,
) -> Any: ...
def prepare(
    arrays: tuple[Any, ...], names: tuple[str], keys: tuple[Any, ...] | None, /
) -> object: ...
def global_norm(
    names: tuple[str, ...],
    arrays: Any,
    keys: tuple[Any, ...] | None,
    factor: float,
    written: bool,
    /,
) -> tuple[float, float, bool]: ...
def combine(
    combination: int,
    names: tuple[str, ...],
    to: Any,
    beside: Any,
    keys: tuple[Any, ...] | None,
    factor: float,
    /,
) -> None: ...
def cast(
    names: tuple[str, ...],
    x: Any,
    out: Any,
    keys: tuple[Any, ...] | None,
    random: tuple[int, int, int] | None,
    /,
) -> None: ...
def check_arrays(
    names: tuple[str, ...],
    groups: tuple[Any, ...],
    keys: tuple[Any, ...] | None,
    stochastic: bool,
    /,
) -> None: ...
def unfit_row(rows: NDArray[np.int64], size: int, /) -> int | None: ...
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
