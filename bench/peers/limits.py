"""The yardsticks of ``bench/limits.cpp``, and a peer, compiled here when the benchmark starts."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

SOURCES = Path(__file__).resolve().parent.parent
# As numerical code is compiled that fuses no multiplication with an addition.
PLAIN = ("-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math")
# With BRIDLE_ISA, the yardsticks in cache are to be compiled for the same instruction set.
MARCH = {"baseline": "x86-64-v2", "avx2": "x86-64-v3"}


class Limits:
    """Functions that take addresses (int), sizes in float32 elements and a number of threads."""

    def __init__(self, march: str) -> None:
        library = _compiled("limits.cpp", march)
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
        self.update_mixed: Any = library.bench_limit_update_mixed
        self.update_halves: Any = library.bench_limit_update_halves
        for mixed in (self.update_mixed, self.update_halves):
            mixed.argtypes, mixed.restype = [array] * 5 + [size, threads], None
        self.update_rows: Any = library.bench_limit_update_rows
        self.update_rows.argtypes = [array] * 5 + [size, size, threads]
        self.update_rows.restype = None
        for function in (self.update, self.scale, self.copy_streaming, self.copy_loop):
            function.restype = None


def instruction_set_flag(config: dict[str, Any]) -> str:
    """Return the value of ``-march`` for the instruction set that bridle uses."""
    chosen, available = config["instruction_set"], config["available_instruction_sets"]
    return "native" if chosen == available[-1] else MARCH[chosen]


class Fused:
    """The peer of ``bench/fused.cpp``, which takes addresses, too."""

    def __init__(self, march: str) -> None:
        self.adamw: Any = _compiled("fused.cpp", march, *PLAIN).bench_fused_adamw
        number, integer = ctypes.c_float, ctypes.c_int
        numbers = [ctypes.c_size_t, number, number, integer, integer]
        self.adamw.argtypes = [ctypes.c_void_p] * 5 + numbers
        self.adamw.restype = None


def _compiled(source: str, march: str, *more: str) -> ctypes.CDLL:
    compiler = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++")
    if compiler is None:
        raise SystemExit("bench.peers: a C++ compiler is needed to measure the limits of memory")
    flags = ["-std=c++20", "-O3", f"-march={march}", "-fopenmp", "-shared", "-fPIC", *more]
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "library.so"
        command = [*compiler.split(), *flags, str(SOURCES / source), "-o", str(library)]
        try:
            subprocess.run(command, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise SystemExit(f"bench.peers: cannot compile {source}: {error}") from None
        return ctypes.CDLL(str(library))
