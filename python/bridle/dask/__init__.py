"""Dask arrays: what takes one array takes them by its public name; here is what has another one.

`bridle.soft_threshold`, `bridle.dropout`, `bridle.l1_penalty` and all the others return lazy arrays
for lazy arrays. The updates of this module are those of bridle without writing in place: they
return new weights and state. Dask is needed for this module alone.
"""

from bridle.dask._masks import dropout_mask
from bridle.dask._updates import (
    adagrad_update,
    adamw_update,
    ftrl_update,
    lion_update,
    proximal_step,
    rmsprop_update,
    sgd_update,
)

__all__ = [
    "adagrad_update",
    "adamw_update",
    "dropout_mask",
    "ftrl_update",
    "lion_update",
    "proximal_step",
    "rmsprop_update",
    "sgd_update",
]
