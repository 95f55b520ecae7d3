"""A call of every public function that takes arrays, in place where that is possible."""

import functools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import bridle as br

from .cases import DTYPES, ELEMENTWISE, PENALTIES, values
from .models.test_arrays import ROWS as MODELS
from .slice_cases import SLICE_PENALTIES, SLICES
from .updates.calls import call as update
from .updates.calls import parts
from .updates.data import operands
from .updates.oracle import UPDATES

FLOAT32, BFLOAT16 = DTYPES["float32"], DTYPES["bfloat16"]
WITHOUT_ARRAYS = {
    "c_api",
    "c_api_address",
    "dropout_mask",
    "get_cmake_dir",
    "get_include",
    "get_num_threads",
    "plot_regularizer",
    "set_num_threads",
    "show_config",
}


class Call(NamedTuple):
    """What is done with arrays by name."""

    arrays: Callable[[int], dict[str, np.ndarray]]
    """Those of so many rows of 64."""
    run: Callable[[dict[str, Any]], Any]
    written: tuple[str, ...] = ()
    """The names of those that it writes."""


def numbers(names, count, dtype=FLOAT32):
    flat = values(dtype, 64 * count * len(names), finite=True).reshape(len(names), count, 64)
    return {name: array.copy() for name, array in zip(names, flat, strict=True)}


def new(function, *names, written=(), **arguments):
    def run(arrays):
        return function(*[arrays[name] for name in names], **arguments)

    return Call(functools.partial(numbers, names), run, written)


def in_place(function, **arguments):
    """A call with ``out=`` that is the input."""
    return new(lambda x: function(x, **arguments, out=x), "x", written=("x",))


def updated(row):
    return Call(
        lambda count: parts(row, operands(row, FLOAT32, (count, 64))),
        lambda arrays: update(row, arrays),
        ("w", *row.states),
    )


def mixed_arrays(count):
    row = UPDATES["adamw"]
    arrays = parts(row, operands(row, FLOAT32, (count, 64), gradient=BFLOAT16))
    copy = np.zeros((count, 64), BFLOAT16)
    states = {name: arrays[name].astype(BFLOAT16) for name in row.states}
    return arrays | states | {"copy_out": copy}


def stopped(arrays):
    """Keep the best weights and save them, let them be overwritten, put back what was saved."""
    stopping = br.EarlyStopping(1, mode="min", restore_best_weights=True)
    stopping.update(1.0, [arrays["w"]])
    with tempfile.TemporaryDirectory() as folder:
        stopping.save(Path(folder) / "best")
        stopping = br.EarlyStopping.load(Path(folder) / "best")
    arrays["w"] += 1
    stopping.restore([arrays["w"]])
    return stopping.best_weights()[0]


def saved(arrays):
    with tempfile.TemporaryDirectory() as folder:
        br.save_checkpoint(Path(folder) / "run.npz", w=arrays["w"])


def loaded(arrays):
    """Put back what was saved after it was overwritten."""
    with tempfile.TemporaryDirectory() as folder:
        br.save_checkpoint(Path(folder) / "run.npz", w=arrays["w"])
        arrays["w"] += 1
        br.load_checkpoint(Path(folder) / "run.npz", w=arrays["w"])
        arrays["w"] += 1


def stepped(arrays):
    """Its moments are in memory."""
    br.AdamW(arrays["w"], 0.1, l1=0.1).step(arrays["gradient"])


def solved(solver):
    def run(w, target):
        return solver(lambda x: x - target, br.L1(0.1), w, max_iterations=3).x

    return new(run, "w", "target")


def dropped(arrays):
    layer = br.Dropout(0.5, seed=1)
    results = layer(arrays["x"]), layer.backward(arrays["gradient"]), layer.sample(arrays["x"], 2)
    return *results, layer(arrays["x"], out=arrays["x"])


KEY = {"seed": 1, "stream": 2}
BITS = np.arange(256, dtype=np.uint8)


def apply_dropout_mask(x, out=None):
    return br.apply_dropout_mask(x, np.resize(BITS, x.size // 8), 0.5, out=out)


FILLING = (
    {getattr(br, name): row.sample_params for name, row in ELEMENTWISE.items()}
    | {getattr(br, name): row.arguments(64) for name, row in SLICES.items()}
    | {
        br.prox_nuclear: {"strength": 0.3},
        br.orthogonal_gradient: {},
        br.dropout: {"p": 0.3, **KEY},
        br.alpha_dropout: {"p": 0.3, **KEY},
        br.gaussian_dropout: {"p": 0.3, **KEY},
        br.gaussian_noise: {"stddev": 0.3, **KEY},
        br.dropout_inference: {"p": 0.3},
        apply_dropout_mask: {},
        br.MCP(0.3, 2.0).prox: {},
    }
)
MEASURING = (
    {getattr(br, name): row.sample_params for name, row in PENALTIES.items()}
    | {getattr(br, name): row.arguments(64) for name, row in SLICE_PENALTIES.items()}
    | {br.nuclear_penalty: {}, br.orthogonal_penalty: {}}
)

IN_PLACE = (
    {function.__name__: in_place(function, **options) for function, options in FILLING.items()}
    | {f"{row.function} ({row.name})": updated(row) for row in UPDATES.values()}
    | {
        "adamw_update of mixed types": Call(
            mixed_arrays,
            lambda arrays: update(UPDATES["adamw"], arrays, rounding="stochastic", seed=1),
            ("w", "first_moment", "second_moment", "copy_out"),
        ),
        "save_checkpoint": Call(functools.partial(numbers, ("w",)), saved),
        "catch_up": new(lambda w: br.catch_up(w, [2, 0], [3, 1], 0.1, l1=0.1), "w", written=("w",)),
        "prepare": new(
            lambda w: br.proximal_step(br.prepare([w]), 0.5, l1=0.5), "w", written=("w",)
        ),
    }
    | {
        name: new(getattr(br, name), *row.names, written=row.written.split(), **row.options)
        for name, row in MODELS.items()
    }
    | {f.__name__: new(f, "w", **options) for f, options in MEASURING.items()}
)
CALLS = (
    IN_PLACE
    | {
        f"{function.__name__} into a new array": new(function, "x", **options)
        for function, options in FILLING.items()
    }
    | {
        "top_k_threshold": new(lambda x: br.top_k_threshold([x], 9), "x"),
        "Dropout": Call(functools.partial(numbers, ("x", "gradient")), dropped, ("x",)),
        "AdamW": Call(functools.partial(numbers, ("w", "gradient")), stepped, ("w",)),
        "load_checkpoint": Call(functools.partial(numbers, ("w",)), loaded, ("w",)),
        "fista": solved(br.fista),
        "proximal_gradient": solved(br.proximal_gradient),
        "EarlyStopping": Call(functools.partial(numbers, ("w",)), stopped, ("w",)),
    }
)
"""By names of which the first word is that of what is called."""
