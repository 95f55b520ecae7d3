"""Dropout and noise of Dask arrays: each block draws what belongs to its place in the whole."""

from __future__ import annotations

from functools import partial
from typing import Any

import dask.array as da
import numpy as np

from bridle._call import real_array, refuse_masked, shown
from bridle._dropout import functions
from bridle._dropout.noise import Noise, apply, nothing_dropped
from bridle.dask._blocks import Array, axes_of, blocks, known, places


def check_place(name: str, x: Array, block: Any) -> None:
    """Check that the place of each element is known, and given once."""
    known(name, x)
    if block is not None:
        raise ValueError(
            f"{name}: block must be left alone for Dask arrays, whose blocks know their places, "
            f"got {shown(block)}"
        )


def noise(name: str, x: Array, of_all: Noise, members: tuple[float, ...], identity: bool) -> Array:
    """Return what an operator of the family makes of an array whose noise is known."""
    task = partial(_block, name, of_all, members, identity)
    axes = axes_of(x)
    operands = [(known(name, x), axes), (places(x), axes)]
    return blocks(name, task, axes, operands, x.dtype.newbyteorder("="))


def _block(
    name: str,
    of_all: Noise,
    members: tuple[float, ...],
    identity: bool,
    x: Any,
    place: tuple[slice, ...],
) -> Any:
    x = real_array(name, x)
    own = nothing_dropped(x.shape)
    if of_all.draws is not None:
        seed, stream, threshold, first = of_all.draws
        first += sum(s.start * n for s, n in zip(place, of_all.strides, strict=True))
        own = Noise((seed, stream, threshold, first), of_all.strides)
    return apply(name, x, None, own, members, identity)


def masked(name: str, x: Any, bits: Any, p: float, inverted: bool) -> Array:
    """Return the elements whose bits are 1, scaled, and zeros."""
    x = known(name, da.asarray(x))
    size, wanted = x.size, ((x.size + 7) // 8,)
    if not isinstance(bits, da.Array):
        refuse_masked(name, "bits", bits)
        bits = da.asarray(bits)
    if bits.dtype != np.uint8 or bits.shape != wanted:
        raise ValueError(
            f"{name}: bits must be of type uint8 and shape {wanted}, one bit for each element of "
            f"x, got {bits.dtype} of shape {bits.shape}"
        )
    kept = blocks(
        name, _unpacked, (-1,), [(bits, (-1,))], np.uint8, adjust_chunks={-1: lambda n: 8 * n}
    )
    kept = kept[:size].reshape(x.shape).rechunk(x.chunks)
    task = partial(_masked_block, p, inverted)
    axes = axes_of(x)
    return blocks(name, task, axes, [(x, axes), (kept, axes)], x.dtype.newbyteorder("="))


def _unpacked(bits: Any) -> Any:
    return np.unpackbits(bits, bitorder="little")


def _masked_block(p: float, inverted: bool, x: Any, kept: Any) -> Any:
    bits = np.packbits(kept, bitorder="little")
    return functions.apply_dropout_mask(x, bits, p, inverted=inverted)


def samples(x: Array, drawn: list[Array]) -> Array:
    """Return several draws of an array on a new first axis."""
    return da.stack(drawn) if drawn else da.stack([x])[:0]
