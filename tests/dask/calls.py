"""Every public function with a Dask array: the lazy ones, and those that refuse it."""

import dask.array as da
import numpy as np

import bridle as br
from bridle.dask import _euclidean as euclidean

from ..memmap_calls import FILLING, KEY, MEASURING
from ..updates.oracle import UPDATES

ROWS, COLUMNS = 12, 64
CHUNKS = {
    "whole": (ROWS, COLUMNS),
    "rows": (5, COLUMNS),
    "columns": (ROWS, 24),
    "both": (5, 24),
    "irregular": ((1, 4, 7), (3, 29, 32)),
}


def masked(x):
    bits = br.dropout_mask(x.shape, 0.3, **KEY, packed=True)
    return br.apply_dropout_mask(x, bits, 0.3)


OWN = {"apply_dropout_mask": (masked, {})}
ARRAYS = {
    f.__name__: (f, options) for f, options in FILLING.items() if getattr(br, f.__name__, None) is f
} | OWN
"""Functions that return an array as large as theirs, and what they take beside it."""

NUMBERS = {f.__name__: (f, options) for f, options in MEASURING.items()} | {
    "global_norm": (lambda x: br.global_norm(x, scale=0.5).l2, {}),
    "top_k_threshold": (lambda x: br.top_k_threshold(x, 70), {}),
}
"""Functions that return a number."""

FUNCTIONS = ARRAYS | NUMBERS

REFUSING = {
    "accumulate": lambda x: br.accumulate(x, np.zeros(x.shape, x.dtype)),
    "average_update": lambda x: br.average_update(np.zeros(x.shape, x.dtype), x, 0.5),
    "cast": lambda x: br.cast(x, np.zeros(x.shape, x.dtype)),
    "catch_up": lambda x: br.catch_up(x, [0], [1], 0.1),
    "clip_by_global_norm": lambda x: br.clip_by_global_norm(x, 1.0),
    "fista": lambda x: br.fista(np.zeros_like, br.L1(0.1), x),
    "proximal_gradient": lambda x: br.proximal_gradient(np.zeros_like, br.L1(0.1), x),
    "prepare": lambda x: br.prepare([x]),
    "save_checkpoint": lambda x: br.save_checkpoint("nowhere", x=x),
} | {
    row.function: lambda x, row=row: row.call(x, x, [x] * len(row.states))
    for row in UPDATES.values()
}
"""Functions that write to arrays, or need them at once."""


def is_cut(name, x):
    """Whether vectors are taken together by their norms alone, which rounds once more."""
    if name not in euclidean.OPERATORS:
        return False
    axis = 0 if name.endswith("_norm") and "prox" not in name else -1
    return x.numblocks[axis] > 1


def computed(lazy, **scheduler):
    """Compute an array, which has to be what it said it would be."""
    assert isinstance(lazy, da.Array)
    found = np.asarray(lazy.compute(**scheduler))
    assert (found.dtype, found.shape) == (lazy.dtype, lazy.shape)
    return found
