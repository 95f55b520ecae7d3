"""The facts about machine, software and disturbance that a number means nothing without."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from bench.peers.arrays import torch

import bridle as br

T = TypeVar("T")
QUIET = 0.05  # the share of the processors' time that others may take
TICKS = os.sysconf("SC_CLK_TCK")
PACKAGES = ("bridle", "numpy", "numba", "torch")
VARIABLES = ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "OMP_PROC_BIND", "GOMP_SPINCOUNT", "BRIDLE_ISA")


def facts(threads: int) -> dict[str, str]:
    """Return what stays the same during a run."""
    config: dict[str, Any] = br.show_config(mode="dicts") or {}
    versions = [f"{name} {_version(name)}" for name in PACKAGES]
    environment = [f"{name}={os.environ[name]}" for name in VARIABLES if name in os.environ]
    script = ["python", "-m", "bench.peers", *(shlex.quote(a) for a in sys.argv[1:])]
    return {
        "CPU": f"{_cpu_model()}, {len(os.sched_getaffinity(0))} processors, L3 {_level3()}",
        "instruction set": config["instruction_set"],
        "threads": str(threads),
        "system": f"{platform.system()} {platform.release()}, huge pages: {_huge_pages()}",
        "versions": ", ".join([f"Python {platform.python_version()}", *versions]),
        "OpenMP runtimes": ", ".join(_openmp_runtimes()),
        "import order": ", ".join(n for n in sys.modules if n in ("bridle", "torch", "numba")),
        "Numba's threads": os.environ["NUMBA_THREADING_LAYER"],
        "PyTorch's threads": _torch_backend(),
        "command": " ".join([*environment, *script]),
    }


class Disturbance:
    """What else ran on the machine between construction and `share`.

    `children` are processes of our own that still run then.
    """

    def __init__(self, children: Sequence[int] = ()) -> None:
        self._children = children
        self._before = self._now()

    def share(self) -> float:
        """Return the share of the processors' time that other processes and machines took."""
        pairs = zip(self._now(), self._before, strict=True)
        busy, total, own = (after - before for after, before in pairs)
        return max(0.0, busy - own) / max(total, 1e-9)

    def _now(self) -> tuple[float, float, float]:
        fields = _read("/proc/stat").partition("\n")[0].split()[1:9] or ["0"] * 8
        cpu = [int(field) / TICKS for field in fields]
        times = os.times()
        own = times.user + times.system + times.children_user + times.children_system
        own += sum(_processor_seconds(child) for child in self._children)
        return sum(cpu) - cpu[3] - cpu[4], sum(cpu), own  # fields 3 and 4: idle


def quietest(
    measure: Callable[[], T], attempts: int, patience: float, children: Sequence[int] = ()
) -> tuple[T, float]:
    """Measure again where others disturbed it; return the quietest attempt and their share."""
    results: list[tuple[T, float]] = []
    while not results or (results[-1][1] > QUIET and len(results) < attempts):
        wait_until_quiet(patience, children)
        disturbance = Disturbance(children)
        measured = measure()
        results.append((measured, disturbance.share()))
    return min(results, key=lambda result: result[1])


def wait_until_quiet(patience: float, children: Sequence[int] = ()) -> None:
    """Return when others have left the processors alone for two seconds, or patience ends."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        disturbance = Disturbance(children)
        time.sleep(2.0)
        if disturbance.share() <= QUIET:
            break


def _read(path: str) -> str:
    """Return the text of a file that only Linux has."""
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def _processor_seconds(process: int) -> float:
    """Return what all threads of a running process have used."""
    fields = _read(f"/proc/{process}/stat").rpartition(")")[2].split()  # from the third on
    return sum(int(field) for field in fields[11:13]) / TICKS


def _cpu_model() -> str:
    pattern = r"^(model name|cpu family|model)\s*: (.*)$"
    found = dict(re.findall(pattern, _read("/proc/cpuinfo"), re.MULTILINE))
    name = found.get("model name", platform.machine())
    return f"{name} (family {found.get('cpu family', '?')}, model {found.get('model', '?')})"


def _level3() -> str:
    return _read("/sys/devices/system/cpu/cpu0/cache/index3/size").strip() or "unknown"


def _huge_pages() -> str:
    match = re.search(r"\[(.*)\]", _read("/sys/kernel/mm/transparent_hugepage/enabled"))
    return match[1] if match else "unknown"


def _openmp_runtimes() -> list[str]:
    """Return the names of the OpenMP libraries in this process, a package's own with its name."""
    maps = _read("/proc/self/maps")
    paths = sorted(set(re.findall(r"/\S*/lib[gi]?omp[^/\s]*\.so\S*", maps)))
    package = "site-packages/"
    return [p.split(package)[-1] if package in p else Path(p).name for p in paths]


def _torch_backend() -> str:
    if not torch:
        return "not installed"
    match = re.search(r"ATen parallel backend: (.*)", torch.__config__.parallel_info())
    return match[1] if match else "unknown"


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
