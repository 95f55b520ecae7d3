"""Arrays with labels, of xarray, pandas and polars: what they hold, and results like them.

NumPy's ufuncs keep them by themselves. What is no ufunc takes what lies in them by `contents`, and
gives a result of the same shape back by `like`. None of these packages is ever imported here: where
one of its objects arrives, somebody has done so.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

PLAIN = (np.ndarray, np.generic, float, int, list, tuple)


def _is(value: object, package: str, *names: str) -> bool:
    """Whether a value is of one of these classes, without an import of the package."""
    module = sys.modules.get(package)
    known = tuple(getattr(module, name, ()) for name in names)  # none while it is being imported
    return isinstance(value, known)


def contents(name: str, called: str, x: Any) -> Any:
    """Return the array in an array of xarray, also of Dask; anything else as it is.

    What stands for several arrays, or for one that is not computed, is an error.
    """
    if isinstance(x, PLAIN):
        return x
    if _is(x, "xarray", "DataArray", "Variable"):
        return x.data
    if _is(x, "xarray", "Dataset"):
        raise TypeError(f"{name}: {called} must be one array, got a Dataset; take its variables")
    if _is(x, "polars", "LazyFrame", "Expr"):
        got = type(x).__name__
        raise TypeError(f"{name}: {called} must be computed first, got a {got} of polars")
    return x


def like(name: str, x: Any, result: Any, out: Any = None) -> Any:
    """Return the result for `x`, unless it is `out`, with the labels that `x` has."""
    if isinstance(x, PLAIN) or out is not None:
        return result
    if _is(x, "xarray", "DataArray", "Variable"):
        return x.copy(deep=False, data=result)
    if _is(x, "pandas", "Series"):
        return _like_series(x, result)
    if _is(x, "pandas", "DataFrame"):
        return x._constructor(result, index=x.index, columns=x.columns).__finalize__(x)
    if _is(x, "polars", "Series"):
        return type(x)(x.name, result).set(x.is_null(), None)
    if _is(x, "polars", "DataFrame"):
        raise _no_series(name, x)
    return result


def _like_series(x: Any, result: Any) -> Any:
    """Return a Series of pandas; what is missing in one that is nullable stays missing."""
    made = x._constructor(result, index=x.index).__finalize__(x)
    if isinstance(x.dtype, np.dtype):
        return made
    dtype = x.dtype if x.dtype.kind == "f" else "Float64"
    return made.astype(dtype).mask(x.isna())


def of_one_type(x: Any, values: Sequence[Any], keywords: dict[str, Any]) -> None:
    """Add to a ufunc's keywords the type of a result that is a DataFrame of pandas.

    What stands beside a frame becomes an array there, numbers too, which would count in the type.
    """
    is_frame = not isinstance(x, PLAIN) and _is(x, "pandas", "DataFrame")
    if not is_frame or not values or keywords.get("dtype") is not None:
        return
    types = {*x.dtypes}
    for value in values:
        types.update(value.dtypes if _is(value, "pandas", "DataFrame") else ())
        types.update([value.dtype] if hasattr(value, "dtype") else ())
    if all(isinstance(each, np.dtype) for each in types):
        common = np.result_type(*types)
        keywords["dtype"] = common if common.kind in "fc" else np.dtype(np.float64)


def with_floats(x: Any) -> Any:
    """Return a copy of a container in which integers are float64; anything else as it is."""
    if isinstance(x, np.ndarray | np.generic):
        return x.astype(np.float64) if x.dtype.kind in "biu" else x
    if _is(x, "pandas", "DataFrame"):
        return x.apply(with_floats).__finalize__(x)
    if _is(x, "polars", "Series"):
        return x.cast(float) if x.dtype.is_integer() else x
    kind = getattr(getattr(x, "dtype", None), "kind", "")
    if not kind or kind not in "biu":
        return x
    return x.astype("float64" if isinstance(x.dtype, np.dtype) else "Float64")


def check_ufunc(name: str, x: Any, out: Any, keywords: dict[str, Any]) -> None:
    """Raise TypeError for what polars would say of a ufunc, or not say, in words of its own."""
    if isinstance(x, PLAIN):
        return
    if _is(x, "polars", "DataFrame", "LazyFrame"):
        raise _no_series(name, x)
    if _is(x, "polars", "Series", "Expr"):
        given = {"out": out, "dtype": keywords.get("dtype")}
        for parameter in (key for key, value in given.items() if value is not None):
            got = f"a {type(x).__name__} of polars"
            raise TypeError(f"{name}: x must be an array where {parameter} is given, got {got}")


def _no_series(name: str, x: Any) -> TypeError:
    got = f"a {type(x).__name__} of polars; take its columns, or to_numpy"
    return TypeError(f"{name}: x must be an array or a Series, got {got}")


def instead(value: Any) -> str:
    """Return what to give in place of a container that is written in place, for a message."""
    if _is(value, "polars", "Series", "DataFrame"):
        return "; give its to_numpy(writable=True)"
    if _is(value, "pandas", "Series", "DataFrame"):
        return "; give its to_numpy(copy=True)"
    return "; give its data" if _is(value, "xarray", "DataArray", "Variable") else ""


def writeable(array: np.ndarray[Any, Any]) -> str:
    """Return what to take in place of an array that is read-only, for a message."""
    of_polars = type(array.base).__name__ == "PySeries"
    return "; take to_numpy(writable=True)" if of_polars else ""


def check_writeable(name: str, out: np.ndarray[Any, Any]) -> None:
    """Raise ValueError for an array that takes a result and is read-only."""
    if not out.flags.writeable:
        got = f"one that is read-only{writeable(out)}"
        raise ValueError(f"{name}: out must be writeable, got {got}")
