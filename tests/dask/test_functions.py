"""Every function of one array takes one of Dask: lazily, and with what it gives for NumPy's."""

import pickle

import cloudpickle
import dask
import dask.array as da
import numpy as np
import pytest

import bridle as br
from bridle import _core

from ..cases import DTYPES
from ..memmap_calls import WITHOUT_ARRAYS
from ..test_registry import FUNCTIONS as PUBLIC
from ..test_registry import ROWS
from .calls import ARRAYS, CHUNKS, FUNCTIONS, REFUSING, computed, is_cut


def never(block):
    raise AssertionError("a block was computed")


def uncomputable(x, chunks):
    return da.from_array(x, chunks).map_blocks(never, dtype=x.dtype, meta=x[:0, :0])


def test_every_public_function_has_a_rule():
    assert {*FUNCTIONS, *REFUSING, "load_checkpoint"} | WITHOUT_ARRAYS == {*PUBLIC}


def test_no_call_computes(name, weights):
    function, options = FUNCTIONS[name]
    lazy = function(uncomputable(weights(), CHUNKS["both"]), **options)
    expected = np.asarray(function(weights(), **options))
    assert isinstance(lazy, da.Array)
    assert (lazy.dtype, lazy.shape) == (expected.dtype, expected.shape)
    assert type(lazy._meta) is np.ndarray
    with pytest.raises(AssertionError, match="a block was computed"):
        lazy.compute()


@pytest.mark.parametrize("refused", REFUSING)
def test_what_cannot_be_lazy_is_refused_without_computing(refused, weights, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TypeError) as refusal:
        REFUSING[refused](uncomputable(weights(), CHUNKS["both"]))
    message = str(refusal.value)
    assert message.startswith(f"{refused}: ")
    assert "dask" in message.lower() or "Array" in message
    assert "\n" not in message
    assert not list(tmp_path.iterdir())


def check(name, x, chunks, context):
    function, options = FUNCTIONS[name]
    lazy = da.from_array(x, chunks)
    found, expected = computed(function(lazy, **options)), np.asarray(function(x, **options))
    if name not in ARRAYS:
        np.testing.assert_allclose(found, expected, rtol=1e-14, atol=0, err_msg=context)
    elif is_cut(name, lazy):
        wide, unit = expected.astype(np.float64), np.spacing(np.abs(expected)).astype(np.float64)
        assert (np.abs(found.astype(np.float64) - wide) <= 4 * unit).all(), context
    else:
        same = found.view(f"u{found.itemsize}") == expected.view(f"u{expected.itemsize}")
        assert same.all(), context


def test_each_block_is_what_it_is_in_the_whole(name, weights):
    for way, chunks in CHUNKS.items():
        check(name, weights(), chunks, way)


def test_each_type_keeps_its_own(name, weights):
    for dtype in DTYPES.values():
        check(name, weights(dtype), CHUNKS["both"], str(dtype))


def test_integers_become_floats(name):
    x = np.arange(12 * 64).reshape(12, 64) % 7 - 3
    if name not in ("global_norm",):
        check(name, x, CHUNKS["both"], "integers")


def test_equal_calls_have_equal_tokens(name, weights):
    function, options = FUNCTIONS[name]
    with dask.config.set({"tokenize.ensure-deterministic": True}):
        arrays = [da.from_array(weights(), CHUNKS["both"]) for _ in range(2)]
        first, second = (function(x, **options) for x in arrays)
        other = function(da.from_array(weights() + 1, CHUNKS["both"]), **options)
    assert first.name == second.name != other.name


@pytest.mark.parametrize("pickler", [pickle, cloudpickle])
def test_graphs_are_pickled(pickler, name, weights):
    function, options = FUNCTIONS[name]
    lazy = function(da.from_array(weights(), CHUNKS["both"]), **options)
    again = pickle.loads(pickler.dumps(lazy))
    assert np.array_equal(computed(again), computed(lazy))


def test_nothing_of_dask_is_imported_before_its_arrays(run_python):
    program = (
        "import sys, numpy as np, bridle as br; br.soft_threshold(np.ones(3), np.ones(3)); "
        "br.group_l2_penalty(np.ones((2, 2))); br.dropout([1.0], 0.5, seed=1); "
        "print([name for name in sys.modules if name.partition('.')[0] in ('dask', 'distributed')])"
    )
    assert run_python(program).stdout.strip() == "[]"


def test_arrays_of_other_kinds_lie_beside_dask_arrays(weights):
    x = weights()
    thresholds = np.abs(x[0])
    for given in (thresholds, da.from_array(thresholds, 10), x, da.from_array(x, (4, 30))):
        for first in (da.from_array(x, CHUNKS["both"]), x):
            if not (isinstance(first, np.ndarray) and isinstance(given, np.ndarray)):
                found = computed(br.soft_threshold(first, abs(given)))
                assert np.array_equal(found, br.soft_threshold(x, np.abs(np.asarray(given))))


@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 1), ()], ids=str)
@pytest.mark.parametrize("keepdims", [False, True])
def test_penalties_along_axes(penalty, axis, keepdims, weights):
    function, x = getattr(br, penalty.name), weights()
    options = penalty.sample_params | {"axis": axis, "keepdims": keepdims}
    expected = function(x, **options)
    for chunks in CHUNKS.values():
        found = computed(function(da.from_array(x, chunks), **options))
        assert found.shape == np.shape(expected)
        np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_penalties_with_arrays_as_parameters(penalty, weights):
    function, x = getattr(br, penalty.name), weights()
    lazy = da.from_array(x, CHUNKS["both"])
    beside = penalty.name in _core.penalties_beside
    for index, parameter in enumerate(penalty.params):
        own = np.resize(penalty.spread(parameter, 7), x.shape)
        for axis in (None, 1):
            is_whole = axis is None or (beside and index == 0)
            array = own if is_whole else own[:, 0]
            for given in (array, da.from_array(array, 5)):
                options = penalty.sample_params | {"axis": axis}
                found = computed(function(lazy, **options | {parameter: given}))
                expected = function(x, **options | {parameter: array})
                np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_several_arrays_have_one_penalty_and_one_norm(weights):
    x = weights()
    lazy = {"a": da.from_array(x, CHUNKS["both"]), "b": da.from_array(x[0], 10), "c": x[1]}
    given = {"a": x, "b": x[0], "c": x[1]}
    for each, numbers in ((lazy, given), (list(lazy.values()), list(given.values()))):
        assert computed(br.l2_penalty(each, 0.5)) == pytest.approx(br.l2_penalty(numbers, 0.5))
        norm, expected = dask.compute(br.global_norm(each))[0], br.global_norm(numbers)
        assert norm == pytest.approx(expected, rel=1e-14)
        assert type(norm) is br.GlobalNorm


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_norm_that_is_not_finite_is_told(bad, weights):
    x = weights().copy()
    x[7, 40] = bad
    norm = br.global_norm(da.from_array(x, CHUNKS["both"]))
    assert np.array_equal(dask.compute(norm)[0], br.global_norm(x), equal_nan=True)
    with pytest.raises(FloatingPointError, match="clip_scale: the norm must be finite"):
        norm.clip_scale(1.0).compute()


GROUPED = [name for name, facts in _core.slice_operators.items() if facts["groups"]]


@pytest.mark.parametrize("name", GROUPED)
@pytest.mark.parametrize("weighted", [False, True])
def test_groups_along_axes_between_offsets_and_by_labels(name, weighted, weights):
    function, options = FUNCTIONS[name]
    x = weights(np.float64)
    offsets = np.array([0, 0, 5, 5, 300, 310, 700, 768, 768])
    labels = np.arange(768).reshape(12, 64) % 9 - 1
    own = {
        (0, 64): {"axis": 0},
        (1, 1): {"axis": (0, 1)},
        (2, 8): {"offsets": offsets},
        (3, 8): {"labels": labels},
    }
    for (_, count), how in own.items():
        array = x.ravel() if "offsets" in how else x
        shape = () if count == 1 else count
        given = options | how
        if weighted:
            given["weights"] = np.linspace(0.0, 2.0, count).reshape(shape)
        expected = function(array, **given)
        for chunks in (100, (5, 24), (12, 64), (1, 64)):
            if array.ndim != np.size(chunks):
                continue
            found = computed(function(da.from_array(array, chunks), **given))
            np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_numbers_may_be_lazy_and_are_checked_when_they_are_computed(name, weights):
    function, options = FUNCTIONS[name]
    x = da.from_array(weights(), CHUNKS["both"])
    lists = _core.elementwise_operators | _core.penalties
    lists |= {n: facts["params"] for n, facts in _core.slice_operators.items()}
    whole = _core.slice_operators.get(name, {}).get("whole", ())
    for parameter in lists.get(name, ()):
        if parameter in whole:
            with pytest.raises(TypeError, match=f"{name}: {parameter} must be computed first"):
                function(x, **options | {parameter: da.asarray(1)})
            continue
        lazy = function(x, **options | {parameter: da.asarray(options[parameter])})
        assert np.array_equal(computed(lazy), computed(function(x, **options)))
        if name in ROWS and parameter not in ROWS[name].checked:
            continue  # it may be anything
        bad = function(x, **options | {parameter: da.asarray(np.nan)})
        with pytest.raises(ValueError, match=f"^{name}: {parameter} must"):
            bad.compute()


def test_masks_are_kept_or_refused(name, weights):
    function, options = FUNCTIONS[name]
    x = da.ma.masked_array(da.from_array(weights(), CHUNKS["both"]), weights() > 1)
    hidden = x.map_blocks(np.ma.copy, dtype=x.dtype, meta=weights()[:0, :0])  # the meta has no mask
    for masked in (x, hidden):
        if name in _core.elementwise_operators:
            found = function(masked, **options).compute()
            assert np.array_equal(np.ma.getmaskarray(found), weights() > 1)
        else:
            with pytest.raises(TypeError, match="masked"):
                function(masked, **options).compute()
