"""Dask arrays of unusual elements and of unusual shapes."""

import re

import dask.array as da
import numpy as np
import pytest

from .calls import CHUNKS, FUNCTIONS, computed

ELEMENTS = (np.nan, np.inf, -np.inf, 1e308, 5e-324, -0.0)
WHOLE = {
    "tiny": lambda x: x * 1e-310,
    "zeros": lambda x: x * -0.0,
    "half of them zero": lambda x: np.where(np.arange(64) % 2, x, -0.0),
}
SHAPES = {
    (): (),
    (0,): (0,),
    (0, 64): ((0,), (24, 40)),
    (4, 0): ((2, 2), (0,)),
    (6, 64): ((0, 3, 0, 3), (0, 64)),
    (1, 64): (1, 1),
    (2, 3, 64): (1, 2, 30),
}


def compare(name, x, chunks):
    """Compare a result with NumPy's to a few units, or an error with its error."""
    function, options = FUNCTIONS[name]
    lazy = da.from_array(x, chunks)
    try:
        expected = np.asarray(function(x, **options))
    except ValueError as error:
        with pytest.raises(ValueError, match=f"^{re.escape(str(error))}$"):
            function(lazy, **options)
        return
    found = computed(function(lazy, **options))
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=0)
    assert np.array_equal(np.signbit(found[expected == 0]), np.signbit(expected[expected == 0]))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_unusual_elements(name, weights):
    for element in ELEMENTS:
        x = weights(np.float64).copy()
        x[7, 40] = element
        compare(name, x, CHUNKS["both"])
    for change in WHOLE.values():
        compare(name, change(weights(np.float64)), CHUNKS["both"])


def test_unusual_shapes(name):
    for shape, chunks in SHAPES.items():
        compare(name, np.resize(np.linspace(-2.0, 3.0, 97), shape), chunks)
