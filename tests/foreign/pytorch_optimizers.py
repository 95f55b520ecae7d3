"""Run PyTorch's own tests of optimizers on those of bridle.torch; README.md says how.

python tests/foreign/pytorch_optimizers.py PYTORCH/test/test_optim.py TestOptimRenewedCPU
"""

import copy
import runpy
import sys
from pathlib import Path

import torch
from torch.testing._internal import common_optimizers as theirs

import bridle.torch

COMMON = [
    {"lr": 1e-2, "weight_decay": 0.0},
    {"weight_decay": 0.1},
    {"weight_decay": 0.1, "decay": "coupled"},
    {"weight_decay": 0.1, "decay": "full", "cautious": True},
    {"weight_decay": 0.1, "l1": 1e-3, "l2": 1e-3},
]
SGD = [
    {"momentum": 0.9},
    {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1, "decay": "coupled"},
]
ADAM = [
    {"betas": (0.8, 0.9), "eps": 1e-6, "weight_decay": 0.0},
    {"weight_decay": 0.1, "l1": 1e-3, "prox_step": "scalar"},
]


def information(optimizer, options):
    """Describe an optimizer in the terms of PyTorch's tests."""

    def inputs(device, dtype=None):
        tensors = [{"lr": torch.full((1,) * n, 1e-3), "weight_decay": 0.0} for n in range(3)]
        every = copy.deepcopy(options) + tensors
        return [theirs.OptimizerInput(None, kwargs, str(kwargs)) for kwargs in every]

    def errors(device, dtype):
        every = theirs.get_error_inputs_for_all_optims(device, dtype)
        # Those without parameters fail in another way before options are looked at.
        return [error for error in every if error.optimizer_error_input.params is not None]

    return theirs.OptimizerInfo(
        optimizer,
        optim_inputs_func=inputs,
        optim_error_inputs_func=errors,
        supported_impls=(),
        supports_complex=False,
        supports_multiple_devices=False,
    )


def main():
    theirs.optim_db[:] = [
        information(bridle.torch.ProxSGD, COMMON + SGD),
        information(bridle.torch.ProxAdamW, COMMON + ADAM),
    ]
    tests, sys.argv = Path(sys.argv[1]), sys.argv[1:]
    sys.path.insert(0, str(tests.parent))
    runpy.run_path(str(tests), run_name="__main__")


if __name__ == "__main__":
    main()
