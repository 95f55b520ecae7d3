"""NumPy's own tests of every ufunc, and of overlapping operands; from the installed package."""

import sys
from importlib import import_module
from pathlib import Path

import numpy as np
from suite import Suite

import bridle as br
from bridle import _core

TESTS = Path(np._core.__file__).parent / "tests"
# As pytest names it: in older versions the folder is a package.
IN_A_PACKAGE = (TESTS / "__init__.py").exists()
sys.path.insert(0, str(TESTS))
test_mem_overlap = import_module("numpy._core.tests." * IN_A_PACKAGE + "test_mem_overlap")

suite = Suite({})

# NumPy's tests of all ufuncs find them in its name space.
for name, ufunc in _core.ufuncs.items():
    setattr(np, f"bridle_{name}", ufunc)


class Replaced:
    """A ufunc of NumPy that is a function of bridle where the operands are float32 or float64."""

    def __init__(self, ufunc, function):
        self.ufunc, self.function = ufunc, function

    def __getattr__(self, name):
        return getattr(self.ufunc, name)

    def __call__(self, x, *args, **kwargs):
        function = self.function if x.dtype in (np.float32, np.float64) else self.ufunc
        return function(x, *args, **kwargs)


class NumPy:
    """NumPy as the tests of overlap see it. Their operands are not negative."""

    def __getattr__(self, name):
        return getattr(np, name)


def replaces(name):
    def put(function):
        suite.replaces(NumPy, name)(function)
        setattr(NumPy, name, Replaced(getattr(np, name), getattr(NumPy, name)))

    return put


@replaces("invert")
def invert(x, **kwargs):
    return br.soft_threshold(x, 3.0, **kwargs)


@replaces("negative")
def negative(x, **kwargs):
    return br.prox_elastic_net(x, 3.0, 0.5, **kwargs)


@replaces("reciprocal")
def reciprocal(x, **kwargs):
    return br.decay(x, 0.25, **kwargs)


@replaces("add")
def add(x, y, **kwargs):
    return br.soft_threshold(x, y, **kwargs)


test_mem_overlap.np = NumPy()
check = test_mem_overlap.TestUFunc.check_unary_fuzz


@suite.replaces(test_mem_overlap.TestUFunc, "check_unary_fuzz")
def check_unary_fuzz(self, operation, size, dtype, count=5000):
    check(self, operation, size, {np.int16: np.float32, np.complex128: np.float64}[dtype], count)


if __name__ == "__main__":
    names = " or ".join(ufunc.__name__ for ufunc in _core.ufuncs.values())
    every_ufunc = f"(test_ufunc_types or test_ufunc_noncontiguous) and ({names})"
    overlap = "test_mem_overlap and (call or 1d_manual)"
    files = [TESTS / "test_ufunc.py", TESTS / "test_mem_overlap.py"]
    suite.run(files, "-k", f"{every_ufunc} or {overlap}")
