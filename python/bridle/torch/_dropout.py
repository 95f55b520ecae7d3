"""Dropout for PyTorch that saves no mask."""

from __future__ import annotations

from typing import Any

import torch

from bridle._dropout import dropout
from bridle._noise import counter, probability
from bridle.torch._arrays import array_of

__all__ = ["Dropout"]


class _Masked(torch.autograd.Function):
    """Dropout whose derivatives draw the mask again; it is linear, so that each is a dropout."""

    @staticmethod
    def forward(x: torch.Tensor, p: float, seed: int, stream: int) -> torch.Tensor:
        result = torch.empty_like(x)
        arrays = array_of("Dropout", x), array_of("Dropout", result)
        dropout(arrays[0], p, seed=seed, stream=stream, out=arrays[1])
        return result

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: torch.Tensor) -> None:
        ctx.key = inputs[1:]

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None, None, None]:
        return _Masked.apply(gradients[0], *ctx.key), None, None, None

    @staticmethod
    def jvp(ctx: Any, tangent: torch.Tensor, *_: None) -> torch.Tensor:
        return _Masked.apply(tangent, *ctx.key)


def _in_backward_pass() -> bool:
    return torch._C._current_graph_task_id() != -1


class Dropout(torch.nn.Module):
    """Dropout with a seed of its own, that saves no mask for the backward pass.

    Each training call uses the next `stream`, as `bridle.Dropout` does, and the decisions are those
    of `bridle.dropout` with this seed and stream, for any memory layout and number of threads.
    `eval()` makes it the identity. Seed and stream are part of the `state_dict`, so that a resumed
    run goes on with the masks of an uninterrupted one.

    Parameters
    ----------
    p : float, default 0.5
        Probability of dropping an element.
    seed : int
        Names the random bits. Layers of a network need different seeds.
    stream : int, default 0
        Stream of the first training call.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit, or a tensor is not on the CPU, not dense, or not of type
        float16, bfloat16, float32 or float64.
    RuntimeError
        If a training call happens during a backward pass, as ``torch.utils.checkpoint`` makes it
        to compute the layer again: the mask would be another one. As the layer saves nothing, it
        can stay outside of what is checkpointed.

    Examples
    --------
    >>> import torch
    >>> import bridle.torch
    >>> layer = bridle.torch.Dropout(0.5, seed=1)
    >>> layer(torch.ones(8))
    tensor([2., 0., 2., 2., 2., 0., 2., 0.])
    >>> layer.eval()(torch.ones(2))
    tensor([1., 1.])
    """

    def __init__(self, p: float = 0.5, *, seed: int, stream: int = 0) -> None:
        super().__init__()
        self.p = probability("Dropout", p)
        self.seed = counter("Dropout", "seed", seed)
        self.stream = counter("Dropout", "stream", stream)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Drop elements with the next stream, in training."""
        if not self.training:
            return x
        if _in_backward_pass():
            raise RuntimeError(
                "Dropout: a training call must not happen during a backward pass, where it would "
                f"draw another mask, got one for stream {self.stream}"
            )
        result: torch.Tensor = _Masked.apply(x, self.p, self.seed, self.stream)
        self.stream += 1
        return result

    def get_extra_state(self) -> dict[str, int]:
        """Return seed and stream for `state_dict`."""
        return {"seed": self.seed, "stream": self.stream}

    def set_extra_state(self, state: dict[str, int]) -> None:
        """Take seed and stream from a `state_dict`."""
        self.seed = counter("Dropout", "seed", state["seed"])
        self.stream = counter("Dropout", "stream", state["stream"])

    def extra_repr(self) -> str:
        """Return what `repr` shows."""
        return f"p={self.p}, seed={self.seed}, stream={self.stream}"
