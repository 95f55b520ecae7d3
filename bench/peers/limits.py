"""The yardsticks of ``bench/limits.cpp``, compiled for this machine when the benchmark starts."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parent.parent / "limits.cpp"
# With BRIDLE_ISA, the yardsticks in cache are to be compiled for the same instruction set.
MARCH = {"baseline": "x86-64-v2", "avx2": "x86-64-v3"}


class Limits:
    """Functions that take addresses (int), sizes in float32 elements and a number of threads."""

    def __init__(self, march: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            library = ctypes.CDLL(str(_compile(march, Path(folder))))
        array, size, threads = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
        self.read: Any = library.bench_limit_read
        self.read.argtypes = [array, size, threads]
        self.read.restype = ctypes.c_float
        self.scale: Any = library.bench_limit_scale
        self.scale.argtypes = [array, ctypes.c_float, size, threads]
        self.copy_streaming: Any = library.bench_limit_copy_streaming
        self.copy_loop: Any = library.bench_limit_copy_loop
        for copy in (self.copy_streaming, self.copy_loop):
            copy.argtypes = [array, array, size, threads]
        self.update: Any = library.bench_limit_update
        self.update.argtypes = [array, array, array, array, size, threads]
        self.read_halves: Any = library.bench_limit_read_halves
        self.read_halves.argtypes = [array, size, threads]
        self.read_halves.restype = ctypes.c_float
        self.add_halves: Any = library.bench_limit_add_halves
        self.halve_streaming: Any = library.bench_limit_halve_streaming
        self.double_streaming: Any = library.bench_limit_double_streaming
        for pair in (self.add_halves, self.halve_streaming, self.double_streaming):
            pair.argtypes, pair.restype = [array, array, size, threads], None
        for function in (self.update, self.scale, self.copy_streaming, self.copy_loop):
            function.restype = None


def instruction_set_flag(config: dict[str, Any]) -> str:
    """Return the value of ``-march`` for the instruction set that bridle uses."""
    chosen, available = config["instruction_set"], config["available_instruction_sets"]
    return "native" if chosen == available[-1] else MARCH[chosen]


def _compile(march: str, folder: Path) -> Path:
    compiler = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++")
    if compiler is None:
        raise SystemExit("bench.peers: a C++ compiler is needed to measure the limits of memory")
    library = folder / "limits.so"
    flags = ["-std=c++20", "-O3", f"-march={march}", "-fopenmp", "-shared", "-fPIC"]
    try:
        subprocess.run([*compiler.split(), *flags, str(SOURCE), "-o", str(library)], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SystemExit(f"bench.peers: cannot compile {SOURCE.name}: {error}") from None
    return library
