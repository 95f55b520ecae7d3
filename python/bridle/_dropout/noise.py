"""What the dropout family shares: checked arguments, and the place of every random number."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any, NamedTuple, NotRequired, SupportsIndex, TypeAlias, TypedDict

import numpy as np
from numpy.typing import NDArray

from bridle import _containers, _core, _lazy
from bridle._call import counter, number, refuse_masked, shown

NoiseShape: TypeAlias = Sequence[SupportsIndex | None]
Block: TypeAlias = tuple[Sequence[SupportsIndex], Sequence[SupportsIndex]]


class MaskKeywords(TypedDict):
    """What names the random numbers of an array."""

    seed: SupportsIndex
    stream: NotRequired[SupportsIndex]
    offset: NotRequired[SupportsIndex]
    block: NotRequired[Block | None]


class NoiseKeywords(MaskKeywords):
    """The same, and which elements share one."""

    noise_shape: NotRequired[NoiseShape | None]


class DropoutKeywords(NoiseKeywords):
    """The same, and how `dropout` scales."""

    inverted: NotRequired[bool]


class Noise(NamedTuple):
    """The noise of an array, as the core takes it."""

    draws: tuple[int, int, int, int] | NDArray[Any] | None
    """Seed, stream, threshold and first index; or stored bits; or None, where all are kept."""
    strides: list[int]
    """How far the random numbers of neighbours along each dimension lie apart."""


def probability(name: str, p: Any) -> float:
    """Check the probability of dropping an element."""
    value = number(name, "p", p)
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{name}: p must be between 0 and 1, got {p}")
    return value


def lengths(name: str, parameter: str, shape: SupportsIndex | Sequence[Any]) -> tuple[int, ...]:
    """Check a shape, or another tuple of integers >= 0."""
    sequence = shape if isinstance(shape, tuple | list) else (shape,)
    return tuple(counter(name, parameter, length, 2**63) for length in sequence)


def noise_lengths(name: str, noise_shape: NoiseShape) -> tuple[int | None, ...]:
    """Check that a noise shape is made of integers and None."""
    refuse_masked(name, "noise_shape", noise_shape)
    try:
        return tuple(None if n is None else operator.index(n) for n in noise_shape)
    except TypeError:
        message = (
            f"{name}: noise_shape must be a tuple of integers and None, got {shown(noise_shape)}"
        )
        raise TypeError(message) from None


def random_noise(
    name: str,
    x: NDArray[Any],
    threshold: int,
    seed: SupportsIndex,
    stream: SupportsIndex,
    offset: SupportsIndex,
    noise_shape: NoiseShape | None,
    block: Block | None,
) -> Noise:
    """Return the noise of an array, drawn from the generator."""
    if _lazy.is_dask(x):
        _lazy.rule("check_place")(name, x, block)
    return noise_of_shape(name, x.shape, threshold, seed, stream, offset, noise_shape, block)


def noise_of_shape(
    name: str,
    shape: tuple[int, ...],
    threshold: int,
    seed: SupportsIndex,
    stream: SupportsIndex,
    offset: SupportsIndex,
    noise_shape: NoiseShape | None,
    block: Block | None,
) -> Noise:
    """Return the noise of an array of this shape, drawn from the generator."""
    whole, origin = (shape, (0,) * len(shape)) if block is None else _block(name, shape, block)
    own = _own_number(name, shape, whole, noise_shape)
    strides, first, size = [0] * len(shape), 0, 1
    for axis in reversed(range(len(shape))):
        if own[axis]:
            # One element has no neighbour, and the distance to it might not fit in 64 bits.
            strides[axis] = size if shape[axis] > 1 else 0
            first += origin[axis] * size
            size *= whole[axis]
    if size >= 2**64:
        raise ValueError(f"{name}: block must count fewer than 2**64 random numbers, got {size}")
    first += counter(name, "offset", offset, 2**64 - size)
    return Noise(
        (counter(name, "seed", seed), counter(name, "stream", stream), threshold, first), strides
    )


def _block(name: str, shape: tuple[int, ...], block: Block) -> tuple[tuple[int, ...], ...]:
    """Check where an array lies in a larger one; return the shape of that and the corner."""
    try:
        whole, origin = (lengths(name, "block", part) for part in block)
    except (TypeError, ValueError) as error:
        message = f"{name}: block must be (global shape, origin), got {shown(block)}"
        raise type(error)(message) from None
    corners = zip(shape, whole, origin, strict=False)
    fits = len(shape) == len(whole) == len(origin) and all(n + o <= w for n, w, o in corners)
    if not fits:
        raise ValueError(
            f"{name}: block must lie inside the global shape, got an array of shape {shape} "
            f"at {origin} in {whole}"
        )
    return whole, origin


def _own_number(
    name: str, shape: tuple[int, ...], whole: tuple[int, ...], noise_shape: NoiseShape | None
) -> list[bool]:
    """Tell for each dimension whether its positions have random numbers of their own."""
    if noise_shape is None:
        return [True] * len(shape)
    given = noise_lengths(name, noise_shape)
    padded = (1,) * (len(shape) - len(given)) + given
    fits = len(padded) == len(shape) and all(
        n in (None, 1, length, total) for n, length, total in zip(padded, shape, whole, strict=True)
    )
    if not fits:
        raise ValueError(
            f"{name}: noise_shape must broadcast to the shape of x, {shape}, got {noise_shape!r}"
        )
    return [n != 1 for n in padded]


def stored_noise(name: str, shape: tuple[int, ...], bits: NDArray[Any]) -> Noise:
    """Return the noise of an array of this shape whose decisions are packed bits."""
    refuse_masked(name, "bits", bits)
    if not isinstance(bits, np.ndarray) or bits.dtype != np.uint8:
        got = bits.dtype if isinstance(bits, np.ndarray) else type(bits).__name__
        raise TypeError(f"{name}: bits must be an array of uint8, got {got}")
    wanted = (math.prod(shape) + 7) // 8
    if bits.shape != (wanted,):
        raise ValueError(
            f"{name}: bits must have shape ({wanted},), one bit for each element of x, "
            f"got {bits.shape}"
        )
    return Noise(np.ascontiguousarray(bits), _c_strides(shape))


def nothing_dropped(shape: tuple[int, ...]) -> Noise:
    """Return the noise that keeps every element."""
    return Noise(None, _c_strides(shape))


def _c_strides(shape: tuple[int, ...]) -> list[int]:
    return [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]


def _check_out(name: str, x: NDArray[Any], out: object) -> NDArray[Any]:
    refuse_masked(name, "out", out)
    if not isinstance(out, np.ndarray):
        got = f"{type(out).__name__}{_containers.instead(out)}"
        raise TypeError(f"{name}: out must be an array, got {got}")
    if out.shape != x.shape:
        raise ValueError(f"{name}: out must have the shape of x, {x.shape}, got {out.shape}")
    if x.dtype != out.dtype and not np.can_cast(x.dtype, out.dtype, "same_kind"):
        raise TypeError(f"{name}: cannot write {x.dtype} to out of type {out.dtype}")
    _containers.check_writeable(name, out)
    return out


def _usable(array: NDArray[Any]) -> bool:
    return array.flags.aligned and array.dtype.isnative


def _apart(x: NDArray[Any], out: NDArray[Any]) -> bool:
    """Whether the arrays are the same elements in the same places, or share no memory."""
    if out is x or not np.may_share_memory(x, out):
        return True
    same_place = x.__array_interface__["data"] == out.__array_interface__["data"]
    return same_place and x.strides == out.strides


def apply(
    name: str,
    x: NDArray[Any],
    out: object,
    noise: Noise,
    members: tuple[float, ...],
    identity: bool = False,
    caller: str | None = None,
) -> Any:
    """Evaluate an operator of the family.

    ``identity`` says that it leaves ``x`` as it is, ``caller`` how it is called in public.
    """
    if _lazy.is_dask(x):
        _lazy.refuse_out(caller or name, out)
        return _lazy.rule("noise")(name, x, noise, members, identity)
    native = x.dtype.newbyteorder("=")
    result = np.empty_like(x, dtype=native) if out is None else _check_out(caller or name, x, out)
    direct = _usable(result) and result.dtype == x.dtype and _one_place_each(result)
    target = result if direct else np.empty(x.shape, native)
    if not _usable(x) or not _apart(x, target):
        x = np.array(x, dtype=native)
    if isinstance(noise.draws, np.ndarray) and np.may_share_memory(noise.draws, target):
        noise = noise._replace(draws=noise.draws.copy())
    _core.apply_noise(name, x, target, members, identity, noise.draws, noise.strides, out is None)
    if not direct:
        np.copyto(result, target, casting="same_kind")
    return result[()] if out is None and result.ndim == 0 else result


def _one_place_each(array: NDArray[Any]) -> bool:
    """Whether no two elements share their memory as in a broadcast array."""
    return all(stride != 0 for stride, n in zip(array.strides, array.shape, strict=True) if n > 1)
