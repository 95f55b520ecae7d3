"""The norm of many arrays: exact, in the promised order, without over- or underflow."""

import math

import numpy as np
import pytest

import bridle as br

from ..cases import DTYPES, INF, NAN, SIZES, sum_in_order, values
from ..conftest import LAYOUTS

MIXED = [values(dtype, 5000 + 13 * i, finite=True) for i, dtype in enumerate(DTYPES.values())]


def promised(arrays):
    """Add the squares of the chunks of all arrays as those of one array of whole chunks."""
    padded = [np.zeros(-(-array.size // 4096) * 4096) for array in arrays]
    for whole, array in zip(padded, arrays, strict=True):
        whole[: array.size] = array.ravel(order="K").astype(np.float64) ** 2
    return math.sqrt(sum_in_order(np.concatenate(padded)))


def exact(arrays):
    """Return the norm to the last digit, of whatever size."""
    every = [float(x) for array in arrays for x in array.ravel()]
    exponent = math.frexp(max(map(abs, every)))[1]
    scaled = [math.ldexp(x, -exponent) for x in every]
    return math.ldexp(math.sqrt(math.fsum(x * x for x in scaled)), exponent)


def test_the_norm_is_summed_in_the_promised_order(dtype, instruction_set):
    for size in SIZES:
        x = values(dtype, size, finite=True)
        assert br.global_norm(x).l2 == promised([x])
        pieces = [x[: size // 3], x[size // 3 : size // 2].reshape(-1, 1), x[size // 2 :]]
        assert br.global_norm(pieces).l2 == promised(pieces)
        assert br.global_norm(pieces).largest == np.max(np.abs(x), initial=0)


def test_arrays_of_all_types_are_one_sum(instruction_set, threads):
    arrays = [*MIXED, np.zeros(0), values(np.dtype(np.float32), 300_001, finite=True)]
    norm = br.global_norm(arrays)
    assert norm.l2 == promised(arrays)
    assert norm.largest == max(np.abs(x.astype(np.float64)).max(initial=0) for x in arrays)
    assert norm.finite is True
    named = {f"layer.{i}": array for i, array in enumerate(arrays)}
    for same in (tuple(arrays), named, br.prepare(arrays), br.prepare(named)):
        assert br.global_norm(same) == norm


@pytest.mark.parametrize("count", [1, 7, 1000])
def test_many_small_arrays(threads, count):
    rng = np.random.default_rng(count)
    arrays = [rng.normal(size=rng.integers(0, 90)).astype(np.float32) for _ in range(count)]
    assert br.global_norm(arrays).l2 == promised(arrays)


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "unaligned"])
def test_the_layout_does_not_show(dtype, layout, threads):
    x = values(dtype, 60 * 1711, finite=True).reshape(60, 1711)
    other = LAYOUTS[layout](x)
    assert br.global_norm([other, x[:3]]).largest == br.global_norm(x).largest
    assert br.global_norm([other.T]) == br.global_norm([other])
    if not other.flags.f_contiguous and layout != "reversed":
        assert br.global_norm([other, x[:3]]) == br.global_norm([x, x[:3]])


@pytest.mark.parametrize("exponent", [-1074, -1060, -1022, -600, -500, 0, 400, 500, 520, 1000])
@pytest.mark.parametrize("spread", [0, 30, 600])
def test_no_finite_number_is_too_large_or_too_small(exponent, spread, instruction_set):
    rng = np.random.default_rng(exponent + 2000)
    x = np.ldexp(rng.normal(size=5000), exponent - rng.integers(0, spread + 1, size=5000))
    arrays = [x[:4500], x[4500:].astype(np.float32) if abs(exponent) < 100 else x[4500:]]
    norm, right = br.global_norm(arrays), exact(arrays)
    assert math.isclose(norm.l2, right, rel_tol=1e-14, abs_tol=5e-324)
    assert norm.largest == max(map(float, (np.abs(a).max() for a in arrays)))
    halved = br.global_norm(arrays, scale=-0.5)
    assert math.isclose(halved.l2, right / 2, rel_tol=1e-14, abs_tol=5e-324)


def test_halves_are_exact_where_float32_is_not():
    x = np.full(1_000_003, 0.1, DTYPES["bfloat16"])
    assert math.isclose(br.global_norm(x).l2, exact([x]), rel_tol=1e-15)
    large = np.full(5, 6e4, np.float16)
    assert math.isclose(br.global_norm(large).l2, exact([large]), rel_tol=1e-15)


def test_what_is_not_finite_shows(dtype, instruction_set):
    x = values(dtype, 70_000, finite=True)
    for value, shown in ((INF, INF), (-INF, INF), (NAN, NAN)):
        for place in (0, 33, 4096, 69_999):
            y = x.copy()
            y[place] = value
            norm = br.global_norm([x, y])
            np.testing.assert_array_equal(norm[:2], [shown, shown])
            assert norm.finite is False
    y[7] = INF  # beside the NaN
    assert math.isnan(br.global_norm([np.full(3, INF), y]).l2)
    assert math.isnan(br.global_norm(y).largest)


@pytest.mark.parametrize("nothing", [[], (), {}, np.zeros(0), [np.zeros(0), np.zeros((3, 0))]])
def test_nothing_at_all(nothing):
    assert br.global_norm(nothing) == (0.0, 0.0, True)
    assert br.global_norm(nothing).clip_scale(0.0) == 1.0


def test_numbers_in_lists_are_one_array():
    assert br.global_norm([3.0, 4.0]) == (5.0, 4.0, True)
    assert br.global_norm([[3.0], [4.0]]).l2 == 5.0
    assert br.global_norm(np.float32(-3)) == (3.0, 3.0, True)
    assert br.global_norm([np.array(3.0), np.array([4.0], np.float16)]).l2 == 5.0


def test_the_scale_multiplies_in_thought():
    x = np.array([3.0, -4.0], np.float32)
    assert br.global_norm(x, scale=0.25) == (1.25, 1.0, True)
    assert br.global_norm(x, scale=-0.25) == (1.25, 1.0, True)
    assert br.global_norm(x, scale=0) == (0.0, 0.0, True)
    assert br.global_norm(x, scale=INF) == (INF, INF, True)
    tiny, huge = np.full(4, 1e-320), np.full(4, 1e308)
    assert br.global_norm(tiny, scale=1e300).l2 == pytest.approx(2e-20, rel=1e-3)
    assert br.global_norm(huge, scale=1e-300).l2 == pytest.approx(2e8, rel=1e-14)
    assert br.global_norm(huge).l2 == INF  # which is right: 2e308
    with pytest.raises(ValueError, match=r"^global_norm: scale must not be NaN, got nan$"):
        br.global_norm(x, scale=NAN)
    with pytest.raises(TypeError, match=r"^global_norm: scale must be a real number, got 'x'$"):
        br.global_norm(x, scale="x")


def test_norms_of_shards_join():
    x = values(np.dtype(np.float32), 100_000, finite=True)
    parts = [br.global_norm(part) for part in np.array_split(x, 7)]
    assert math.hypot(*(p.l2 for p in parts)) == pytest.approx(br.global_norm(x).l2, rel=1e-14)


def test_the_scale_that_clips():
    norm = br.global_norm([3.0, 4.0])
    assert norm.clip_scale(1) == 0.2
    assert norm.clip_scale(5.0) == norm.clip_scale(INF) == 1.0
    assert norm.clip_scale(0.0) == 0.0
    assert br.global_norm([1e-300]).clip_scale(1e300) == 1.0
    for bad in (-1.0, NAN):
        with pytest.raises(ValueError, match=rf"^clip_scale: max_norm must be >= 0, got {bad}$"):
            norm.clip_scale(bad)
    for bad in (INF, NAN):
        with pytest.raises(FloatingPointError, match=r"^clip_scale: the norm must be finite, got"):
            br.global_norm([1.0, bad]).clip_scale(1.0)
