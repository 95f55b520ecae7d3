"""Dropout for PyTorch that saves no mask."""

from __future__ import annotations

from typing import Any, Self

import torch

from bridle._call import counter
from bridle._dropout.copies import CopiesDrawOtherMasks
from bridle._dropout.noise import Block, probability
from bridle.torch import _calls as calls
from bridle.torch._arrays import check_tensor
from bridle.torch._masks import Masked, mask_of, masked_by_key
from bridle.torch._shards import is_distributed, origin_of_part, without_partial_sums

__all__ = ["Dropout"]


class Dropout(CopiesDrawOtherMasks, torch.nn.Module):
    """Dropout with a seed of its own, that saves no mask for the backward pass.

    Each training call uses the next `stream`, as `bridle.Dropout` does, and the decisions are those
    of `bridle.dropout` with this seed and stream, for any memory layout and number of threads.
    `eval()` makes it the identity. It is an operator for ``torch.compile``, with ``fullgraph``,
    too: neither seed, stream nor `p` is part of what is compiled. Where ``torch.utils.checkpoint``
    computes it again, the mask is the same; to tell which call that is, one number is drawn from
    PyTorch's random state in each call there, in graphs of ``torch.compile``, and without
    gradients.

    A DTensor is masked as one process would mask the whole, whatever its placements. Plain tensors
    of several processes get equal masks: hand parts of a batch over as a DTensor, as
    ``torch.distributed.tensor.parallel.SequenceParallel(sequence_dim=0, use_local_output=True)``
    does for a module. Under ``torch.func.vmap``, the mask is that of one example, for all of them,
    which ``randomness="same"`` must say. Inside of transformations by ``torch.func`` that are
    compiled, the layer breaks the graph.

    Two layers made with the same seed and stream draw the same masks. A copy by ``copy.deepcopy``,
    as ``torch.nn.TransformerEncoder`` makes them of its layer, draws others: its first stream is a
    number from 2**63 on, mixed from the stream of the layer and the number of its copies before,
    so that a program that is run again draws the same. `state_dict` and pickle are for going on:
    seed and stream are part of them, so that a resumed run draws the masks of an uninterrupted one,
    and so does what was pickled.

    Parameters
    ----------
    p : float, default 0.5
        Probability of dropping an element; may be changed between calls.
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
        again, or ``torch.utils.checkpoint`` was told ``preserve_rng_state=False``, or PyTorch's
        random state was set back between two calls of the layer, so that they cannot be told apart:
        the mask might be another one.

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
        self._key = calls.key_of(
            p=probability("Dropout", p),
            seed=counter("Dropout", "seed", seed),
            stream=counter("Dropout", "stream", stream),
            layer=calls.new_layer(),
        )

    def _change(self, **numbers: Any) -> None:
        """Change numbers of the key; in a new one, as that of a copy by copy.copy is the same."""
        own = calls.named(self._key)
        self._key = calls.key_of(**{name: own[name] for name in calls.NUMBERS} | numbers)

    @property
    def p(self) -> float:
        """Probability of dropping an element in the next call."""
        return float(calls.named(self._key)["p"])

    @p.setter
    def p(self, value: float) -> None:
        self._change(p=probability("Dropout", value))

    @property
    def seed(self) -> int:
        """Names the random bits."""
        return int(calls.named(self._key)["seed"])

    @seed.setter
    def seed(self, value: int) -> None:
        self._change(seed=counter("Dropout", "seed", value))

    @property
    def stream(self) -> int:
        """Stream of the next training call."""
        return int(calls.named(self._key)["stream"])

    @stream.setter
    def stream(self, value: int) -> None:
        self._change(stream=counter("Dropout", "stream", value))

    def _parted(self, other: Self) -> Self:
        other._change(layer=calls.new_layer())
        return super()._parted(other)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Drop elements with the next stream, in training."""
        if not self.training:
            return x
        if not is_distributed(x):
            return self._dropped(x)
        x = without_partial_sums(x)
        block = tuple(x.shape), origin_of_part("Dropout", x)
        place = {"device_mesh": x.device_mesh, "placements": x.placements}
        part = self._dropped(x.to_local(), block)
        return type(x).from_local(part, **place, shape=x.shape, stride=x.stride())

    def _dropped(self, x: torch.Tensor, block: Block | None = None) -> torch.Tensor:
        check_tensor("Dropout", x)
        if not torch.compiler.is_compiling():
            return self._plain_call(x, block)
        if torch._C._are_functorch_transforms_active():
            return self._call_beside_graphs(x, block)
        key = calls.take_key(torch.from_numpy(self._key), calls.token())
        return masked_by_key(x, key, *(block or ()))

    def _plain_call(self, x: torch.Tensor, block: Block | None) -> torch.Tensor:
        number = calls.number() if calls.may_be_made_again() else None
        if number is not None and calls.in_backward_pass():
            return Masked.apply(x, mask_of(calls.first_key(self._key, number), block))
        result = Masked.apply(x, mask_of(self._key, block))
        calls.finish(self._key, number)
        return result

    # Inside of torch.func's transformations, operators of graphs would have no derivatives.
    _call_beside_graphs = torch._disable_dynamo(_plain_call)

    def get_extra_state(self) -> dict[str, int]:
        """Return seed, stream and number of copies for `state_dict`."""
        return {"seed": self.seed, "stream": self.stream, "copies": self._copies}

    def set_extra_state(self, state: dict[str, int]) -> None:
        """Take seed, stream and number of copies from a `state_dict`."""
        seed, stream = (counter("Dropout", name, state[name]) for name in ("seed", "stream"))
        self._copies = counter("Dropout", "copies", state.get("copies", self._copies))
        self._change(seed=seed, stream=stream)

    def __getstate__(self) -> dict[str, Any]:
        state = {name: value for name, value in self.__dict__.items() if name != "_key"}
        return {**state, "p": self.p, "seed": self.seed, "stream": self.stream}

    def __setstate__(self, state: dict[str, Any]) -> None:
        numbers = {name: state.pop(name) for name in ("p", "seed", "stream")}
        key = calls.key_of(**numbers, layer=calls.new_layer())
        super().__setstate__({**state, "_key": key})

    def extra_repr(self) -> str:
        """Return what `repr` shows."""
        return f"p={self.p}, seed={self.seed}, stream={self.stream}"
