"""Elementwise functions are NumPy ufuncs: what follows, and that the direct path agrees."""

import copy
import inspect
import pickle
import subprocess
import sys

import ml_dtypes
import numpy as np
import pytest

import bridle as br
from bridle import _core

from ..cases import DTYPES, INF, THREADED_SIZES, hostile, values


def function_of(operator):
    return getattr(br, operator.name)


def by_ufunc(operator, x, params, **keywords):
    """Call the ufunc behind the public function, its parameters in the type that computes."""
    compute = np.float64 if x.dtype == np.float64 else np.float32
    with np.errstate(over="ignore", under="ignore"):
        numbers = [np.float64(value).astype(compute) for value in params.values()]
    return _core.ufuncs[operator.name](x, *numbers, **keywords)


def test_the_direct_path_gives_the_bits_of_the_ufunc(
    operator, dtype, instruction_set, assert_same_bits
):
    big = values(dtype, THREADED_SIZES[0])
    for x in (hostile(dtype), big, big[: 4 * 4097].reshape(4, -1), big[:12].reshape(2, 2, 3).T):
        for params in operator.good_params if x.size < 1000 else [operator.sample_params]:
            expected = by_ufunc(operator, x, params)
            actual = function_of(operator)(x, **params)
            assert_same_bits(actual, expected, str(params), nan_bits=True)
            assert actual.strides == expected.strides
            into = function_of(operator)(x, **params, out=np.ones_like(x))
            assert_same_bits(into, expected, str(params), nan_bits=True)


@pytest.mark.parametrize("number", [1e300, np.float64(1e300), 10**30, 10**300], ids=repr)
def test_a_large_number_means_the_same_on_every_path(operator, dtype, number, assert_same_bits):
    """In float32 it may be infinite."""
    x = values(dtype, 100)
    params = {n: number if d.good[-1] == INF else 0.3 for n, d in operator.params.items()}
    expected = operator.expected(x, **{name: float(value) for name, value in params.items()})
    assert_same_bits(function_of(operator)(x, **params), expected, "direct")
    assert_same_bits(function_of(operator)(x[::2], **params), expected[::2], "strided")
    assert_same_bits(function_of(operator)(x, **params, where=True), expected, "where")


def test_scalars_of_any_type_never_change_the_type_of_the_result(operator, dtype, layout):
    x = layout(np.ones((3, 4), dtype))
    kinds = [float, np.float16, np.float32, np.float64, ml_dtypes.bfloat16, np.longdouble]
    kinds += [int, bool, np.int8, np.int64, np.uint64, np.bool_]
    for kind in (*kinds, *[lambda v, k=k: np.array(v, k) for k in kinds]):
        params = {name: kind(value) for name, value in operator.whole_params.items()}
        if any(params[name] != value for name, value in operator.whole_params.items()):
            continue  # two is not a bool
        result = function_of(operator)(x, **params)
        assert result.dtype == dtype
        assert result.shape == x.shape


def test_arrays_of_parameters_promote_as_in_numpy(operator):
    x = {name: np.ones(3, dtype) for name, dtype in DTYPES.items()}
    for name, narrow, result in (
        ("float16", "float16", "float16"),
        ("float16", "float32", "float16"),  # in which the formula is computed
        ("bfloat16", "bfloat16", "bfloat16"),
        ("bfloat16", "float32", "bfloat16"),
        ("float32", "float16", "float32"),
        ("float32", "float64", "float64"),
        ("float16", "float64", "float64"),
        ("float64", "float32", "float64"),
    ):
        params = {name: operator.spread(name, 3, DTYPES[narrow]) for name in operator.params}
        result = result if params else name
        assert function_of(operator)(x[name], **params).dtype == DTYPES[result], (name, narrow)


def test_integers_promote_when_allocating_and_raise_in_place(operator, assert_same_bits):
    for kind in (bool, np.int8, np.uint16, np.int32, np.int64):
        x = np.array([0, 1, 1], kind)
        result = function_of(operator)(x, **operator.sample_params)
        assert result.dtype == np.add(x, 0.5).dtype
        assert_same_bits(
            result, operator.expected(x.astype(result.dtype), **operator.sample_params)
        )
        before = x.copy()
        with pytest.raises(TypeError, match=r"[Cc]annot cast ufunc"):
            function_of(operator)(x, **operator.sample_params, out=x)
        assert_same_bits(x.view(f"u{x.itemsize}"), before.view(f"u{x.itemsize}"))


def test_numbers_zero_dimensions_and_lists_are_taken(operator, dtype, assert_same_bits):
    params = operator.sample_params
    expected = operator.expected(np.array([-2.0, 0.5]), **params)
    for x in ([-2.0, 0.5], (-2, 0.5), np.array([[-2.0, 0.5]])[0]):
        assert_same_bits(function_of(operator)(x, **params), expected)
    number = function_of(operator)(-2.0, **params)
    assert isinstance(number, np.float64)
    assert number == expected[0]
    scalar = operator.expected(np.array(-2, dtype), **params)
    for x in (dtype.type(-2), np.array(-2, dtype)):
        result = function_of(operator)(x, **params)
        assert isinstance(result, dtype.type)
        assert_same_bits(result, scalar)
    out = np.zeros((), dtype)
    assert function_of(operator)(np.array(-2, dtype), **params, out=out) is out
    assert_same_bits(out, scalar)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 3)])
def test_empty_arrays_stay_empty(operator, dtype, shape):
    x = np.ones(shape, dtype)
    result = function_of(operator)(x, **operator.sample_params)
    assert (result.shape, result.dtype) == (shape, dtype)
    assert function_of(operator)(x, **operator.sample_params, out=x) is x
    nothing = dict.fromkeys(operator.params, np.zeros(shape))
    assert function_of(operator)(np.ones(shape), **nothing).shape == shape


def test_where_chooses_what_is_written(operator, dtype, assert_same_bits):
    x = values(dtype, 5000)
    where = np.arange(5000) % 3 == 0
    out = np.full(5000, 7, dtype)
    function_of(operator)(x, **operator.sample_params, out=out, where=where)
    expected = np.where(where, operator.expected(x, **operator.sample_params), dtype.type(7))
    assert_same_bits(out, expected)


@pytest.mark.parametrize("x", [np.ones((2, 3)), np.float32(1), [1.0, 2.0]], ids=type)
def test_where_without_out_warns_as_numpy_does(operator, x):
    where = np.ones(np.shape(x), bool)
    with pytest.warns(UserWarning, match=rf"^{operator.name}: where without out ") as caught:
        function_of(operator)(x, **operator.sample_params, where=where)
    assert [w.filename for w in caught] == [__file__]
    function_of(operator)(x, **operator.sample_params, where=True)
    out = np.zeros(np.shape(x))
    function_of(operator)(x, **operator.sample_params, where=where, out=out)


def test_dtype_chooses_the_type_that_computes(operator, dtype, assert_same_bits):
    for other in DTYPES.values():
        x = values(other, 100, finite=True)
        wanted = x.astype(dtype)
        if not np.can_cast(other, dtype, "same_kind"):
            continue
        result = function_of(operator)(x, **operator.sample_params, dtype=dtype)
        assert_same_bits(result, operator.expected(wanted, **operator.sample_params), str(other))


def test_casting_and_order_and_subok_are_handed_on(operator):
    x = np.asfortranarray(np.ones((3, 4)))
    params = operator.sample_params
    assert function_of(operator)(x, **params, order="C").flags.c_contiguous
    assert function_of(operator)(x, **params).flags.f_contiguous
    out = np.zeros((3, 4), np.float32)
    with pytest.raises(TypeError, match="casting"):
        function_of(operator)(x, **params, out=out, casting="safe")
    function_of(operator)(x, **params, out=np.zeros((3, 4), int), casting="unsafe")
    with pytest.raises(TypeError):
        function_of(operator)(x, **params, nonsense=1)

    class Weights(np.ndarray):
        pass

    assert type(function_of(operator)(x.view(Weights), **params)) is Weights
    assert type(function_of(operator)(x.view(Weights), **params, subok=False)) is np.ndarray
    own = x.view(Weights)
    assert function_of(operator)(own, **params, out=own) is own


def test_out_may_be_a_tuple_broadcast_the_input_or_have_another_type(operator, assert_same_bits):
    x = values(DTYPES["float32"], 500)
    params = operator.sample_params
    expected = operator.expected(x, **params)
    out = np.zeros_like(x)
    assert function_of(operator)(x, **params, out=(out,)) is out
    assert_same_bits(out, expected)
    rows = np.zeros((3, 500), np.float32)
    function_of(operator)(x, **params, out=rows)
    assert_same_bits(rows, np.broadcast_to(expected, rows.shape))
    wide = np.zeros(500)
    function_of(operator)(x, **params, out=wide)
    assert_same_bits(wide, expected.astype(np.float64))
    narrow = np.zeros(500, np.float32)
    function_of(operator)(x.astype(np.float64), **params, out=narrow)
    assert_same_bits(narrow, operator.expected(x.astype(np.float64), **params).astype(np.float32))


def test_the_input_is_broadcast_against_parameters(operator):
    x = np.ones((5, 1), np.float32)
    params = operator.sample_params
    for name in params:
        result = function_of(operator)(x, **(params | {name: operator.spread(name, 7)}))
        assert result.shape == (5, 7)
        with pytest.raises(ValueError, match="broadcast"):
            function_of(operator)(np.ones(3), **(params | {name: operator.spread(name, 4)}))


def test_mapped_and_read_only_and_byte_swapped_arrays_are_taken(
    operator, tmp_path, assert_same_bits
):
    x = values(DTYPES["float32"], 70_000)
    expected = operator.expected(x, **operator.sample_params)
    mapped = np.memmap(tmp_path / "weights", np.float32, "w+", shape=x.shape)
    mapped[:] = x
    assert function_of(operator)(mapped, **operator.sample_params, out=mapped) is mapped
    assert_same_bits(np.asarray(mapped), expected)
    read_only = x.copy()
    read_only.flags.writeable = False
    assert_same_bits(function_of(operator)(read_only, **operator.sample_params), expected)
    swapped = x.astype(">f4")
    assert_same_bits(function_of(operator)(swapped, **operator.sample_params), expected)
    function_of(operator)(swapped, **operator.sample_params, out=swapped)
    assert_same_bits(swapped.astype(np.float32), expected)


def test_a_broadcast_input_is_taken(operator, dtype, assert_same_bits):
    x = np.broadcast_to(values(dtype, 7)[:, np.newaxis], (7, 1000))
    expected = operator.expected(x, **operator.sample_params)
    assert_same_bits(function_of(operator)(x, **operator.sample_params), expected)


class Lazy:
    """Records what it is asked to compute."""

    def __array_ufunc__(self, ufunc, method, *inputs, **keywords):
        return ufunc, method, inputs, keywords


def test_foreign_arrays_take_over_by_array_ufunc(operator):
    lazy, params = Lazy(), operator.sample_params
    ufunc, method, inputs, keywords = function_of(operator)(lazy, **params)
    assert (ufunc.__name__, method) == (operator.name, "__call__")
    assert inputs == (lazy, *params.values())
    assert keywords.get("out") is None
    for name in params:  # as a parameter, and as the result
        assert function_of(operator)([1.0], **(params | {name: lazy}))[0] is ufunc
    assert function_of(operator)(np.ones(3), **params, out=lazy)[3]["out"] == (lazy,)
    for name in operator.checked:
        with pytest.raises(ValueError, match=operator.name):
            function_of(operator)(lazy, **(params | {name: operator.params[name].bad[0]}))


@pytest.mark.parametrize("name", _core.ufuncs)
@pytest.mark.parametrize("attributes", [True, False])
def test_ufuncs_are_pickled_and_copied_by_name(name, attributes, monkeypatch):
    ufunc = _core.ufuncs[name]
    if not attributes:  # as those of older NumPy
        monkeypatch.delattr(ufunc, "__module__", raising=False)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        data = pickle.dumps(ufunc, protocol)
        assert b"bridle._ufuncs" in data
        assert pickle.loads(data) is ufunc
    assert copy.copy(ufunc) is copy.deepcopy(ufunc) is ufunc


def test_a_process_that_has_not_imported_bridle_can_load_them():
    data = pickle.dumps(list(_core.ufuncs.values()))
    code = f"import pickle; print(*[u.__name__ for u in pickle.loads({data!r})])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == list(_core.ufuncs)


def test_expressions_of_dask_are_equal_and_go_to_other_processes():
    da = pytest.importorskip("dask.array")
    x = np.linspace(-1, 1, 1000).reshape(10, 100)
    lazy, again = (br.soft_threshold(da.from_array(x, chunks=50), 0.1) for _ in range(2))
    assert lazy.name == again.name
    penalty = _core.ufuncs["l1_penalty"]
    slices = da.apply_gufunc(penalty, "(n),()->()", da.rechunk(lazy, (5, -1)), 2.0)
    result = slices.compute(scheduler="processes", num_workers=1)
    expected = br.l1_penalty(br.soft_threshold(x, 0.1), 2.0, axis=1)
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 3), (0, 0)])
def test_loops_of_penalties_take_no_elements_and_no_slices(penalty, dtype, shape):
    w, strengths = np.ones(shape, dtype), [0.5] * len(penalty.params)
    if beside := penalty.name in _core.penalties_beside:
        strengths[0] = np.ones(shape)
    for axis in range(-len(shape), len(shape)):
        result = _core.ufuncs[penalty.name](w, *strengths, axis=axis)
        assert result.dtype == np.float64
        np.testing.assert_array_equal(result, np.zeros(np.delete(shape, axis)))
    nothing = [
        np.ones((2, 0, 3)) if beside and k == 0 else np.ones((2, 0)) for k in range(len(strengths))
    ]
    assert _core.ufuncs[penalty.name](np.ones(3, dtype), *nothing).shape == (2, 0)
    with pytest.raises(ValueError, match=f"^{penalty.name}: .* not have enough dimensions"):
        _core.ufuncs[penalty.name](dtype.type(3), *strengths)


def test_penalties_of_many_slices_need_little_stack():
    code = """if True:
        import threading, numpy as np, bridle as br
        w = np.ones((20000, 3))
        call = lambda: print(br.l1_penalty(w, axis=1).sum())
        br.set_num_threads(1)
        threading.stack_size(128 * 1024)
        threading.Thread(target=call).start()
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "60000.0\n"


def test_every_parameter_may_be_given_by_position_or_by_name(operator, assert_same_bits):
    x, params = np.array([-2.0, 0.5]), operator.sample_params
    first = next(iter(inspect.signature(function_of(operator)).parameters))
    expected = function_of(operator)(x, **params)
    assert_same_bits(function_of(operator)(x, *params.values()), expected)
    assert_same_bits(function_of(operator)(**{first: x}, **params), expected)
    out = np.zeros(2)
    assert function_of(operator)(x, *params.values(), out) is out
    assert_same_bits(out, expected)
