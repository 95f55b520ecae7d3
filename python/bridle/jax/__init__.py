"""Operators for JAX on the CPU, and a transformation for optax; import it explicitly.

The functions are those of the same names in `bridle`, for what JAX traces and compiles: the same
kernels and the same bits, under ``jit``, ``vmap`` and derivatives. JAX is needed for this module
alone, and optax for `proximal` alone.
"""

from bridle.jax._dropout import dropout
from bridle.jax._elementwise import decay, prox_elastic_net, soft_threshold
from bridle.jax._optax import proximal
from bridle.jax._penalties import l1_penalty, l2_penalty

__all__ = [
    "decay",
    "dropout",
    "l1_penalty",
    "l2_penalty",
    "prox_elastic_net",
    "proximal",
    "soft_threshold",
]
