"""Decisions of dropout as Dask arrays."""

from __future__ import annotations

import math
from functools import partial
from typing import Any, SupportsIndex

import dask.array as da
import numpy as np

from bridle._call import shown
from bridle._dropout import functions
from bridle._dropout.noise import lengths, noise_of_shape, probability
from bridle.dask._blocks import Array, axes_of, blocks, places


def dropout_mask(
    shape: SupportsIndex | tuple[SupportsIndex, ...],
    p: float,
    *,
    seed: SupportsIndex,
    stream: SupportsIndex = 0,
    offset: SupportsIndex = 0,
    packed: bool = False,
    chunks: Any = "auto",
) -> Array:
    """Return the decisions of `bridle.dropout` as a Dask array: True where an element is kept.

    Parameters
    ----------
    shape : int or tuple of int
        Shape of the array that is to be masked, or of its noise where that has a shape of its own.
    p, seed, stream, offset
        As for `bridle.dropout_mask`, whose bits these are, whatever the chunks.
    packed : bool, default False
        Bits instead, as `bridle.apply_dropout_mask` takes them.
    chunks : int, tuple or str, default "auto"
        As `dask.array.empty` takes them; of a packed mask they count bytes.

    Returns
    -------
    dask.array.Array
        Of bool with the given shape, or (packed) of uint8 with one dimension.

    Raises
    ------
    ValueError
        If ``p`` is outside [0, 1], or a length or an integer is out of range.

    Examples
    --------
    >>> import bridle.dask
    >>> mask = bridle.dask.dropout_mask((2, 4), 0.5, seed=1, chunks=(1, 2))
    >>> mask.compute()
    array([[ True, False,  True,  True],
           [ True, False,  True, False]])
    """
    name = "dropout_mask"
    chance = probability(name, p)
    whole = lengths(name, "shape", shape)
    noise_of_shape(name, whole, 0, seed, stream, offset, None, None)
    if not isinstance(packed, bool):
        raise TypeError(f"{name}: packed must be True or False, got {shown(packed)}")
    size = math.prod(whole)
    dtype = np.dtype(np.uint8 if packed else np.bool_)
    base = da.empty(((size + 7) // 8,) if packed else whole, dtype=dtype, chunks=chunks)
    how = {"p": chance, "seed": int(seed), "stream": int(stream), "offset": int(offset)}
    task = partial(_packed_block, how, size) if packed else partial(_block, how, whole)
    axes = axes_of(base)
    return blocks(name, task, axes, [(base, axes), (places(base), axes)], dtype)


def _block(how: dict[str, Any], whole: tuple[int, ...], base: Any, place: Any) -> Any:
    origin = tuple(part.start for part in place)
    return functions.dropout_mask(base.shape, **how, block=(whole, origin))


def _packed_block(how: dict[str, Any], size: int, base: Any, place: Any) -> Any:
    (part,) = place
    own = how | {"offset": how["offset"] + 8 * part.start}
    return functions.dropout_mask(min(8 * len(base), size - 8 * part.start), **own, packed=True)
