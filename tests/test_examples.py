"""The examples do what they say, with the package that is installed."""

import importlib.util
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import bridle as br

EXAMPLES = Path(__file__).parents[1] / "examples"


def run(*command, cwd=None):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def needs_programs(*names):
    missing = [name for name in names if not shutil.which(name)]
    if missing:
        pytest.skip(f"there is no {', '.join(missing)}")


def example(name):
    """Import an example that guards its `main`."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_kernel_in_numba():
    pytest.importorskip("numba")
    assert "zeros" in run(sys.executable, EXAMPLES / "numba_kernel.py")


def test_the_kernel_in_cython(tmp_path):
    pytest.importorskip("Cython")
    pytest.importorskip("setuptools")
    needs_programs("cc")
    copy = shutil.copytree(EXAMPLES / "cython_kernel", tmp_path / "kernel")
    run(sys.executable, "setup.py", "build_ext", "--inplace", cwd=copy)
    assert "zeros" in run(sys.executable, "check.py", cwd=copy)


def test_the_regression_in_chunks():
    pytest.importorskip("dask.distributed")
    printed = run(sys.executable, EXAMPLES / "dask_logistic.py", "--rows=2e4", "--chunk=4e3")
    assert "converged: True" in printed
    assert printed.count("chunks has the bits of one array: True") == 3


def test_the_optimizer_in_cpp(tmp_path):
    needs_programs("cmake", "ctest", "c++", "make")
    package = f"-Dbridle_DIR={br.get_cmake_dir()}"
    run("cmake", "-S", EXAMPLES / "cpp", "-B", tmp_path, "-G", "Unix Makefiles", package)
    run("cmake", "--build", tmp_path)
    assert "100% tests passed" in run("ctest", "--test-dir", tmp_path)


ELEMENTS, BUCKET, STEPS = 1_200_007, 30_000, 2  # each array alone is larger than what is allowed
LIMITED = """
import importlib.util, resource, sys
from pathlib import Path

spec = importlib.util.spec_from_file_location("example", {path!r})
example = importlib.util.module_from_spec(spec)
spec.loader.exec_module(example)
folder = Path({folder!r})
model = example.Model(folder / "large", {elements}, {bucket})
model.create()
small = example.Model(folder / "small", 2 * {bucket}, {bucket})
small.create()
small.step(1)  # wakes the threads, which take some memory once
pages = int(Path("/proc/self/statm").read_text().split()[0])
allowed = pages * resource.getpagesize() + 2 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (allowed, allowed))
try:
    model.halves("gradient", slice(0, {elements}), "r")
    print("there is no limit")
except OSError:
    pass
for number in range(1, {steps} + 1):
    print(*model.step(number))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits memory as Linux does")
def test_files_may_be_larger_than_the_memory(tmp_path, run_python, assert_same_bits):
    path = EXAMPLES / "larger_than_memory.py"
    program = LIMITED.format(
        path=str(path), folder=str(tmp_path), elements=ELEMENTS, bucket=BUCKET, steps=STEPS
    )
    done = run_python(program, MALLOC_MMAP_THRESHOLD_="65536")
    assert done.returncode == 0, done.stderr
    module = example("larger_than_memory")
    start = module.Model(tmp_path / "start", ELEMENTS, BUCKET)
    start.create()
    everything = slice(0, ELEMENTS)
    w, m, v = (start.state(0, name, everything, "c") for name in module.STATE)
    gradient = start.halves("gradient", everything, "r")
    copy = np.zeros_like(gradient)
    options = {"l1": module.L1, "weight_decay": module.WEIGHT_DECAY, "copy_out": copy}
    options |= {"rounding": "stochastic", "seed": module.SEED}
    lines = done.stdout.splitlines()
    for number in range(1, STEPS + 1):
        expected = br.adamw_update(w, gradient, m, v, module.LEARNING_RATE, number, **options)
        penalty, nonzeros, finite = lines[number - 1].split()
        assert float(penalty) == pytest.approx(expected.penalty, rel=1e-13)
        assert (int(nonzeros), finite) == (expected.nonzeros, "True")
    large = module.Model(tmp_path / "large", ELEMENTS, BUCKET)
    for name, array in zip(module.STATE, (w, m, v), strict=True):
        assert_same_bits(large.state(STEPS, name, everything, "r"), array, name)
    assert_same_bits(large.halves("weights_in_bfloat16", everything, "r"), copy)


# Runs an example that is killed at an update by number.
KILLED = """
import os, runpy, signal, sys
import bridle as br
update, calls = br.adamw_update, 0
def adamw_update(*arguments, **keywords):
    global calls
    summary = update(*arguments, **keywords)
    calls += 1
    if calls == {moment}:
        os.kill(os.getpid(), signal.SIGKILL)
    return summary
br.adamw_update = adamw_update
sys.argv = {argv!r}
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_a_step_over_files_that_was_killed_is_made_again(tmp_path):
    path = str(EXAMPLES / "larger_than_memory.py")
    argv = [path, "--elements=60000", "--bucket=10000", "--steps=4", "--folder"]
    once, often = tmp_path / "once", tmp_path / "often"
    run(sys.executable, *argv, str(once))
    for moment in (3, 15):  # of six in a step
        program = KILLED.format(moment=moment, argv=[*argv, str(often)])
        killed = subprocess.run([sys.executable, "-c", program], capture_output=True)
        assert killed.returncode == -signal.SIGKILL
    output = run(sys.executable, *argv, str(often))
    assert "2 steps are complete" in output
    assert "step 4:" in output
    names = [file.relative_to(once) for file in once.rglob("*") if file.is_file()]
    assert len(names) == 9
    for name in names:
        assert (often / name).read_bytes() == (once / name).read_bytes(), name
