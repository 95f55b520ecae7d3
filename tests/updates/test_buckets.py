"""An update of parts of arrays, one after the other, is the update of the whole arrays."""

import doctest
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import bridle as br

from ..cases import DTYPES
from ..conftest import by_name
from .calls import call, parts
from .data import operands
from .oracle import UPDATES, rich

GUIDE = Path(__file__).parents[2] / "docs" / "larger-than-memory.md"
SIZE = 30_011
OFFSET = 2**33 + 7
BOUNDS = (0, 1, 513, 5000, 9096, 9097, SIZE)


@pytest.fixture(**by_name(UPDATES))
def row(request):
    return request.param


def arrays_and_options(row, types):
    """Return what an update takes that rounds at random whatever it can."""
    half = DTYPES["bfloat16"]
    arrays = parts(row, operands(row, DTYPES["float32"], SIZE, gradient=half))
    options = dict(rich(row))
    if row.regularized:
        options |= {"regularizer": br.MCP(0.1, 3.0)}
    if types == "bfloat16" and row.regularized:
        arrays |= {name: arrays[name].astype(half) for name in row.states}
        arrays["copy_out"] = np.zeros(SIZE, half)
        options |= {"rounding": "stochastic", "seed": 5, "stream": 6, "offset": OFFSET}
    return arrays, options


@pytest.mark.parametrize("types", ["float32", "bfloat16"])
def test_buckets_give_the_bits_of_one_call(row, types, assert_same_bits):
    whole, options = arrays_and_options(row, types)
    cut = {name: array.copy() for name, array in whole.items()}
    expected = call(row, whole, **options)
    summaries = []
    for begin, end in pairwise(BOUNDS):
        bucket = {name: array[begin:end] for name, array in cut.items()}
        position = {"offset": OFFSET + begin} if "offset" in options else {}
        summaries.append(call(row, bucket, **options | position))
    for name, array in whole.items():
        assert_same_bits(cut[name], array, name)
    penalties, nonzeros, finite = zip(*summaries, strict=True)
    assert sum(penalties) == pytest.approx(expected.penalty, rel=1e-13)
    assert (sum(nonzeros), all(finite)) == expected[1:]


def test_the_example_of_the_guide_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert doctest.testfile(str(GUIDE), module_relative=False).failed == 0
