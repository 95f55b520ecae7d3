"""What the calls of a dropout layer draw, and which of them are made again.

Activation checkpointing makes a call a second time, during the backward pass, with the state of
PyTorch's random numbers that it had the first time. So a number drawn there tells which it was.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

# For graphs of torch.compile, what a layer knows are the bits of a tensor, which no guard looks at.
Key = NDArray[np.int64]
NUMBERS = ("seed", "stream", "p", "layer")
_KEY = np.dtype(list(zip(NUMBERS, ("u8", "u8", "f8", "u8"), strict=True)))
_LAYERS = itertools.count()


def new_layer() -> int:
    """Return a number that no layer has."""
    return next(_LAYERS)


def key_of(*, seed: int, stream: int, p: float, layer: int) -> Key:
    """Return what the next call of a layer draws."""
    return np.array([(seed, stream, p, layer)], _KEY).view(np.int64)


def named(key: Key) -> Any:
    """Return the numbers of a key by their names, to be read and written."""
    return key.view(_KEY)[0]


class _Call:
    """A training call whose backward pass may be still to come."""

    def __init__(self, key: Key, is_the_only_one: bool) -> None:
        self.key = key
        self.is_the_only_one = is_the_only_one
        self.was_made_again = False


_CALLS: OrderedDict[tuple[int, int], _Call] = OrderedDict()
_REMEMBERED = 2**14


def token() -> torch.Tensor:
    """Return a number that the call has in both forward passes, for a graph."""
    return torch.randint(2**62, ())


def number() -> int:
    """Return such a number."""
    with torch._C._DisableFuncTorch():  # which has rules of its own for random numbers
        return int(token())


def in_backward_pass() -> bool:
    """Tell whether a call is one that is made again."""
    return torch._C._current_graph_task_id() != -1


# Old versions of PyTorch do not tell whether there are any.
_hooks = getattr(torch._C._autograd, "_top_saved_tensors_default_hooks", lambda _: ())


def may_be_made_again() -> bool:
    """Tell whether a call may be one inside of what is checkpointed, of either pass."""
    return _hooks(True) is not None or not torch.is_grad_enabled() or in_backward_pass()


def finish(key: Key, number: int | None) -> None:
    """Remember a call by its number, if it may be made again, and go on to the next stream."""
    if number is not None:
        place = int(named(key)["layer"]), number
        before = _CALLS.get(place)
        _CALLS[place] = _Call(key.copy(), before is None or before.was_made_again)
        if len(_CALLS) > _REMEMBERED:
            _CALLS.popitem(last=False)
    named(key)["stream"] += np.uint64(1)


def first_key(key: Key, number: int) -> Key:
    """Return the key that the call of this number of a layer had the first time."""
    call = _CALLS.get((int(named(key)["layer"]), number))
    if call is None:
        raise RuntimeError(
            "Dropout: a training call during a backward pass must be one of the forward pass made "
            "again with PyTorch's random state (preserve_rng_state), as it draws another mask, "
            "got a new one"
        )
    if not call.is_the_only_one:
        raise RuntimeError(
            "Dropout: calls of a layer that are made again during the backward pass must have "
            "PyTorch's random state each to itself, as they cannot be told apart, got two of one"
        )
    call.was_made_again = True
    return call.key


@torch.library.custom_op("bridle::take_dropout_key", mutates_args=(), device_types="cpu")
def take_key(key: torch.Tensor, token: torch.Tensor) -> torch.Tensor:
    """Return the key of a call, and go on to the next stream if it is made the first time.

    The key is no operand that graphs may copy, but the place where the layer counts.
    """
    memory, number = key.numpy(), int(token)
    if in_backward_pass():
        return torch.from_numpy(first_key(memory, number).copy())
    taken = key.clone()
    finish(memory, number)
    return taken


@take_key.register_fake
def _(key: torch.Tensor, token: torch.Tensor) -> torch.Tensor:
    return torch.empty_like(key)
