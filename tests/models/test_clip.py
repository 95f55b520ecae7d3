"""Clipping by the norm of all gradients, in place and by the scale of an update."""

import numpy as np
import pytest

import bridle as br

from ..cases import DTYPES, INF, NAN, values, with_positive_zeros
from ..conftest import LAYOUTS


def gradients():
    arrays = [values(d, 3000 + i, finite=True) for i, d in enumerate(DTYPES.values())]
    return [np.clip(a.astype(np.float64), -1e3, 1e3).astype(a.dtype) for a in arrays]


def scaled(array, scale):
    compute = np.promote_types(array.dtype, np.float32)
    return with_positive_zeros((array.astype(compute) * compute.type(scale)).astype(array.dtype))


@pytest.mark.parametrize("form", [list, br.prepare], ids=["list", "prepared"])
def test_arrays_of_all_types_are_scaled(form, threads, instruction_set, assert_same_bits):
    arrays = gradients()
    before = [array.copy() for array in arrays]
    norm = br.clip_by_global_norm(form(arrays), 2.5)
    assert norm == br.global_norm(before)
    for array, old in zip(arrays, before, strict=True):
        assert_same_bits(array, scaled(old, 2.5 / norm.l2))


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "unaligned"])
def test_any_layout_is_scaled_in_place(dtype, layout, threads, assert_same_bits):
    x = np.clip(values(dtype, 70 * 1000, finite=True).astype(np.float64), -9, 9).astype(dtype)
    x = x.reshape(70, 1000)
    array = LAYOUTS[layout](x)
    norm = br.clip_by_global_norm({"w": array}, 1.0)
    assert_same_bits(array, scaled(x, 1.0 / norm.l2))


def test_nothing_is_touched_within_the_norm(dtype):
    x = np.array([-0.0, 3.0, -4.0]).astype(dtype)
    before = x.tobytes()
    for most in (5.0, 6, INF):
        assert br.clip_by_global_norm([x], most) == (5.0, 4.0, True)
        assert x.tobytes() == before
    assert br.clip_by_global_norm([], 0.0).l2 == 0.0


@pytest.mark.parametrize("value", [INF, -INF, NAN])
def test_a_norm_that_is_not_finite_is_an_error(value):
    arrays = [np.ones(9, np.float32), np.array([1.0, value], np.float16)]
    before = [array.tobytes() for array in arrays]
    message = r"^clip_by_global_norm: the norm must be finite, got (inf|nan)$"
    with pytest.raises(FloatingPointError, match=message):
        br.clip_by_global_norm(arrays, 1.0)
    assert [array.tobytes() for array in arrays] == before


@pytest.mark.parametrize("bad", [-1.0, NAN])
def test_the_norm_must_be_one(bad):
    message = rf"^clip_by_global_norm: max_norm must be >= 0, got {bad}$"
    with pytest.raises(ValueError, match=message):
        br.clip_by_global_norm([np.ones(2)], bad)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_update_clips_with_the_same_bits(dtype, assert_same_bits):
    gradient = values(np.dtype(dtype), 5000, finite=True)
    gradient = np.clip(gradient, -1e3, 1e3)
    w = np.ones(5000, dtype)
    clipped, other = gradient.copy(), w.copy()
    scale = br.global_norm(gradient).clip_scale(1.0)
    br.clip_by_global_norm(clipped, 1.0)
    br.sgd_update(w, clipped, 0.25)
    br.sgd_update(other, gradient, 0.25, grad_scale=scale)
    assert_same_bits(other, w)
