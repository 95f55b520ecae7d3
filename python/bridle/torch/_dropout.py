"""Dropout for PyTorch that saves no mask."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bridle._call import counter
from bridle._dropout.copies import CopiesDrawOtherMasks
from bridle._dropout.functions import dropout
from bridle._dropout.noise import probability
from bridle.torch._arrays import array_of, check_tensor

__all__ = ["Dropout"]


def _masked(x: torch.Tensor, p: float, seed: int, stream: int) -> torch.Tensor:
    result = torch.empty_like(x)
    arrays = array_of("Dropout", x), array_of("Dropout", result)
    dropout(arrays[0], p, seed=seed, stream=stream, out=arrays[1])
    return result


class _Masked(torch.autograd.Function):
    """Dropout whose derivatives draw the mask again; it is linear, so that each is a dropout."""

    @staticmethod
    def forward(x: torch.Tensor, p: float, seed: int, stream: int) -> torch.Tensor:
        return _masked(x, p, seed, stream)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: torch.Tensor) -> None:
        ctx.key = inputs[1:]

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None, None, None]:
        return _Masked.apply(gradients[0], *ctx.key), None, None, None

    @staticmethod
    def jvp(ctx: Any, tangent: torch.Tensor, *_: None) -> torch.Tensor:
        return _Masked.apply(tangent, *ctx.key)


# Activation checkpointing makes a call a second time, during the backward pass, with the state of
# PyTorch's random numbers that it had the first time. So a number drawn there tells which it was.
_KEYS: OrderedDict[int, tuple[int, int]] = OrderedDict()
_REMEMBERED = 2**14  # calls whose backward pass may be still to come


def _token() -> torch.Tensor:
    return torch.randint(2**62, ())


def _remember(token: int, key: tuple[int, int]) -> None:
    if token in _KEYS:  # the random state was set back, and what was drawn later will come again
        _KEYS.clear()
    _KEYS[token] = key
    if len(_KEYS) > _REMEMBERED:
        _KEYS.popitem(last=False)


def _recalled(token: int) -> tuple[int, int]:
    if token not in _KEYS:
        raise RuntimeError(
            "Dropout: a training call during a backward pass must be one of the forward pass made "
            "again with PyTorch's random state (preserve_rng_state), as it draws another mask, "
            "got a new one"
        )
    return _KEYS[token]


def _in_backward_pass() -> bool:
    return torch._C._current_graph_task_id() != -1


# Old versions of PyTorch do not tell whether there are any.
_hooks = getattr(torch._C._autograd, "_top_saved_tensors_default_hooks", lambda _: ())


def _may_be_made_again() -> bool:
    """Tell whether a call may be one inside of what is checkpointed, of either pass."""
    return _hooks(True) is not None or not torch.is_grad_enabled() or _in_backward_pass()


# For graphs of torch.compile, seed and stream are the bits of a tensor, which no guard looks at.


def _key(seed: int, stream: int) -> NDArray[np.int64]:
    return np.array([seed, stream], np.uint64).view(np.int64)


def _advance(key: NDArray[np.int64]) -> None:
    key.view(np.uint64)[1] += np.uint64(1)


@torch.library.custom_op("bridle::take_dropout_key", mutates_args=(), device_types="cpu")
def _take_key(key: torch.Tensor, token: torch.Tensor) -> torch.Tensor:
    """Return a key, and go on to the next stream; or the key that the call had the first time.

    The key is no operand that graphs may copy, but the place where the layer counts.
    """
    if _in_backward_pass():
        return torch.from_numpy(_key(*_recalled(int(token))))
    taken = key.clone()
    _remember(int(token), _seed_and_stream(taken))
    _advance(key.numpy())
    return taken


@_take_key.register_fake
def _(key: torch.Tensor, token: torch.Tensor) -> torch.Tensor:
    return torch.empty_like(key)


def _seed_and_stream(key: torch.Tensor) -> tuple[int, int]:
    seed, stream = key.numpy().view(np.uint64).tolist()
    return seed, stream


@torch.library.custom_op("bridle::dropout", mutates_args=(), device_types="cpu")
def _masked_by_key(x: torch.Tensor, p: float, key: torch.Tensor) -> torch.Tensor:
    return _masked(x, p, *_seed_and_stream(key))


@_masked_by_key.register_fake
def _(x: torch.Tensor, p: float, key: torch.Tensor) -> torch.Tensor:
    return torch.empty_like(x)


def _setup_context(ctx: Any, inputs: tuple[torch.Tensor, float, torch.Tensor], output: Any) -> None:
    _, ctx.p, key = inputs
    ctx.save_for_backward(key)


def _backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None, None]:
    return _masked_by_key(gradient, ctx.p, *ctx.saved_tensors), None, None


_masked_by_key.register_autograd(_backward, setup_context=_setup_context)


class Dropout(CopiesDrawOtherMasks, torch.nn.Module):
    """Dropout with a seed of its own, that saves no mask for the backward pass.

    Each training call uses the next `stream`, as `bridle.Dropout` does, and the decisions are those
    of `bridle.dropout` with this seed and stream, for any memory layout and number of threads.
    `eval()` makes it the identity. It is an operator for ``torch.compile``, with ``fullgraph``,
    too. Where ``torch.utils.checkpoint`` computes it again, the mask is the same; to tell which
    call that is, one number is drawn from PyTorch's random state in each call there, in graphs of
    ``torch.compile``, and without gradients.

    Two layers made with the same seed and stream draw the same masks. A copy by ``copy.deepcopy``,
    as ``torch.nn.TransformerEncoder`` makes them of its layer, draws others: its first stream is a
    number from 2**63 on, mixed from the stream of the layer and the number of its copies before,
    so that a program that is run again draws the same. `state_dict` and pickle are for going on:
    seed and stream are part of them, so that a resumed run draws the masks of an uninterrupted one.

    Parameters
    ----------
    p : float, default 0.5
        Probability of dropping an element.
    seed : int
        Names the random bits. Layers of a network need different seeds, or streams far apart.
    stream : int, default 0
        Stream of the first training call; counted modulo 2**64.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit, or a tensor is not on the CPU, not dense, or not of type
        float16, bfloat16, float32 or float64.
    RuntimeError
        If a training call happens during a backward pass and is none of the forward pass made
        again, or ``torch.utils.checkpoint`` was told ``preserve_rng_state=False``: the mask would
        be another one.

    Examples
    --------
    >>> import torch
    >>> import bridle.torch
    >>> layer = bridle.torch.Dropout(0.5, seed=1)
    >>> layer(torch.ones(8))
    tensor([2., 0., 2., 2., 2., 0., 2., 0.])
    >>> layer(torch.ones(8))  # the next stream
    tensor([0., 0., 0., 2., 0., 2., 0., 2.])
    >>> layer.eval()(torch.ones(2))
    tensor([1., 1.])

    The next layer of a network has a seed of its own, or it would draw the masks of the first:

    >>> bridle.torch.Dropout(0.5, seed=2)(torch.ones(8))
    tensor([2., 0., 2., 2., 0., 2., 0., 0.])
    """

    def __init__(self, p: float = 0.5, *, seed: int, stream: int = 0) -> None:
        super().__init__()
        self.p = probability("Dropout", p)
        self._key = _key(counter("Dropout", "seed", seed), counter("Dropout", "stream", stream))

    @property
    def seed(self) -> int:
        """Names the random bits."""
        return int(self._key.view(np.uint64)[0])

    @seed.setter
    def seed(self, value: int) -> None:
        self._key = _key(counter("Dropout", "seed", value), self.stream)

    @property
    def stream(self) -> int:
        """Stream of the next training call."""
        return int(self._key.view(np.uint64)[1])

    @stream.setter
    def stream(self, value: int) -> None:
        self._key = _key(self.seed, counter("Dropout", "stream", value))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Drop elements with the next stream, in training."""
        if not self.training:
            return x
        check_tensor("Dropout", x)
        if torch.compiler.is_compiling():
            key = _take_key(torch.from_numpy(self._key), _token())
            return _masked_by_key(x, self.p, key)
        token = int(_token()) if _may_be_made_again() else None
        if token is not None and _in_backward_pass():
            return _Masked.apply(x, self.p, *_recalled(token))
        key = self.seed, self.stream
        result = _Masked.apply(x, self.p, *key)
        if token is not None:
            _remember(token, key)
        _advance(self._key)
        return result

    def get_extra_state(self) -> dict[str, int]:
        """Return seed, stream and number of copies for `state_dict`."""
        return {"seed": self.seed, "stream": self.stream, "copies": self._copies}

    def set_extra_state(self, state: dict[str, int]) -> None:
        """Take seed, stream and number of copies from a `state_dict`."""
        seed, stream = (counter("Dropout", name, state[name]) for name in ("seed", "stream"))
        self._copies = counter("Dropout", "copies", state.get("copies", self._copies))
        self._key = _key(seed, stream)

    def __getstate__(self) -> dict[str, Any]:
        state = {name: value for name, value in self.__dict__.items() if name != "_key"}
        return {**state, "seed": self.seed, "stream": self.stream}

    def __setstate__(self, state: dict[str, Any]) -> None:
        key = _key(state.pop("seed"), state.pop("stream"))
        super().__setstate__({**state, "_key": key})

    def extra_repr(self) -> str:
        """Return what `repr` shows."""
        return f"p={self.p}, seed={self.seed}, stream={self.stream}"
