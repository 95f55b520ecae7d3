"""Optimizers and dropout for PyTorch on the CPU; import it explicitly.

The optimizers are `bridle.sgd_update` and `bridle.adamw_update`: they work on the memory of the
tensors, without a copy, also of shards in several processes. PyTorch is needed for this module
alone.
"""

from bridle.torch._clipping import clip_grad_norm_
from bridle.torch._dropout import Dropout
from bridle.torch._optim import ProxAdamW, ProxSGD

__all__ = ["Dropout", "ProxAdamW", "ProxSGD", "clip_grad_norm_"]
