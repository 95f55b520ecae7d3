"""How Dask arrays are computed: one task for each block, and sums of what the blocks give.

A task is a function of a module with its settings in a `functools.partial`, so that it pickles and
that equal calls have equal names.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import dask.array as da
import numpy as np
from dask.layers import ArrayBlockwiseDep, ArraySliceDep
from numpy.typing import NDArray

from bridle._call import is_masked, shown

Array: TypeAlias = Any
"""A `dask.array.Array`; Dask is optional, and its types are not known here."""

Axes: TypeAlias = tuple[int, ...]

BLOCKS_ADDED = 16
"""How many blocks one task of a sum takes."""


def axes_of(array: Any) -> Axes:
    """Return names of the axes of an array, aligned at the last one as broadcasting does."""
    return tuple(range(-np.ndim(array), 0))


def known(name: str, x: Array) -> Array:
    """Return an array, the sizes of whose chunks are known."""
    if any(math.isnan(n) for n in x.shape):
        raise ValueError(
            f"{name}: the sizes of all chunks must be known, call compute_chunk_sizes() first, "
            f"got {shown(x)}"
        )
    return x


def blocks(
    name: str,
    task: Callable[..., Any],
    out: Axes,
    operands: Sequence[tuple[Any, Axes | None]],
    dtype: Any,
    **keywords: Any,
) -> Array:
    """Return the array of what a task makes of the blocks of operands.

    An operand is an array and the names of its axes; what is none, None. Arrays of other chunks are
    cut alike, so operands that tell of blocks go with arrays that are so already.
    """
    arrays = [i for i, (operand, axes) in enumerate(operands) if _has_blocks(operand, axes)]
    pairs = [[operand, axes] for operand, axes in operands]
    for i in arrays:
        pairs[i][0] = da.asarray(pairs[i][0])
    _, aligned = da.core.unify_chunks(*[each for i in arrays for each in pairs[i]])
    for i, array in zip(arrays, aligned, strict=True):
        pairs[i][0] = array
    meta = np.empty((0,) * len(out), dtype)
    return da.blockwise(
        task,
        out,
        *[each for pair in pairs for each in pair],
        token=name,
        dtype=meta.dtype,
        meta=meta,
        align_arrays=False,
        concatenate=True,
        **keywords,
    )


def _has_blocks(operand: Any, axes: Axes | None) -> bool:
    return axes is not None and not isinstance(operand, ArrayBlockwiseDep)


def plain(block: Any) -> NDArray[Any]:
    """Return a block in C order, native and aligned.

    Sums go through memory, where a block that came from another process may lie in another order,
    and not aligned. A mask stays, and is refused by whoever gets the block.
    """
    array = np.asanyarray(block)
    if is_masked(array):
        return array
    return np.require(array, array.dtype.newbyteorder("="), ["C", "A"])


def numbers(values: Sequence[Any]) -> list[tuple[Any, Axes | None]]:
    """Return hyper-parameters as operands: numbers as they are, lazy ones to be waited for."""
    return [(value, () if isinstance(value, da.Array) else None) for value in values]


def places(x: Array) -> ArraySliceDep:
    """Return an operand that tells each task where its block lies, as slices."""
    return ArraySliceDep(x.chunks)


def gathered(x: Array, axes: Axes) -> Array:
    """Return an array whose blocks are as long as it is along some axes."""
    return x.rechunk(dict.fromkeys(axes, -1))


def reduced(
    name: str,
    x: Array,
    task: Callable[..., Any],
    axes: Axes,
    keepdims: bool = False,
) -> Array:
    """Reduce blocks along axes by a tree whose shape depends on the number of blocks alone.

    The task takes an array, and `axis` and `keepdims`. Where x has what blocks were reduced to
    already, as arrays of length one, nothing is lost by doing it again.
    """
    if not axes:
        return x
    return da.reduction(
        x,
        task,
        task,
        axis=axes,
        keepdims=keepdims,
        dtype=x.dtype,
        split_every=BLOCKS_ADDED,
        name=name,
        meta=np.empty((0,) * (x.ndim if keepdims else x.ndim - len(axes)), x.dtype),
    )
