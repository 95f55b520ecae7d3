"""Arrays of xarray that hold those of Dask stay lazy, and keep their labels."""

import numpy as np
import pytest

import bridle as br

xarray = pytest.importorskip("xarray")
dask = pytest.importorskip("dask")
array = pytest.importorskip("dask.array")
pytest.importorskip("bridle.dask", reason="Dask arrays are not lazy")

X = np.random.default_rng(0).standard_normal((6, 8)).astype(np.float32)
KEY = {"seed": 3, "stream": 5}
FUNCTIONS = {
    "soft_threshold": lambda x: br.soft_threshold(x, 0.3),
    "project_nonnegative": br.project_nonnegative,
    "dropout": lambda x: br.dropout(x, 0.5, **KEY),
    "dropout_inference": lambda x: br.dropout_inference(x, 0.25),
    "alpha_dropout": lambda x: br.alpha_dropout(x, 0.5, **KEY),
    "gaussian_noise": lambda x: br.gaussian_noise(x, 0.5, **KEY),
    "Dropout": lambda x: br.Dropout(0.5, **KEY)(x),
    "Dropout.eval": lambda x: br.Dropout(0.5, **KEY).eval(x),
}


def lazy_array():
    chunks = array.from_array(X, chunks=(2, 3))
    coordinates = {"row": list("abcdef")}
    return xarray.DataArray(chunks, coordinates, ("row", "column"), "weights", {"unit": "m"})


def no_computing(graph, keys, **options):
    raise AssertionError("it was computed")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_results_are_lazy_and_like_the_argument_with_the_bits_of_an_array(name):
    x = lazy_array()
    with dask.config.set(scheduler=no_computing):
        result = FUNCTIONS[name](x)
    assert isinstance(result.data, array.Array)
    computed = result.compute()
    xarray.testing.assert_identical(computed, x.compute().copy(data=computed.data))
    np.testing.assert_array_equal(computed.data, FUNCTIONS[name](X))


def test_penalties_are_lazy_numbers():
    with dask.config.set(scheduler=no_computing):
        penalty = br.l1_penalty(lazy_array(), 0.5)
    assert (penalty.shape, penalty.dtype) == ((), np.float64)
    assert float(penalty) == pytest.approx(br.l1_penalty(X, 0.5), rel=1e-14)
