"""What C, C++, Cython and Numba need to call the core without going through Python."""

from __future__ import annotations

from pathlib import Path

from bridle import _core

__all__ = ["c_api", "c_api_address", "get_cmake_dir", "get_include"]


def _installed(*parts: str) -> str:
    """Where the files of the C++ package lie: beside the extension module, also if editable."""
    return str(Path(_core.__file__).parent.joinpath(*parts))


def get_include() -> str:
    """Return the directory of the C and C++ headers.

    It holds ``bridle/bridle.hpp`` and ``bridle/c_api.h``. Programs that include the first one link
    the library as well, which CMake does for them (`get_cmake_dir`); the second one needs nothing
    else if the functions come from `c_api`.

    Returns
    -------
    str

    Examples
    --------
    >>> import bridle as br
    >>> from pathlib import Path
    >>> Path(br.get_include(), "bridle", "c_api.h").exists()
    True
    """
    return _installed("include")


def get_cmake_dir() -> str:
    """Return the directory in which CMake finds the package.

    ``cmake -Dbridle_DIR=$(python -c "import bridle; print(bridle.get_cmake_dir())")`` lets
    ``find_package(bridle CONFIG REQUIRED)`` define the target ``bridle::bridle``. Projects that are
    built by scikit-build-core find it by themselves.

    Returns
    -------
    str

    Examples
    --------
    >>> import bridle as br
    >>> from pathlib import Path
    >>> Path(br.get_cmake_dir(), "bridleConfig.cmake").exists()
    True
    """
    return _installed("lib", "cmake", "bridle")


def c_api() -> object:
    """Return the table of C functions in a capsule.

    The capsule's name is ``"bridle.c_api"``, its content a ``struct bridle_c_api`` of
    ``bridle/c_api.h``, which describes the functions. They need no GIL.

    Returns
    -------
    PyCapsule

    Examples
    --------
    >>> import bridle as br
    >>> br.c_api()  # doctest: +ELLIPSIS
    <capsule object "bridle.c_api" at 0x...>
    """
    return _core.c_api()


def c_api_address(name: str) -> int:
    """Return the address of one C function, for Numba, ctypes and the like.

    Parameters
    ----------
    name : str
        The name of an operator, and ``_f32`` or ``_f64`` for the type of the elements.
        ``bridle/c_api.h`` describes the functions: an elementwise one is called with the address of
        x, the parameters in the type of the elements, the address of the result and the number of
        elements; a penalty with the address of w, the strengths as double, the number of elements
        and the address of the result; an operator of slices with the address of x, the numbers of
        elements before, along and after the axis, the parameters as double, the address of its
        array of double or 0, and that of the result. ``_offsets_f32`` and ``_labels_f32`` are the
        forms for groups. ``update``, ``global_norm``, ``clip_scale``, ``clip_by_global_norm``,
        ``accumulate``, ``average_update`` and ``cast`` take lists of arrays, which
        ``bridle/c_arrays.h`` describes. They give 0, or another number where an argument is not
        allowed, with nothing written; ``last_error`` tells what it was in those of lists and in
        updates.

    Returns
    -------
    int

    Raises
    ------
    KeyError
        If there is no such function.
    TypeError
        If ``name`` is no string.

    Examples
    --------
    >>> import bridle as br
    >>> import ctypes
    >>> import numpy as np
    >>> soft_threshold = ctypes.CFUNCTYPE(
    ...     ctypes.c_int, ctypes.c_void_p, ctypes.c_float, ctypes.c_void_p, ctypes.c_int64
    ... )(br.c_api_address("soft_threshold_f32"))
    >>> w = np.array([-3.0, 0.5, 2.0], np.float32)
    >>> soft_threshold(w.ctypes.data, 1.0, w.ctypes.data, w.size)
    0
    >>> w
    array([-2.,  0.,  1.], dtype=float32)

    The rows of a matrix, each shortened as a whole:

    >>> rows = np.array([[3.0, 4.0], [0.3, 0.4]])
    >>> shape = ctypes.c_int64, ctypes.c_int64, ctypes.c_int64
    >>> group_soft_threshold = ctypes.CFUNCTYPE(
    ...     ctypes.c_int, ctypes.c_void_p, *shape, ctypes.c_double, ctypes.c_void_p, ctypes.c_void_p
    ... )(br.c_api_address("group_soft_threshold_f64"))
    >>> group_soft_threshold(rows.ctypes.data, 2, 2, 1, 1.0, None, rows.ctypes.data)
    0
    >>> rows
    array([[2.4, 3.2],
           [0. , 0. ]])
    """
    if not isinstance(name, str):
        raise TypeError(f"c_api_address: name must be a str, got {name!r}")
    try:
        return _core.c_functions[name]
    except KeyError:
        names = ", ".join(sorted(_core.c_functions))
        raise KeyError(f"c_api_address: no function {name!r}; there are {names}") from None
