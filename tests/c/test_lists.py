"""Updates of lists of arrays of any types, norms, sums, averages and conversions, in C.

They give the bits of Python, and refuse in its words what it refuses.
"""

import ctypes
from itertools import product
from operator import setitem

import numpy as np
import pytest

import bridle as br

from ..cases import DTYPES, NAN
from ..conftest import by_name
from ..updates.calls import call, parts
from ..updates.data import is_half, operands
from ..updates.oracle import UPDATES
from .arrays import Array, Call, Norm, RandomBits, Step, c_arrays, function, last_error, random_bits
from .updates import STATES, Summary

FLOAT16, BFLOAT16, FLOAT32, FLOAT64 = (DTYPES[name] for name in DTYPES)
RANDOM = {"rounding": "stochastic", "seed": 2**40 + 3, "stream": 9, "offset": 2**33 + 5}
FORMS = {"l1": 0.02, "l2": 0.3}
PENALIZED = {"prox_step": "scalar", "decay": "full", "grad_scale": 0.5, "weight_decay": 0.1}


@pytest.fixture(**by_name(UPDATES))
def row(request):
    return request.param


def types_of(row):
    """Return every combination of types: of weights, gradient, state, copy, and the rounding."""
    for w, gradient in product(DTYPES.values(), DTYPES.values()):
        for state, copy, random in product(DTYPES.values(), [None, *DTYPES.values()], [{}, RANDOM]):
            yield w, gradient, state, copy, random


def is_allowed(row, w, gradient, state, copy, random):
    if not row.has_gradient and gradient != w:
        return False  # there is none
    if not row.states and state != FLOAT32:
        return False  # nor state
    if not row.regularized and (copy is not None or random):
        return False
    halves = [w, copy or FLOAT32, *([state] if row.states else [])]
    if random and not any(is_half(dtype) for dtype in halves):
        return False
    wide = state == FLOAT64 if w == FLOAT64 else state in (FLOAT32, BFLOAT16)
    wide = wide or not row.states
    fits = w == FLOAT64 or gradient != FLOAT64
    copied = copy is None or (w == FLOAT32 and copy != FLOAT64)
    return wide and fits and copied and (bool(random) or not is_half(state))


def arrays_of(row, w, gradient, state, copy, shape=300):
    given = parts(row, operands(row, FLOAT64, shape))
    given.pop("toward", None)
    types = {"w": w, "gradient": gradient}
    arrays = {name: array.astype(types.get(name, state)) for name, array in given.items()}
    if copy is not None:
        arrays["copy_out"] = np.zeros(arrays["w"].shape, copy)
    return arrays


def copies(arrays):
    return {
        name: given.copy() if isinstance(given, np.ndarray) else [array.copy() for array in given]
        for name, given in arrays.items()
    }


def each(arrays):
    return [a for given in arrays.values() for a in ([given] if hasattr(given, "dtype") else given)]


def check(row, arrays, assert_same_bits, **keywords):
    """Compare one call with that of Python, which starts from copies of the arrays."""
    expected = copies(arrays)
    wanted = call(row, expected, **keywords)
    step = Call(row, arrays, **keywords)
    assert step() == 0, last_error()
    for array, other in zip(each(arrays), each(expected), strict=True):
        assert_same_bits(array, other, f"{keywords}")
    assert step.summary.numbers == wanted


def test_every_combination_of_types_gives_the_bits_of_python(row, assert_same_bits):
    options = FORMS | (PENALIZED if row.regularized else {})
    allowed = [types for types in types_of(row) if is_allowed(row, *types)]
    assert len(allowed) >= 4
    for *types, random in allowed:
        check(row, arrays_of(row, *types), assert_same_bits, **options, **random)


@pytest.mark.parametrize("count", [1, 2])
def test_threads_and_instruction_sets_change_no_bit(
    count, instruction_set, set_threads, assert_same_bits
):
    set_threads(count)
    row = UPDATES["adamw"]
    for w, copy in [(FLOAT32, BFLOAT16), (FLOAT16, None), (FLOAT32, None)]:
        arrays = arrays_of(row, w, BFLOAT16, BFLOAT16, copy, 70_001)
        check(row, arrays, assert_same_bits, **FORMS, **RANDOM)


def model(row):
    """Return lists of arrays of several types, sizes and layouts."""
    types = [
        (FLOAT32, BFLOAT16, FLOAT32, (40, 70)),
        (FLOAT64, FLOAT64, FLOAT64, (33,)),
        (BFLOAT16, BFLOAT16, FLOAT32, (5, 9)),
        (FLOAT32, BFLOAT16, FLOAT32, (0,)),
        (FLOAT32, FLOAT32, FLOAT32, (20_001,)),
    ]
    arrays = [arrays_of(row, *of, None, shape) for *of, shape in types]
    for position in (0, 2):
        wide = {
            name: np.zeros((x.shape[0], x.shape[1] + 3), x.dtype)
            for name, x in arrays[position].items()
        }
        for name, x in arrays[position].items():
            wide[name][:, 1:-2] = x
        arrays[position] = {name: x[:, 1:-2] for name, x in wide.items()}
    return {name: [of[name] for of in arrays] for name in arrays[0]}


def test_lists_of_rows_and_types_have_numbers_for_each_array(row, threads, assert_same_bits):
    numbers = {"l1": [0.02, 0.0, 0.1, 0.0, 0.3], "l2": [0.1, 0.0, 0.0, 0.2, 0.3]}
    numbers["lr"] = [0.05, 0.1, 0.01, 0.2, 0.3]
    if row.regularized:
        numbers |= {"weight_decay": [0.1, 0.0, 0.2, 0.3, 0.0]} | RANDOM
    if row.function == "proximal_step":
        numbers["step"] = numbers.pop("lr")
    arrays = model(row)
    expected = copies(arrays)
    wanted = call(row, expected, **numbers)
    numbers["lr"] = numbers.pop("step", numbers.get("lr"))
    step = Call(row, arrays, **numbers)
    assert step() == 0, last_error()
    for array, other in zip(each(arrays), each(expected), strict=True):
        assert_same_bits(array, other)
    assert step.summary.numbers == wanted


REGULARIZERS = [
    br.MCP(0.1, 3.0),
    br.L1(0.2),
    br.NonNegative(),
    None,
    br.Box(-0.5, 0.5),
]


def test_a_regularizer_follows_in_the_same_pass(row, assert_same_bits):
    if row.function == "ftrl_update":
        return
    check(row, model(row), assert_same_bits, regularizer=REGULARIZERS)
    arrays = arrays_of(row, FLOAT32, FLOAT32, FLOAT32, None)
    check(row, arrays, assert_same_bits, regularizer=br.LogSum(0.1, 0.3), l1=0.1)


def refused(row, arrays, change=lambda step: None, **keywords):
    """Check that C refuses what Python refuses, with the same message, and writes nothing."""
    step = Call(row, arrays, **keywords)
    change(step)
    before = [array.tobytes() for array in each(arrays)]
    assert step() == 1
    said = last_error()
    assert [array.tobytes() for array in each(arrays)] == before
    assert step.summary.numbers == Summary().numbers
    return said


def test_every_other_combination_of_types_is_refused_in_the_words_of_python(row):
    if not row.regularized:
        return
    for *types, random in types_of(row):
        if is_allowed(row, *types, random) or not (row.states or types[2] == FLOAT32):
            continue
        arrays = arrays_of(row, *types, 7)
        with pytest.raises((TypeError, ValueError), match="must") as error:
            call(row, copies(arrays), **random)
        assert refused(row, arrays, **random) == str(error.value)


def numbers_that_are_wrong(row):
    yield {"l1": -0.5}
    yield {"l1": [0.1, -0.5]}
    yield {"l2": NAN}
    if row.function == "proximal_step":
        yield {"weight_decay": 50.0}
        return
    yield {"lr": -1.0}
    yield {"lr": [0.1, NAN]}
    yield {"grad_scale": NAN}
    for name in ("epsilon", "momentum", "beta"):
        if name in row.options:
            yield {name: -0.5}
    if row.counts:
        yield {"iteration": 0}
        yield {"betas": (1.0, 0.5)}
        yield {"betas": (0.5, NAN)}
    if row.regularized:
        yield {"weight_decay": -1.0}
        yield {"weight_decay": [0.5, 50.0]}
        yield {"weight_decay": 1.5, "decay": "full"}


def test_a_number_that_is_wrong_is_refused_in_the_words_of_python(row):
    one = arrays_of(row, FLOAT32, FLOAT32, FLOAT32, None, 7)
    two = {name: [x, x.copy()] for name, x in one.items()}
    for wrong in numbers_that_are_wrong(row):
        arrays = two if any(isinstance(number, list) for number in wrong.values()) else one
        with pytest.raises(ValueError, match="must") as error:
            call(row, copies(arrays), **wrong)
        assert refused(row, arrays, **wrong) == str(error.value), wrong


def test_arrays_that_do_not_fit_are_refused_in_the_words_of_python(row):
    def arrays():
        return arrays_of(row, FLOAT32, FLOAT32, FLOAT32, None, (6, 5))

    wrong = []
    for name in list(arrays())[1:]:
        wrong.append(arrays() | {name: np.zeros((6, 4), np.float32)})
        wrong.append(arrays() | {name: np.zeros(7, np.float32)})
        given = arrays()
        wrong.append(given | {name: given["w"]})
    if row.regularized:
        wrong.append(arrays() | {"copy_out": np.zeros((5, 6), np.float32)})
        given = arrays()
        wrong.append(given | {"copy_out": given["gradient"]})
    for given in wrong:
        several = {name: [array.copy(), array] for name, array in given.items()}
        for some in (given, several):
            with pytest.raises(ValueError, match="must") as error:
                call(row, some)
            assert refused(row, some) == str(error.value)


def test_rows_between_each_other_are_apart():
    memory = np.ones((8, 10), np.float32)
    arrays = {"w": memory[:, :3], "gradient": memory[:, 3:6], "momentum_buffer": memory[:, 6:9]}
    assert Call(UPDATES["heavy_ball"], arrays)() == 0
    assert (memory[:, 9] == 1).all()


def some_rows(rng, memory, shape, least):
    """Place rows of any type in memory, at least so many elements apart."""
    begin = memory.view(rng.choice([np.float16, np.float32, np.float64]))[int(rng.integers(24)) :]
    strides = int(rng.integers(least, 12)) * begin.itemsize, begin.itemsize
    return np.lib.stride_tricks.as_strided(begin, shape, strides)


def test_rows_meet_where_numpy_says_that_they_do():
    cast = function("cast", *[ctypes.c_void_p] * 2, ctypes.c_int64, ctypes.c_void_p)
    rng, memory, met = np.random.default_rng(1), np.zeros(256), []
    for _ in range(2000):
        shape = tuple(rng.integers(1, 6, 2))
        x, out = (some_rows(rng, memory, shape, least) for least in (0, shape[1]))
        met.append(np.shares_memory(x, out))
        assert cast(c_arrays(x), c_arrays(out), 1, None) == met[-1]
        assert not met[-1] or "must share no memory with x" in last_error()
    assert 200 < sum(met) < 1800


def test_an_array_that_is_written_lies_apart_from_itself():
    overlapping = np.lib.stride_tricks.as_strided(np.ones(60, np.float32), (8, 3), (4 * 2, 4))
    given = {name: np.ones((8, 3), np.float32) for name in ("gradient", "momentum_buffer")}
    said = refused(UPDATES["heavy_ball"], {"w": overlapping} | given)
    assert said == "sgd_update: w must have elements that share no memory, got some that do"


def test_what_c_alone_can_get_wrong_is_refused(row):
    arrays = arrays_of(row, FLOAT32, FLOAT32, FLOAT32, None, 7)
    name = row.function
    for field, value, message in (
        ("rows", -1, "w must have rows, length and stride >= 0, below 2^57 elements in all"),
        ("stride", 2**62, None),
        (
            "dtype",
            7,
            "w must be of type float16, bfloat16, float32 or float64, got type 7 of shape",
        ),
        ("data", None, "w must be an array, got null"),
    ):

        def change(step, field=field, value=value):
            if field == "stride":
                step.lists["w"][0].rows = 7
                step.lists["w"][0].length = 1
            setattr(step.lists["w"][0], field, value)

        assert refused(row, arrays, change).startswith(f"{name}: {message or 'w must have rows'}")
    for field in ("w", "numbers", "name"):
        refused(row, arrays, lambda step, field=field: setattr(step.step, field, None))
        assert f"{field} must be given, got null" in last_error()
    said = refused(row, arrays, lambda step: setattr(step.step, "name", b"adam"))
    assert said == "update: name must be that of an update, got adam"
    for bad in (0, 4, 143, 145, 152):
        said = refused(row, arrays, lambda step, bad=bad: setattr(step.step, "size", bad))
        assert said == "update: update must be an aligned structure of a size that it had once"
    refused(row, arrays, lambda step: setattr(step.step, "count", -1))
    for position, state in enumerate(STATES[name]):
        if state in arrays and state != "gradient_average":
            said = refused(
                row, arrays, lambda step, at=position: setitem(step.step.state, at, None)
            )
            assert said.startswith(f"{name}: {state} must be given")


def test_what_an_update_does_not_take_is_refused():
    for row in (UPDATES["proximal_step"], UPDATES["ftrl"]):
        arrays = arrays_of(row, FLOAT32, FLOAT32, FLOAT32, BFLOAT16, 7)
        assert refused(row, arrays) == f"{row.function}: copy_out must not be given"
        del arrays["copy_out"]
        assert refused(row, arrays, **RANDOM) == f"{row.function}: rounding must not be given"
    said = refused(UPDATES["ftrl"], arrays, regularizer=br.L1(0.1))
    assert said == "ftrl_update: regularizer must not be given"


def test_a_regularizer_that_is_none_is_refused():
    row = UPDATES["sgd"]
    arrays = arrays_of(row, FLOAT32, FLOAT32, FLOAT32, None, 7)

    def change(**fields):
        def apply(step):
            for name, value in fields.items():
                setattr(step.kept[1][0], name, value)

        return apply

    given = {"regularizer": br.MCP(0.1, 3.0)}
    said = refused(row, arrays, change(prox=b"prox_l3"), **given)
    assert said == "sgd_update: regularizer must name an elementwise operator, got prox_l3"
    said = refused(row, arrays, change(penalty=b"l3"), **given)
    assert said == "sgd_update: regularizer must name a penalty, got l3"
    refused(row, arrays, change(prox_parameters=(ctypes.c_double * 3)(-1.0, 3.0)), **given)
    assert last_error() == "prox_mcp: strength must be >= 0, got -1.0"
    refused(row, arrays, change(penalty_parameters=None), **given)
    assert last_error() == "mcp_penalty: parameters must be given, got null"


def test_the_index_of_the_last_random_bit_is_below_2_to_the_64():
    row = UPDATES["adamw"]
    arrays = arrays_of(row, BFLOAT16, BFLOAT16, FLOAT32, None, 7)
    random = RANDOM | {"offset": 2**64 - 7}
    with pytest.raises(ValueError, match="offset") as error:
        call(row, copies(arrays), **random)
    assert refused(row, arrays, **random) == str(error.value)
    assert Call(row, arrays, **RANDOM | {"offset": 2**64 - 8})() == 0


LISTS = [[(40, 70), (5, 9)], [(70_001,)], [(3,), (0,), (2, 2)], []]


def some_arrays(shapes, dtypes, seed=1):
    rng = np.random.default_rng(seed)
    arrays = []
    for shape, dtype in zip(shapes, dtypes, strict=False):
        wide = rng.normal(size=(*shape[:-1], shape[-1] + 2)).astype(dtype)
        arrays.append(wide[..., :-2] if len(shape) == 2 else wide[: shape[0]])
    return arrays


@pytest.mark.parametrize("shapes", LISTS, ids=repr)
def test_a_norm_has_the_bits_of_python(shapes, threads):
    types = (ctypes.c_void_p, ctypes.c_int64, ctypes.c_double, ctypes.c_void_p)
    global_norm = function("global_norm", *types)
    for first in range(4):
        dtypes = [*DTYPES.values(), *DTYPES.values()][first:]
        arrays, norm = some_arrays(shapes, dtypes), Norm()
        given = c_arrays(arrays)
        assert global_norm(given, len(arrays), -0.25, ctypes.byref(norm)) == 0, last_error()
        assert norm.numbers == br.global_norm(arrays, scale=-0.25)


def test_clipping_is_that_of_python(assert_same_bits):
    number = ctypes.c_double
    clip_scale = function("clip_scale", ctypes.c_void_p, number, ctypes.c_void_p)
    clip = function("clip_by_global_norm", ctypes.c_void_p, ctypes.c_int64, number, ctypes.c_void_p)
    arrays = some_arrays(LISTS[0], [BFLOAT16, FLOAT64])
    expected, norm, scale = br.global_norm(arrays), Norm(), number(-7.0)
    for most in (1.0, 0.0, 1e9):
        others = [array.copy() for array in arrays]
        assert clip(c_arrays(arrays), 2, most, ctypes.byref(norm)) == 0
        assert norm.numbers == br.clip_by_global_norm(others, most)
        assert clip_scale(ctypes.byref(norm), most, ctypes.byref(scale)) == 0
        assert scale.value == br.GlobalNorm(*norm.numbers).clip_scale(most)
        for array, other in zip(arrays, others, strict=True):
            assert_same_bits(array, other)
    assert expected.l2 > 1
    arrays[1][0, 0] = np.inf
    before = arrays[0].tobytes()
    assert clip(c_arrays(arrays), 2, 1.0, None) == 1
    assert last_error() == "clip_by_global_norm: the norm must be finite, got inf"
    assert arrays[0].tobytes() == before
    norm.l2, scale.value = np.nan, -7.0
    assert clip_scale(ctypes.byref(norm), 1.0, ctypes.byref(scale)) == 1
    assert (last_error(), scale.value) == ("clip_scale: the norm must be finite, got nan", -7.0)
    assert clip_scale(ctypes.byref(norm), -1.0, ctypes.byref(scale)) == 1
    assert last_error() == "clip_scale: max_norm must be >= 0, got -1.0"


PAIRS = list(product(DTYPES.values(), DTYPES.values()))
COMBINATIONS = {"accumulate": br.accumulate, "average_update": br.average_update}


@pytest.mark.parametrize("name", COMBINATIONS)
@pytest.mark.parametrize("shapes", LISTS, ids=repr)
def test_sums_and_averages_have_the_bits_of_python(name, shapes, threads, assert_same_bits):
    types = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_double)
    c_function, python = function(name, *types), COMBINATIONS[name]
    keyword = "scale" if name == "accumulate" else "decay"
    for to, other in PAIRS:
        targets, sources = (some_arrays(shapes, [of] * 3, s) for s, of in enumerate((to, other)))
        expected = [array.copy() for array in targets]
        given = c_arrays(targets), c_arrays(sources), len(targets)
        try:
            python(expected, sources, **{keyword: 0.3})
        except TypeError as error:
            assert c_function(*given, 0.3) == 1
            message = str(error).replace("[0]", "") if len(targets) == 1 else str(error)
            assert last_error() == message
        else:
            assert c_function(*given, 0.3) == 0, last_error()
        for array, wanted in zip(targets, expected, strict=True):
            assert_same_bits(array, wanted)


@pytest.mark.parametrize("shapes", LISTS, ids=repr)
@pytest.mark.parametrize("random", [{}, RANDOM], ids=["nearest", "stochastic"])
def test_a_cast_has_the_bits_of_python(shapes, random, threads, assert_same_bits):
    types = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p)
    cast = function("cast", *types)
    for of, to in PAIRS:
        x = some_arrays(shapes, [of] * 3)
        out, bits = some_arrays(shapes, [to] * 3, 2), random_bits(random)
        expected = [array.copy() for array in out]
        given = c_arrays(x), c_arrays(out), len(x), ctypes.byref(bits) if bits else None
        try:
            br.cast(x, expected, **random)
        except TypeError as error:
            assert cast(*given) == 1
            message = str(error).replace("[0]", "") if len(x) == 1 else str(error)
            assert last_error() == message
        else:
            assert cast(*given) == 0, last_error()
        for array, wanted in zip(out, expected, strict=True):
            assert_same_bits(array, wanted)


def test_bad_numbers_and_lists_are_refused():
    x, out, norm = np.ones(7, np.float32), np.full(7, 9.0, np.float32), Norm()
    a, b = c_arrays(x), c_arrays(out)
    two = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
    measure = (ctypes.c_void_p, ctypes.c_int64, ctypes.c_double, ctypes.c_void_p)
    calls = [
        ("global_norm", measure, (a, 1, NAN, ctypes.byref(norm)), "scale must not be NaN, got nan"),
        ("global_norm", measure, (a, 1, 1.0, None), "norm must be given, got null"),
        (
            "global_norm",
            measure,
            (None, 1, 1.0, ctypes.byref(norm)),
            "arrays must be given, got null",
        ),
        ("global_norm", measure, (a, -1, 1.0, ctypes.byref(norm)), "count must be >= 0, got -1"),
        ("clip_by_global_norm", measure, (b, 1, -1.0, None), "max_norm must be >= 0, got -1.0"),
        ("accumulate", (*two, ctypes.c_double), (b, a, 1, NAN), "scale must not be NaN, got nan"),
        (
            "accumulate",
            (*two, ctypes.c_double),
            (b, None, 1, 1.0),
            "gradient must be given, got null",
        ),
        (
            "average_update",
            (*two, ctypes.c_double),
            (b, a, 1, 1.5),
            "decay must be >= 0 and <= 1, got 1.5",
        ),
        (
            "cast",
            (*two, ctypes.c_void_p),
            (b, b, 1, None),
            "out must share no memory with x, got arrays that overlap",
        ),
        (
            "cast",
            (*two, ctypes.c_void_p),
            (c_arrays(x.astype(BFLOAT16)), c_arrays(out[:6]), 1, None),
            "out must have the shape of x, got float32 of shape (6,)",
        ),
    ]
    for name, types, given, message in calls:
        assert function(name, *types)(*given) == 1, message
        assert last_error() == f"{name}: {message}"
    assert (out == 9).all()
    assert norm.numbers == Norm().numbers
    half, bits = c_arrays(x.astype(BFLOAT16)), RandomBits(1, 2, 2**64 - 7)
    assert function("cast", *two, ctypes.c_void_p)(a, half, 1, ctypes.byref(bits)) == 1
    assert last_error() == f"cast: offset must be >= 0 and < {2**64 - 7}, got {2**64 - 7}"


def test_the_structures_are_those_of_the_header():
    assert (ctypes.sizeof(Array), ctypes.sizeof(Step), ctypes.sizeof(Norm)) == (40, 144, 24)
