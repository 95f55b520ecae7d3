"""The arrays and names that the timed statements see."""

from __future__ import annotations

import importlib
import importlib.util
import math
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from bench.peers import formulas, kernels
from bench.peers.limits import Fused, Limits
from bench.peers.works import DECAY

import bridle as br

# Optional: without it its column stays empty.
torch: Any = importlib.import_module("torch") if importlib.util.find_spec("torch") else None

# The contenders that have threads, and how many each of them uses from now on.
SET_THREADS: dict[str, Callable[[int], object]] = {
    "bridle": br.set_num_threads,
    "Numba": numba.set_num_threads,
}
if torch:
    SET_THREADS["PyTorch"] = torch.set_num_threads

LIST = 1000  # arrays of a list
STILL = 1e-9  # a learning rate at which weights remain what they are, step after step
ITERATION = 1000  # the number of the steps
STRENGTH, STEP_L2, RATE, EPSILON = 1e-3, 1e-4, 1e-4, 1e-2
# Up to there the result is zero: the objective is no smaller at the other minimum.
JUMPS = {"l_half": 1.5 * STRENGTH ** (2 / 3), "log_sum": 0.06023480315829863}


def use_threads(threads: int) -> None:
    """Give every contender the same number of threads; NumPy's elementwise functions have one."""
    for set_threads in SET_THREADS.values():
        set_threads(threads)


def namespace(
    size: int, threads: int, limits: Limits | None = None, fused: Fused | None = None
) -> dict[str, Any]:
    """Return float32 arrays of `size` and everything else that statements name.

    ``original`` holds the values of ``x`` before anything is done to it in place.
    """
    original = np.empty(size, dtype=np.float32)
    np.random.default_rng(1).standard_normal(dtype=np.float32, out=original)
    x, out, tmp = original.copy(), np.zeros_like(original), np.zeros_like(original)
    shrink, keep = 1.0 / (1.0 + 2.0 * STEP_L2), 1.0 - RATE
    names: dict[str, Any] = {"n": size, "threads": threads, "limits": limits, "fused": fused}
    names |= {"br": br, "np": np, "nb": kernels, "rng": np.random.default_rng(2)}
    names |= {"original": original, "x": x, "out": out, "tmp": tmp, "drop": np.zeros(size, bool)}
    if torch:
        names |= {"torch": torch, "F": torch.nn.functional, "aten": torch.ops.aten}
        names |= {"tx": torch.from_numpy(x), "tout": torch.from_numpy(out)}
        names |= {"ttmp": torch.from_numpy(tmp), "toriginal": torch.from_numpy(original)}
    for name in ("x", "original", "out", "tmp"):
        names[f"{name}_at"] = names[name].ctypes.data
    names |= {"total_variation": formulas.total_variation}
    names |= {"adamw_of": formulas.adamw, "adamw_of_rows": formulas.adamw_of_rows}
    names |= {"rest": np.ones(3000), "square": np.ones((300, 300), dtype=np.float32)}
    names |= {"t": STRENGTH, "l2": STEP_L2, "s": STRENGTH, "rate": RATE}
    names |= {"d": shrink, "c": keep, "g": 2.0 * STEP_L2, "epsilon": EPSILON}
    names["jump"] = {name: np.float32(value) for name, value in JUMPS.items()}
    names |= {"low": -1.0, "high": 1.0, "gamma": 3.7}
    groups = [np.array_split(array, LIST) for array in (x, original, out, tmp)]
    names |= dict(zip(("xs", "originals", "outs", "tmps"), groups, strict=True))
    names["prepared"] = [br.prepare(group) for group in groups]
    if torch:
        names["adamw"] = torch_adamw([x], [original], [out], [tmp])
        names["adamw_list"] = torch_adamw(*groups)
    names |= {"torch_adamw": torch_adamw, "iteration": ITERATION}
    use_learning_rate(names, STILL)
    p = 0.1
    names["bits"] = {p: br.dropout_mask(size, p, seed=7, packed=True)}
    names["sd"] = {p: np.float32(math.sqrt(p / (1 - p)))}
    names["stopping"] = br.EarlyStopping(1, mode="min", restore_best_weights=True)
    names["stopping"].update(0.0, original)
    for name in ("t", "d", "c", "g", "epsilon", "low", "high", "gamma"):
        names[f"{name}32"] = np.float32(names[name])  # a Python float makes Numba compute in double
    return names


def torch_adamw(
    weights: list[Any], gradients: list[Any], first: list[Any], second: list[Any]
) -> Any:
    """Return PyTorch's optimizer of these very arrays: how they lie in memory matters."""
    tensors = [torch.nn.Parameter(torch.from_numpy(w)) for w in weights]
    for tensor, gradient in zip(tensors, gradients, strict=True):
        tensor.grad = torch.from_numpy(gradient)
    optimizer = torch.optim.AdamW(tensors, weight_decay=DECAY, fused=True)
    for tensor, m, v in zip(tensors, first, second, strict=True):
        state = {"exp_avg": torch.from_numpy(m), "exp_avg_sq": torch.from_numpy(v)}
        optimizer.state[tensor] = {"step": torch.zeros(())} | state
    return optimizer


def restore(names: dict[str, Any]) -> None:
    np.copyto(names["x"], names["original"])


def use_learning_rate(names: dict[str, Any], lr: float) -> None:
    """Set what all steps use; the next one of PyTorch's optimizers has the number of the others."""
    names["lr"] = lr
    optimizers = [o for o in names.values() if torch and isinstance(o, torch.optim.Optimizer)]
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = lr
        for state in optimizer.state.values():
            state["step"] = torch.tensor(float(ITERATION - 1))
