"""The ufuncs behind the public functions, each under its own name: there pickle finds it."""

import contextlib

from bridle import _core

for _ufunc in _core.ufuncs.values():
    # Where ufuncs take no attributes (older NumPy), pickle searches all modules that are loaded.
    with contextlib.suppress(AttributeError):
        _ufunc.__module__ = __name__

globals().update(_core.ufuncs)
