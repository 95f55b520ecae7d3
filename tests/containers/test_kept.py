"""What xarray, pandas and polars hold keeps its labels in elementwise and dropout functions."""

import warnings

import numpy as np
import pytest

import bridle as br

from ..cases import ELEMENTWISE, PENALTIES

pandas = pytest.importorskip("pandas")
xarray = pytest.importorskip("xarray")
polars = pytest.importorskip("polars")

X = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)
KEY = {"seed": 3, "stream": 5}
BITS = br.dropout_mask(X.size, 0.5, packed=True, **KEY)
LABELS = ["a", "b", "c"], ["w", "x", "y", "z"]


def series(array):
    made = pandas.Series(array.ravel(), index=range(7, 7 + array.size), name="weights")
    made.attrs = {"unit": "m"}
    return made


def frame(array):
    made = pandas.DataFrame(array, *LABELS)
    made.attrs = {"unit": "m"}
    return made


def data_array(array):
    coordinates = {"row": LABELS[0], "length": ("column", [1.0, 2.0, 3.0, 4.0])}
    return xarray.DataArray(array, coordinates, ("row", "column"), "weights", {"unit": "m"})


CONTAINERS = {
    "pandas Series": series,
    "pandas DataFrame": frame,
    "pandas nullable": lambda array: series(array).astype("Float32"),
    "DataArray": data_array,
    "Variable": lambda array: data_array(array).variable,
    "transposed": lambda array: data_array(np.asfortranarray(array).T.copy(order="F").T),
    "polars Series": lambda array: polars.Series("weights", array.ravel()),
    "polars chunks": lambda array: polars.concat(
        [polars.Series("weights", part) for part in np.split(array.ravel(), 3)], rechunk=False
    ),
}
FUNCTIONS = {
    name: lambda x, name=name, row=row: getattr(br, name)(x, *row.sample)
    for name, row in ELEMENTWISE.items()
} | {
    "dropout": lambda x: br.dropout(x, 0.5, **KEY),
    "dropout of none": lambda x: br.dropout(x, 0.0, **KEY),
    "apply_dropout_mask": lambda x: br.apply_dropout_mask(x, BITS, 0.5),
    "dropout_inference": lambda x: br.dropout_inference(x, 0.25),
    "alpha_dropout": lambda x: br.alpha_dropout(x, 0.5, **KEY),
    "gaussian_dropout": lambda x: br.gaussian_dropout(x, 0.5, **KEY),
    "gaussian_noise": lambda x: br.gaussian_noise(x, 0.5, **KEY),
    "Dropout": lambda x: br.Dropout(0.5, **KEY)(x),
    "Dropout.eval": lambda x: br.Dropout(0.5, **KEY).eval(x),
    "Dropout of classic mode": lambda x: br.Dropout(0.5, inverted=False, **KEY).eval(x),
    "L1.prox": lambda x: br.L1(0.3).prox(x),
}


@pytest.fixture(params=CONTAINERS)
def container(request):
    return CONTAINERS[request.param]


def the_same(ours, like):
    """Assert that two containers are the same but for their numbers."""
    assert type(ours) is type(like)
    assert getattr(ours, "attrs", None) == getattr(like, "attrs", None)
    if isinstance(like, (pandas.Series, pandas.DataFrame)):
        for axis in range(like.ndim):
            pandas.testing.assert_index_equal(ours.axes[axis], like.axes[axis])
        assert getattr(ours, "name", None) == getattr(like, "name", None)
    elif isinstance(like, xarray.DataArray):
        xarray.testing.assert_identical(ours, like.copy(data=ours.data))
    elif isinstance(like, xarray.Variable):
        assert ours.dims == like.dims
    else:
        assert ours.name == like.name


@pytest.mark.parametrize("name", FUNCTIONS)
def test_results_are_like_the_argument_with_the_bits_of_an_array(container, name):
    x = container(X)
    result, expected = FUNCTIONS[name](x), FUNCTIONS[name](X)
    the_same(result, x)
    assert str(getattr(result, "dtype", "float32")).lower() == "float32"
    got = np.asarray(result, np.float32).reshape(X.shape)
    np.testing.assert_array_equal(got.view(np.uint32), expected.view(np.uint32))
    np.testing.assert_array_equal(np.asarray(x, np.float32).reshape(X.shape), X)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", ["int8", "int64", "uint16"])
def test_integers_become_float64(container, name, dtype):
    integers = np.arange(12, dtype=dtype).reshape(3, 4)
    x = container(integers)
    result = FUNCTIONS[name](x)
    if isinstance(x, pandas.DataFrame):
        assert {str(kind) for kind in result.dtypes} == {"float64"}
    elif str(x.dtype) != "Float32":  # which are no integers
        assert str(result.dtype).lower() == "float64"
        np.testing.assert_array_equal(
            np.asarray(result, float).ravel(), FUNCTIONS[name](integers).ravel()
        )
    the_same(result, x)


def test_backward_is_like_the_gradient(container):
    layer, x = br.Dropout(0.5, **KEY), container(X)
    layer(x)
    gradient = layer.backward(x)
    the_same(gradient, x)
    np.testing.assert_array_equal(
        np.asarray(gradient, np.float32).reshape(X.shape), br.dropout(X, 0.5, **KEY)
    )
    out = np.empty(x.shape, np.float32)
    assert layer.backward(x, out) is out


@pytest.mark.parametrize("name", PENALTIES)
def test_penalties_are_scalars(container, name):
    parameters = PENALTIES[name].sample
    if name == "l2_sp_penalty":
        parameters = (0.25, *parameters[1:])
    result = getattr(br, name)(container(X), *parameters)
    assert type(result) is np.float64
    one = X if len(container(X).shape) == 2 else X.ravel()
    expected = getattr(br, name)(one, *parameters)
    assert result == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_parameters_are_checked_at_the_call(container, name):
    for index, (parameter, domain) in enumerate(ELEMENTWISE[name].params.items()):
        for bad in domain.bad[:1]:
            given = list(ELEMENTWISE[name].sample)
            given[index] = container(np.full_like(X, bad))
            with pytest.raises(ValueError, match=f"^{name}: {parameter} "):
                getattr(br, name)(container(X), *given)


def test_probabilities_are_checked_at_the_call(container):
    with pytest.raises(ValueError, match=r"^dropout: p must be between 0 and 1, got 1\.5"):
        br.dropout(container(X), 1.5, **KEY)


def test_what_is_missing_stays_missing():
    for x in (
        pandas.Series([1.0, None, -2.0, None, 5.0], dtype="Float64"),
        pandas.Series([1, None, -2, None, 5], dtype="Int32"),
        polars.Series([1.0, None, -2.0, None, 5.0]),
    ):
        missing = [False, True, False, True, False]
        for name in ("soft_threshold", "project_nonnegative", "dropout", "gaussian_noise"):
            result = FUNCTIONS[name](x)
            gaps = result.is_null() if hasattr(result, "is_null") else result.isna()
            assert gaps.to_list() == missing, (name, x)
            assert str(result.dtype) == "Float64"
        dropped = br.dropout(x, 1.0, **KEY)
        assert dropped.to_list()[::2] == [0.0, 0.0, 0.0]
        assert (dropped.is_null() if hasattr(dropped, "is_null") else dropped.isna()).sum() == 2


def test_parameters_with_labels_are_aligned_by_pandas():
    x, t = series(X), series(np.full_like(X, 0.5))[::-1]
    pandas.testing.assert_series_equal(
        br.soft_threshold(x, t), br.soft_threshold(x, 0.5), check_like=True
    )


def test_mixed_columns_become_one_type_where_positions_count():
    x = pandas.DataFrame({"a": X[0], "b": X[1].astype(float), "c": range(4)})
    pandas.testing.assert_frame_equal(
        br.dropout(x, 0.5, **KEY),
        pandas.DataFrame(br.dropout(x.to_numpy(), 0.5, **KEY), columns=x.columns),
    )
    assert {str(kind) for kind in br.soft_threshold(x, 0.1).dtypes} == {"float64"}
    kinds = [str(kind) for kind in br.project_nonnegative(x.astype({"c": "int8"})).dtypes]
    assert kinds == ["float32", "float64", "float64"]


def test_scalars_and_subclasses_stay():
    class Weights(pandas.Series):
        @property
        def _constructor(self):
            return Weights

    assert type(br.dropout(Weights(X[0]), 0.5, **KEY)) is Weights
    scalar = xarray.DataArray(2.0, attrs={"unit": "m"})
    the_same(br.dropout(scalar, 0.5, **KEY), scalar)


def test_datasets_keep_their_variables_in_elementwise_functions():
    x = xarray.Dataset({"v": data_array(X), "w": data_array(2 * X)}, attrs={"title": "t"})
    xarray.testing.assert_identical(
        br.soft_threshold(x, 0.3), x.map(lambda v: br.soft_threshold(v, 0.3), keep_attrs=True)
    )
    with pytest.raises(TypeError, match=r"^dropout: .* must be one array, got a Dataset; take its"):
        br.dropout(x, 0.5, **KEY)


def test_expressions_of_polars_are_elementwise():
    x = polars.DataFrame({"a": X[0], "b": X[1]})
    for lazy in (x, x.lazy()):
        result = lazy.select(br.soft_threshold(polars.all(), 0.3))
        result = result.collect() if lazy is not x else result
        assert result.columns == x.columns
        np.testing.assert_array_equal(result.to_numpy(), br.soft_threshold(X[:2].T, 0.3))


POLARS = {
    "frame": (polars.DataFrame({"a": [1.0]}), "array or a Series, got a DataFrame of polars"),
    "lazy": (polars.LazyFrame({"a": [1.0]}), "got a LazyFrame of polars"),
    "expression": (polars.col("a"), "got a Expr of polars"),
}


@pytest.mark.parametrize("kind", POLARS)
def test_what_polars_has_no_support_for_is_a_clear_error(kind):
    x, message = POLARS[kind]
    calls = [lambda: br.dropout(x, 0.5, **KEY), lambda: br.gaussian_noise(x, 0.5, **KEY)]
    if kind != "expression":
        calls += [lambda: br.soft_threshold(x, 0.1), lambda: br.project_nonnegative(x)]
    if kind != "frame":
        calls += [lambda: br.l1_penalty(x), lambda: br.group_l2_penalty(x)]
    for call in calls:
        with pytest.raises(TypeError, match=f"^[a-z_0-9]+: .*{message}"):
            call()


def test_penalties_take_frames_of_polars():
    assert br.l1_penalty(polars.DataFrame({"a": X[0], "b": X[1]})) == pytest.approx(
        br.l1_penalty(X[:2]), rel=1e-14
    )


@pytest.mark.parametrize("options", [{"out": np.empty(4)}, {"dtype": np.float64}], ids=str)
def test_ufunc_keywords_that_polars_does_not_take(options):
    with pytest.raises(TypeError, match=r"^soft_threshold: x must be an array where (out|dtype)"):
        br.soft_threshold(polars.Series([1.0, 2.0, 3.0, 4.0]), 0.1, **options)


@pytest.mark.parametrize(
    ("container", "hint"),
    [
        (polars.Series(X[0]), r"to_numpy\(writable=True\)"),
        (pandas.Series(X[0]), r"to_numpy\(copy=True\)"),
        (xarray.DataArray(X[0]), "its data"),
    ],
    ids=["polars", "pandas", "xarray"],
)
def test_what_is_written_in_place_says_what_to_give(container, hint):
    for call in (
        lambda: br.proximal_step(container, 0.1, l1=0.1),
        lambda: br.clip_by_global_norm([np.ones(2)], 1.0) and br.cast(container, np.ones(4)),
        lambda: br.dropout(X[0], 0.5, out=container, **KEY),
        lambda: br.group_soft_threshold(X[0], 0.5, out=container),
    ):
        with pytest.raises(TypeError, match=f"^[a-z_]+: .* must be an array.*; give .*{hint}$"):
            call()


def test_read_only_memory_of_polars_says_what_to_take():
    x = polars.Series(X[0].astype(float)).to_numpy()
    assert not x.flags.writeable
    for call in (
        lambda: br.soft_threshold(x, 0.1, out=x),
        lambda: br.dropout(x, 0.5, out=x, **KEY),
        lambda: br.group_soft_threshold(x, 0.1, out=x),
        lambda: br.proximal_step(x, 0.1, l1=0.1),
        lambda: br.clip_by_global_norm([x], 0.1),
    ):
        with pytest.raises(ValueError, match=r"must be writeable, .*to_numpy\(writable=True\)$"):
            call()
    writable = polars.Series(x).to_numpy(writable=True)
    br.proximal_step(writable, 0.1, l1=0.1)


def test_the_gap_of_where_is_named_once_by_numpy(container):
    x = container(X)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        br.soft_threshold(x, 0.1, where=np.ones(x.shape, bool))
    assert len(caught) <= 1


def test_nothing_of_them_is_imported_before(run_python):
    code = (
        "import sys, bridle as br; br.dropout([1.0], 0.5, seed=1); br.l1_penalty([1.0])"
        "; br.soft_threshold([1.0], 0.5); br.project_nonnegative([1]); br.dropout(1.0, 0.5, seed=1)"
        "; assert not {'pandas', 'xarray', 'polars'} & sys.modules.keys()"
    )
    done = run_python(code)
    assert done.returncode == 0, done.stderr
