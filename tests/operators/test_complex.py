"""Complex numbers: those elementwise functions that take them shorten the modulus."""

import numpy as np
import pytest

import bridle as br
from bridle import _core

from ..cases import ELEMENTWISE, INF, NAN, THREADED_SIZES

TYPES = {"complex64": np.dtype(np.complex64), "complex128": np.dtype(np.complex128)}
EXACT = {"complex64": 0.52, "complex128": 4.0}  # units in the last place


@pytest.fixture(params=TYPES)
def dtype(request):
    return TYPES[request.param]


def test_the_rows_say_which_operators_take_complex_numbers():
    assert [name for name, row in ELEMENTWISE.items() if row.takes_complex] == ["soft_threshold"]
    for name, row in ELEMENTWISE.items():
        assert any("F" in types for types in _core.ufuncs[name].types) == row.takes_complex


def real(dtype):
    return dtype.type(0).real.dtype


def waves(dtype, size):
    """Return numbers of every direction, around 1 and over all exponents, and the edges."""
    rng, part = np.random.default_rng(5), real(dtype)
    info = np.finfo(part)
    angle = np.exp(2j * np.pi * rng.random(997))
    exponents = rng.integers(info.minexp - 20, info.maxexp - 2, 997)
    sizes = np.where(rng.random(997) < 0.5, 2 * rng.random(997), 2.0**exponents)
    edges = [0.0, -0.0, info.smallest_subnormal, info.tiny, 0.3, -0.3, 1.0, -info.max, INF, -INF]
    edges += [NAN, 3.0, -4.0]
    grid = np.array([complex(a, b) for a in edges for b in edges])
    with np.errstate(over="ignore"):
        pool = (angle * sizes).astype(dtype)
        pool[: grid.size] = grid.astype(dtype)
    return np.resize(pool, size)


def exactly(x, threshold):
    """Return x·max(1 - threshold/|x|, 0) by long doubles, part by part."""
    wide = x.astype(np.clongdouble)
    a, b, t = wide.real, wide.imag, np.asarray(threshold).astype(np.longdouble)
    with np.errstate(all="ignore"):
        modulus = np.hypot(a, b)
        squares = np.where(np.isinf(modulus), INF, (modulus - t) / modulus)
        factor = np.where(t < modulus, squares, 0)
        factor = np.where(np.isinf(modulus), np.where(np.isinf(t), NAN, 1), factor)
        lost = np.isnan(a) | np.isnan(b)
        return [np.where(lost, NAN, part * factor) for part in (a, b)]


@pytest.mark.parametrize("threshold", [0.0, 5e-324, 1e-40, 0.3, 1.0, 1e30, INF])
def test_each_part_is_within_the_stated_units(dtype, threshold, instruction_set):
    x = waves(dtype, 997)
    t = real(dtype).type(threshold)
    given = br.soft_threshold(x, t)
    assert given.dtype == dtype
    modulus = np.abs(x.astype(np.clongdouble))
    with np.errstate(invalid="ignore"):
        near = np.abs(modulus - t) < 2.0**-6 * modulus  # where long doubles have too few digits
    for actual, exact in zip((given.real, given.imag), exactly(x, t), strict=True):
        with np.errstate(over="ignore", invalid="ignore"):
            unit = np.spacing(np.abs(exact).astype(real(dtype)))
            close = np.abs(actual - exact) <= EXACT[dtype.name] * unit
        close |= (actual == exact) | (np.isnan(actual) & np.isnan(exact)) | (near & (t > 0))
        assert close.all(), [x[~close][:3], given[~close][:3]]
        assert not np.signbit(actual[actual == 0]).any()


def test_next_to_the_threshold_the_difference_keeps_its_digits(dtype):
    mpmath = pytest.importorskip("mpmath")
    part, rng = real(dtype), np.random.default_rng(8)
    with mpmath.workprec(400):
        for _ in range(300):
            x = dtype.type(complex(*rng.normal(size=2)))
            a, b = (mpmath.mpf(float(n)) for n in (x.real, x.imag))
            modulus = mpmath.hypot(a, b)
            beyond = 1 - mpmath.mpf(2) ** -int(rng.integers(1, np.finfo(part).nmant + 3))
            t = part.type(float(modulus * beyond))
            factor = max(1 - mpmath.mpf(float(t)) / modulus, 0)
            given = br.soft_threshold(x, t)
            for actual, exact in ((given.real, a * factor), (given.imag, b * factor)):
                unit = mpmath.mpf(float(np.spacing(np.abs(part.type(float(exact))))))
                assert abs(mpmath.mpf(float(actual)) - exact) <= EXACT[dtype.name] * unit


def test_up_to_the_threshold_the_result_is_zero(dtype):
    x = np.array([3 - 4j, -5j, 0, -0.0], dtype)
    assert (br.soft_threshold(x, 5.0).view(f"u{real(dtype).itemsize}") == 0).all()  # +0.0
    below = np.nextafter(real(dtype).type(5), real(dtype).type(0))
    assert (br.soft_threshold(x[:2], below) != 0).all()
    np.testing.assert_array_equal(br.soft_threshold(x, 0.0), x)


def test_infinities_and_nan(dtype):
    x = np.array([complex(INF, -4), complex(2, -INF), complex(NAN, 1), complex(INF, NAN)], dtype)
    kept, lost = br.soft_threshold(x, 5.0), br.soft_threshold(x, INF)
    np.testing.assert_array_equal(kept[:2], x[:2])
    for part in (kept.real[2:], kept.imag[2:], lost.real, lost.imag):
        assert np.isnan(part).all()
    assert br.soft_threshold(dtype.type(3 + 4j), INF) == 0


def same(actual, expected):
    assert actual.dtype == expected.dtype
    parts = [np.ascontiguousarray(a).view(real(a.dtype)) for a in (actual, expected)]
    np.testing.assert_array_equal(*[a.view(f"u{a.itemsize}")[~np.isnan(a)] for a in parts])
    np.testing.assert_array_equal(*[np.isnan(a) for a in parts])


def test_threads_and_instruction_sets_and_layouts_change_no_bit(dtype, layout, set_threads):
    shape = (6, 40_001)
    x = waves(dtype, shape[0] * shape[1]).reshape(shape)
    columns = np.linspace(0, 2, shape[1]).astype(real(dtype))
    set_threads(1)
    thresholds = (0.3, columns, columns[:6, np.newaxis])
    expected = [br.soft_threshold(x, t) for t in thresholds]
    before = _core.instruction_set()
    try:
        for name in _core.available_instruction_sets():
            _core.set_instruction_set(name)
            for threads in (1, 3):
                set_threads(threads)
                for t, wanted in zip(thresholds, expected, strict=True):
                    same(br.soft_threshold(layout(x), t), wanted)
                    out = layout(np.ones_like(x))
                    assert br.soft_threshold(x, t, out=out) is out
                    same(out, wanted)
                    own = layout(x)
                    assert br.soft_threshold(own, t, own) is own
                    same(own, wanted)
    finally:
        _core.set_instruction_set(before)


def test_every_size_gives_the_bits_of_the_elements(dtype):
    x = waves(dtype, 141)
    expected = np.array([br.soft_threshold(x[k : k + 1], 0.3)[0] for k in range(x.size)])
    for size in range(x.size):
        for begin in (0, 1):
            same(br.soft_threshold(x[begin:size], 0.3), expected[begin:size])


@pytest.mark.parametrize("shift", [-513, -1, 1, 512])
@pytest.mark.parametrize("size", [1000, THREADED_SIZES[0]])
def test_out_may_overlap_the_input(dtype, size, shift):
    memory = waves(dtype, size + abs(shift))
    x, out = memory[max(shift, 0) :][:size], memory[max(-shift, 0) :][:size]
    expected = br.soft_threshold(x.copy(), 0.3)
    br.soft_threshold(x, 0.3, out=out)
    same(out, expected)


def test_a_result_beyond_the_cache_is_that_of_its_pieces(dtype, large_float64):
    memory = large_float64[0]
    x = memory[: memory.size // 2 * 2].view(dtype)[:-3]
    x[:5000] = waves(dtype, 5000)
    for skipped in (0, 8, 24):  # a line may begin within a number
        raw = np.empty(x.nbytes + 128, np.uint8)
        begin = -raw.ctypes.data % 64 + skipped
        out = raw[begin:][: x.nbytes].view(dtype)
        br.soft_threshold(x, 0.3, out=out)
        for edge in (slice(0, 5000), slice(x.size - 5000, None)):
            same(out[edge], br.soft_threshold(x[edge], 0.3))


@pytest.mark.parametrize("at_end", [False, True])
def test_nothing_beyond_the_arrays_is_touched(dtype, instruction_set, guarded_pages, at_end):
    everything = waves(dtype, 70)
    t = np.linspace(0, 1, 70).astype(real(dtype))
    for size in range(70):
        x = guarded_pages[0].place(everything[:size], at_end=at_end)
        out = guarded_pages[1].place(everything[:size], at_end=at_end)
        own = guarded_pages[2].place(t[:size], at_end=at_end)
        br.soft_threshold(x, 0.3, out=out)
        br.soft_threshold(x, own, out=out)
        br.soft_threshold(x, 0.3, out=x)


def test_the_direct_path_gives_the_bits_of_the_ufunc(dtype):
    for x in (waves(dtype, 997), waves(dtype, THREADED_SIZES[0])):
        same(br.soft_threshold(x, 0.3), _core.ufuncs["soft_threshold"](x, 0.3))


def test_types_promote_as_in_numpy(dtype):
    x, single, double = np.ones(3, dtype), np.ones(3, np.float32), np.ones(3)
    for t in (0.5, np.float64(0.5), 1, True, single, single.astype(np.float16)):
        assert br.soft_threshold(x, t).dtype == dtype
    assert br.soft_threshold(x, double).dtype == np.complex128
    assert br.soft_threshold(single, 0.5, dtype=dtype).dtype == dtype
    assert br.soft_threshold(np.ones(3, np.float64), 0.5).dtype == np.float64
    assert isinstance(br.soft_threshold(3 + 4j, 1.0), np.complex128)
    assert isinstance(br.soft_threshold(dtype.type(3), 1.0), dtype.type)
    assert br.soft_threshold([3 + 4j], 2.5)[0] == 1.5 + 2j
    same(br.soft_threshold(x.astype(x.dtype.newbyteorder()), 0.5), br.soft_threshold(x, 0.5))
    out = np.zeros(3, dtype)
    assert br.soft_threshold(single, 0.5, out=out) is out
    assert (out == 0.5).all()
    with pytest.raises(TypeError, match=r"[Cc]ast"):
        br.soft_threshold(x, 0.5, out=np.ones(3))
    where = np.array([True, False, True])
    br.soft_threshold(np.full(3, 5, dtype), 1.0, out=out, where=where)
    np.testing.assert_array_equal(out, [4, 0.5, 4])


def test_a_bad_threshold_is_named_and_nothing_is_written(dtype):
    x = waves(dtype, 70)
    before = x.copy()
    bad = (-0.5, NAN, np.r_[np.ones(69), -1.0])
    for threshold in bad:
        with pytest.raises(ValueError, match=r"^soft_threshold: threshold must be >= 0, got "):
            br.soft_threshold(x, threshold, out=x)
    for threshold in (0.5j, dtype.type(1), np.ones(70, dtype)):
        with pytest.raises(TypeError, match=r"^soft_threshold: threshold must be a real number"):
            br.soft_threshold(x, threshold, out=x)
    same(x, before)


def test_no_value_raises_a_floating_point_error(dtype, threads):
    x = waves(dtype, 2 * THREADED_SIZES[0])
    with np.errstate(all="raise"):
        for array in (x, x[::2], x[:997]):
            br.soft_threshold(array, 0.3)
