"""Dropout as a layer that counts its calls instead of keeping masks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridle import _lazy
from bridle._call import counter, real_array
from bridle._containers import like
from bridle._dropout.claims import claimed
from bridle._dropout.copies import CopiesDrawOtherMasks
from bridle._dropout.functions import dropout, dropout_inference
from bridle._dropout.noise import NoiseShape, lengths, noise_lengths, probability

__all__ = ["Dropout"]


class _Call(NamedTuple):
    """What the mask of a training call was made of."""

    stream: int
    p: float
    shape: tuple[int, ...]


class Dropout(CopiesDrawOtherMasks):
    """Dropout layer without a stored mask.

    Each training call uses the next `stream` of the seed, so that no two calls share a mask, and
    `backward` computes the mask of the last one again. See `dropout` for the formula.

    Two layers made with the same seed and stream draw the same masks. A copy by ``copy.copy`` or
    ``copy.deepcopy`` draws others: its first stream is a number from 2**63 on, mixed from the
    stream of the layer and the number of its copies before, so that a program that is run again
    draws the same. `state_dict` and pickle are for going on: there the masks are those that the
    layer would have drawn.

    Several threads may call one layer: each call has a stream of its own, and `backward` goes with
    the last call of any of them. Where each thread needs its own, give it a copy.

    Parameters
    ----------
    p : float, default 0.5
        Probability of dropping an element, between 0 and 1.
    seed : int
        Names the random bits. Layers of a network need different seeds, or streams far apart.
    stream : int, default 0
        Stream of the first training call.
    noise_shape : tuple of int and None, optional
        Shape of the array of decisions, as for `dropout`.
    inverted : bool, default True
        Scale kept elements in training; False scales at inference instead (classic mode).

    Attributes
    ----------
    p : float
        Probability for the next call; may be changed between calls.
    seed, stream : int
        The stream is that of the next training call.

    See Also
    --------
    dropout : The function, for those who count themselves.

    Examples
    --------
    >>> import numpy as np
    >>> import bridle as br
    >>> layer = br.Dropout(0.5, seed=1)
    >>> layer(np.ones(8))
    array([2., 0., 2., 2., 2., 0., 2., 0.])
    >>> layer(np.ones(8))  # the next stream
    array([0., 0., 0., 2., 0., 2., 0., 2.])
    >>> layer.backward(np.ones(8))
    array([0., 0., 0., 2., 0., 2., 0., 2.])
    >>> layer.eval(np.ones(8))
    array([1., 1., 1., 1., 1., 1., 1., 1.])
    >>> layer.sample(np.ones(8), 2)
    array([[2., 0., 0., 0., 0., 0., 0., 0.],
           [0., 2., 2., 0., 0., 0., 2., 2.]])

    The next layer of a network has a seed of its own, or it would draw the masks of the first:

    >>> br.Dropout(0.5, seed=2)(np.ones(8))
    array([2., 0., 2., 2., 0., 2., 0., 0.])
    """

    def __init__(
        self,
        p: float = 0.5,
        *,
        seed: SupportsIndex,
        stream: SupportsIndex = 0,
        noise_shape: NoiseShape | None = None,
        inverted: bool = True,
    ) -> None:
        self.p = probability("Dropout", p)
        self.seed = counter("Dropout", "seed", seed)
        self.stream = counter("Dropout", "stream", stream)
        self.noise_shape = None if noise_shape is None else noise_lengths("Dropout", noise_shape)
        self.inverted = bool(inverted)
        self._last: _Call | None = None

    @property
    def p(self) -> float:
        """Probability for the next call."""
        return self._p

    @p.setter
    def p(self, value: float) -> None:
        self._p = probability("Dropout", value)

    def __repr__(self) -> str:
        return (
            f"Dropout({self.p}, seed={self.seed}, stream={self.stream}, "
            f"noise_shape={self.noise_shape}, inverted={self.inverted})"
        )

    def __call__(self, x: ArrayLike, training: bool = True, out: NDArray[Any] | None = None) -> Any:
        """Drop elements of ``x`` with the next stream, or do what `eval` does.

        Parameters
        ----------
        x : array_like
            Activations.
        training : bool, default True
            Whether to drop anything.
        out : ndarray, optional
            Where the result is written; may be ``x`` itself.

        Returns
        -------
        ndarray or scalar
            Of the shape and dtype of ``x``.
        """
        if not training:
            p = 0.0 if self.inverted else self.p
            return self.eval(x) if out is None else dropout_inference(x, p, out)
        array = real_array("Dropout", x, lazy=True)
        with claimed(self) as stream:
            call = _Call(stream, self.p, array.shape)
            result = like("Dropout", x, self._dropout(array, call, out), out)
            self._last = call
        return result

    def backward(self, gradient: ArrayLike, out: NDArray[Any] | None = None) -> Any:
        """Apply the mask and scale of the last training call to a gradient.

        Parameters
        ----------
        gradient : array_like
            Gradient with respect to the result of that call, of the same shape.
        out : ndarray, optional
            Where the result is written; may be ``gradient`` itself.

        Returns
        -------
        ndarray or scalar
            Gradient with respect to the argument of that call.

        Raises
        ------
        RuntimeError
            Before the first training call.
        ValueError
            If the gradient has another shape.
        """
        last = self._last
        if last is None:
            raise RuntimeError("Dropout: backward needs a training call before it")
        array = real_array("Dropout", gradient, lazy=True)
        if array.shape != last.shape:
            raise ValueError(
                f"Dropout: gradient must have the shape of the last training call, "
                f"{last.shape}, got {array.shape}"
            )
        return like("Dropout", gradient, self._dropout(array, last, out), out)

    def eval(self, x: ArrayLike) -> Any:
        """Return what inference needs: ``x`` itself, or `dropout_inference` in the classic mode.

        Parameters
        ----------
        x : array_like
            Activations.

        Returns
        -------
        ndarray or scalar
            ``x``, not a copy, if `inverted`.
        """
        if not self.inverted:
            return dropout_inference(x, self.p)
        return like("Dropout", x, real_array("Dropout", x, lazy=True))

    def sample(self, x: ArrayLike, n: SupportsIndex) -> NDArray[Any]:
        """Draw n results of dropout, for Monte-Carlo estimates of uncertainty.

        Parameters
        ----------
        x : array_like
            Activations.
        n : int
            Number of draws; they use the next n streams. `backward` is not concerned.

        Returns
        -------
        ndarray
            Of shape ``(n, *x.shape)``.
        """
        count = counter("Dropout", "n", n)
        array = real_array("Dropout", x, lazy=True)
        with claimed(self, count) as first:
            calls = [_Call(first + k, self.p, array.shape) for k in range(count)]
            return self._samples(array, calls)

    def state_dict(self) -> dict[str, Any]:
        """Return the configuration and the state as plain data that JSON can hold.

        Returns
        -------
        dict
            ``{"config": ..., "state": ...}``; the state is the seed, the stream of the next call,
            what `backward` needs, and the number of copies that were made.
        """
        last = None if self._last is None else [*self._last[:2], list(self._last.shape)]
        noise_shape = None if self.noise_shape is None else list(self.noise_shape)
        config = {"p": self.p, "noise_shape": noise_shape, "inverted": self.inverted}
        return {
            "config": config,
            "state": {
                "seed": int(self.seed),
                "stream": int(self.stream),
                "last": last,
                "copies": self._copies,
            },
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where the layer of a `state_dict` was.

        Seed and stream are taken over; the configuration given at construction stays.

        Parameters
        ----------
        state : mapping
            A result of `state_dict`.

        Raises
        ------
        ValueError
            If it is not one; nothing has changed then.
        """
        try:
            inner = state["state"]
            seed = counter("Dropout", "seed", inner["seed"])
            stream = counter("Dropout", "stream", inner["stream"])
            last, copies = inner["last"], inner.get("copies", self._copies)
            copies = counter("Dropout", "copies", copies)
            if last is not None:
                number, p, shape = last
                last = _Call(
                    counter("Dropout", "last", number),
                    probability("Dropout", p),
                    lengths("Dropout", "last", list(shape)),
                )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"Dropout: not a state of Dropout: {error}") from None
        self.seed, self.stream, self._last, self._copies = seed, stream, last, copies

    def _samples(self, x: NDArray[Any], calls: list[_Call]) -> NDArray[Any]:
        samples: NDArray[Any]
        if _lazy.is_dask(x):
            samples = _lazy.rule("samples")(x, [self._dropout(x, call, None) for call in calls])
        else:
            samples = np.empty((len(calls), *x.shape), x.dtype.newbyteorder("="))
            for k, call in enumerate(calls):
                self._dropout(x, call, samples[k, ...])
        return samples

    def _dropout(self, x: NDArray[Any], call: _Call, out: NDArray[Any] | None) -> Any:
        return dropout(
            x,
            call.p,
            seed=self.seed,
            stream=call.stream,
            noise_shape=self.noise_shape,
            inverted=self.inverted,
            out=out,
        )
