"""Calls of the core in programs that JAX compiles, through its foreign-function interface.

What the functions of the core take is described in cpp/src/python/xla_handlers.hpp.
"""

from __future__ import annotations

from typing import Any, NoReturn

import jax
import numpy as np
from jax.extend.core import Primitive
from jax.interpreters import batching, mlir
from numpy.typing import NDArray

from bridle import _core

for _name, _handler in _core.xla_handlers.items():
    jax.ffi.register_ffi_target(f"bridle_{_name}", _handler, platform="cpu")

# The identity on the CPU, and an error of the operator that is named where there is none.
_on_cpu = Primitive("bridle_on_cpu")
_on_cpu.def_impl(lambda x, *, name: x)
_on_cpu.def_abstract_eval(lambda x, *, name: x)
batching.primitive_batchers[_on_cpu] = lambda args, dims, *, name: (
    _on_cpu.bind(*args, name=name),
    dims[0],
)


def _refuse(context: Any, x: Any, *, name: str) -> NoReturn:
    platforms = ", ".join(context.module_context.platforms)
    raise NotImplementedError(f"{name}: JAX must compile it for the CPU alone, got {platforms}")


mlir.register_lowering(_on_cpu, lambda context, x, *, name: [x], platform="cpu")
mlir.register_lowering(_on_cpu, _refuse)


def call(
    name: str,
    x: jax.Array,
    *numbers: jax.Array,
    result: jax.ShapeDtypeStruct | None = None,
    **attributes: NDArray[Any],
) -> jax.Array:
    """Call an operator; its result is like ``x`` unless ``result`` says otherwise.

    A result like ``x`` is written to the memory of that, of which XLA makes a copy before if it is
    still needed. (Fresh memory would not be filled in less time: its pages are what takes it.)
    """
    function = jax.ffi.ffi_call(
        f"bridle_{name}",
        jax.ShapeDtypeStruct(x.shape, x.dtype) if result is None else result,
        vmap_method="broadcast_all",
        input_output_aliases={0: 0} if result is None else None,
    )
    return function(_on_cpu.bind(x, name=name), *numbers, **attributes)


def eight_bytes(number: float | np.uint64) -> NDArray[np.uint8]:
    """Return a number as JAX does not shorten it to 32 bits."""
    return np.frombuffer(np.asarray(number).tobytes(), np.uint8)
