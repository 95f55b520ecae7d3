"""The interface to XLA: its layout, and calls that nobody should make."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

jax = pytest.importorskip("jax")

import bridle.jax  # noqa: E402, F401

HERE = Path(__file__).parent
SOURCES = HERE.parents[1] / "cpp" / "src"


@pytest.mark.skipif(shutil.which("c++") is None, reason="needs a C++ compiler")
def test_the_layout_is_that_of_the_header_of_xla():
    command = ["c++", "-std=c++20", "-fsyntax-only", f"-I{SOURCES}", f"-I{jax.ffi.include_dir()}"]
    done = subprocess.run([*command, str(HERE / "layout.cpp")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


X = np.ones((3, 4), np.float32)
NUMBER = np.float32(0.5)
BYTES = np.zeros(8, np.uint8)


@pytest.mark.parametrize(
    ("name", "result", "arguments", "attributes"),
    [
        ("soft_threshold", X, (X,), {}),
        ("soft_threshold", X, (X, NUMBER, NUMBER), {}),
        ("soft_threshold", X, (X, np.int32(1)), {}),
        ("soft_threshold", X, (X, np.ones(5, np.float32)), {}),
        ("soft_threshold", X, (X, np.ones((3, 1), np.float32)), {}),
        ("soft_threshold", X[0], (X, NUMBER), {}),
        ("soft_threshold", X.astype(np.int32), (X.astype(np.int32), NUMBER), {}),
        ("prox_elastic_net", X, (X, X[:, 0], X[0], NUMBER), {}),
        ("l1_penalty", NUMBER, (X,), {}),
        ("l1_penalty", X[0], (X, NUMBER), {}),
        ("l1_penalty", X[:, 0], (X, X[0]), {}),
        ("l1_penalty", np.int32(1), (X, NUMBER), {}),
        ("l1_penalty", NUMBER, (X, np.int32(1)), {}),
        ("dropout", X, (X, BYTES, BYTES, BYTES, BYTES), {}),
        ("dropout", X, (X, BYTES, BYTES, BYTES, BYTES), {"noise": np.int64(1)}),
        ("dropout", X, (X, BYTES, BYTES, BYTES, BYTES), {"noise": np.ones(1, np.int64)}),
        ("dropout", X, (X, BYTES, BYTES, BYTES, BYTES), {"noise": np.ones(4, np.int32)}),
        ("dropout", X, (X, BYTES, BYTES, BYTES, BYTES), {"noise": np.ones(5, np.int64)}),
        ("dropout", X, (X, BYTES, BYTES, BYTES, NUMBER), {"noise": np.ones(4, np.int64)}),
        ("dropout", X, (X, BYTES, BYTES, BYTES[:7], BYTES), {"noise": np.ones(4, np.int64)}),
        ("dropout", X[0], (X, BYTES, BYTES, BYTES, BYTES), {"noise": np.ones(4, np.int64)}),
    ],
)
def test_a_call_that_fits_no_operator_is_an_error(name, result, arguments, attributes, error_of):
    like = jax.ShapeDtypeStruct(result.shape, result.dtype)
    call = jax.ffi.ffi_call(f"bridle_{name}", like)
    assert f"{name}: " in error_of(lambda: call(*arguments, **attributes))


def test_importing_bridle_imports_no_jax(run_python):
    done = run_python("import sys, bridle; assert not {'jax', 'optax'} & {*sys.modules}")
    assert done.returncode == 0, done.stderr
    done = run_python("import sys, bridle.jax; assert 'optax' not in sys.modules")
    assert done.returncode == 0, done.stderr
