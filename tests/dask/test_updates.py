"""Updates of Dask arrays: new arrays with the bits that are written in place."""

import inspect

import dask
import dask.array as da
import numpy as np
import pytest

import bridle as br
import bridle.dask

from ..conftest import by_name
from ..updates.calls import parts, public_updates
from ..updates.data import operands
from ..updates.oracle import UPDATES
from .calls import CHUNKS, computed


@pytest.fixture(**by_name(UPDATES))
def row(request):
    return request.param


def arguments(row, arrays, **keywords):
    size = {"step" if row.function == "proximal_step" else "lr": row.lr}
    return row.options | size | ({"iteration": 3} if row.counts else {}) | arrays | keywords


def written(row):
    """Return the names of what an update returns, in the order of its signature."""
    names = inspect.signature(getattr(br, row.function)).parameters
    return [name for name in names if name in ("w", *row.states)]


def compare(row, arrays, chunks, **keywords):
    """Compare all that an update returns with all that it writes in place."""
    lazy = {name: da.from_array(array, chunks) for name, array in arrays.items()}
    results = getattr(bridle.dask, row.function)(**arguments(row, lazy, **keywords))
    *found, summary = dask.compute(*results)
    own = {name: array.copy() for name, array in arrays.items()}
    expected = getattr(br, row.function)(**arguments(row, own, **keywords))
    for name, array in zip(written(row), found, strict=True):
        assert array.dtype == own[name].dtype
        assert array.tobytes() == own[name].tobytes(), name
    assert type(summary) is br.UpdateSummary
    assert summary == pytest.approx(expected, rel=1e-14)
    assert all(lazy[name].compute().tobytes() == arrays[name].tobytes() for name in arrays)


def test_every_update_returns_what_it_writes(row, dtype):
    arrays = parts(row, operands(row, dtype, (12, 64)))
    for chunks in CHUNKS.values():
        compare(row, arrays, chunks, l1=0.1, l2=0.05)


def test_every_update_is_here_with_its_own_signature():
    assert {*bridle.dask.__all__} - {"dropout_mask"} == public_updates()
    for name in public_updates():
        own = inspect.signature(getattr(bridle.dask, name))
        assert [*own.parameters] == [*inspect.signature(getattr(br, name)).parameters]
        assert "Returns" in getattr(bridle.dask, name).__doc__


@pytest.mark.parametrize("chunks", CHUNKS.values(), ids=list(CHUNKS))
def test_random_bits_belong_to_places_in_the_whole(chunks):
    row = UPDATES["adamw"]
    arrays = parts(row, operands(row, np.dtype("bfloat16"), (12, 64)))
    arrays |= {name: arrays[name].astype("bfloat16") for name in row.states}
    compare(row, arrays, chunks, rounding="stochastic", seed=5, offset=11)


def test_arrays_in_other_blocks_are_cut_alike(row):
    arrays = parts(row, operands(row, np.dtype(np.float32), (12, 64)))
    ways = [*CHUNKS.values()]
    lazy = {n: da.from_array(a, ways[i % len(ways)]) for i, (n, a) in enumerate(arrays.items())}
    results = getattr(bridle.dask, row.function)(**arguments(row, lazy))
    own = {name: array.copy() for name, array in arrays.items()}
    getattr(br, row.function)(**arguments(row, own))
    assert np.array_equal(computed(results[0]), own["w"])


def test_numbers_may_be_lazy_and_are_checked_when_they_are_computed():
    w = da.ones((12, 64), chunks=(5, 24))
    norm = br.global_norm(w)
    clipped, _ = bridle.dask.sgd_update(w, w, da.asarray(0.1), grad_scale=norm.clip_scale(1.0))
    expected = 1 - 0.1 / np.sqrt(12 * 64)
    assert computed(clipped) == pytest.approx(np.full((12, 64), expected))
    bad, _ = bridle.dask.sgd_update(w, w, da.asarray(-0.1))
    with pytest.raises(ValueError, match=r"^sgd_update: lr must be >= 0, got -0\.1"):
        bad.compute()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lr": -0.1}, "lr must be >= 0, got -0.1"),
        ({"iteration": 0}, "iteration must be >= 1, got 0"),
        ({"gradient": np.ones((4, 4))}, r"gradient must have the shape of w, \(12, 64\)"),
        ({"rows": [1]}, "rows must be left alone for Dask arrays"),
        ({"copy_out": np.ones((12, 64))}, "copy_out must be left alone for Dask arrays"),
        ({"regularizer": br.L1(np.ones(64))}, "regularizer must have numbers as parameters"),
        ({"regularizer": br.L2Norm(1.0)}, "regularizer must be a regularizer of each element"),
        ({"first_moment": [np.ones(3)]}, "first_moment must be one array"),
        ({"w": None}, "w must be one array"),
        ({"second_moment": np.ones((12, 64), np.float32)}, "second_moment must have the type of w"),
    ],
)
def test_what_does_not_fit_is_told_at_the_call(changes, message):
    w = da.ones((12, 64), chunks=(5, 24))
    given = {"w": w, "gradient": w, "first_moment": w, "second_moment": w, "lr": 0.1} | {
        "iteration": 1
    }
    with pytest.raises((TypeError, ValueError), match=f"^adamw_update: {message}"):
        bridle.dask.adamw_update(**given | changes)


def test_elementwise_regularizers_come_last():
    row = UPDATES["adagrad"]
    arrays = parts(row, operands(row, np.dtype(np.float32), (12, 64)))
    compare(row, arrays, CHUNKS["both"], regularizer=br.MCP(0.1, 3.0))


def test_functions_that_write_name_those_that_do_not():
    w, lazy = np.ones(3), da.ones(3)
    calls = {
        "bridle.dask.sgd_update": lambda: br.sgd_update(w, lazy, 0.1),
        "bridle.dask.adagrad_update": lambda: br.adagrad_update(w, w, lazy, 0.1),
        "bridle.dask.lion_update": lambda: br.lion_update(w, w, w.copy(), 0.1, toward=lazy),
        "bridle.dask.proximal_step": lambda: br.proximal_step([w, lazy], 0.1),
        r"total \+ scale \* gradient": lambda: br.accumulate(w, {"a": lazy}),
        r"x\.astype": lambda: br.cast(lazy, w),
        r"global_norm\(arrays\)\.clip_scale": lambda: br.clip_by_global_norm([lazy], 1.0),
    }
    for instead, call in calls.items():
        with pytest.raises(TypeError, match=f"for Dask arrays take {instead}"):
            call()
