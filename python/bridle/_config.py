"""Threads, and what this build and this machine are."""

from __future__ import annotations

import operator
import os
import re
import warnings
from typing import Any, SupportsIndex

from bridle import _core
from bridle._call import refuse_masked

MOST_THREADS = 65535

__all__ = ["get_num_threads", "set_num_threads", "show_config"]


def warn_of_environment() -> None:
    """Warn of a number of threads in the environment that the core overlooks."""
    text = os.environ.get("BRIDLE_NUM_THREADS", "1")
    if not re.fullmatch("0*[1-9][0-9]{0,4}", text) or int(text) > MOST_THREADS:
        rule = f"must be a whole number between 1 and {MOST_THREADS}"
        message = f"BRIDLE_NUM_THREADS {rule}, got {text!r}, which is ignored"
        warnings.warn(message, RuntimeWarning, stacklevel=3)  # where bridle is imported


def get_num_threads() -> int:
    """Return the number of threads that a call on a large array uses.

    It is the number given to `set_num_threads`, else the environment variable
    ``BRIDLE_NUM_THREADS``, else what the OpenMP runtime was told (``OMP_NUM_THREADS``,
    ``OMP_THREAD_LIMIT``, threadpoolctl; a build without OpenMP follows ``OMP_NUM_THREADS`` alone),
    else the number of processors that the thread may run on and the quota of its control groups
    grants. It is true in a forked child, too. Results never depend on it.

    Returns
    -------
    int

    See Also
    --------
    set_num_threads : Sets it for all threads that call bridle.

    Notes
    -----
    A limit of threadpoolctl holds only in the thread that set it, since OpenMP keeps one number for
    each: calls from the other threads of a pool, or in a worker of a data loader, are not limited.
    A ``BRIDLE_NUM_THREADS`` that is no whole number from 1 to 65535 is ignored with a warning when
    bridle is imported.

    Examples
    --------
    >>> import bridle as br
    >>> br.get_num_threads() >= 1
    True
    """
    return _core.get_num_threads()


def set_num_threads(n: SupportsIndex) -> None:
    """Set the number of threads that a call on a large array uses, in bridle alone.

    It holds in all threads of the process, unlike a limit of threadpoolctl, which it overrules.

    Parameters
    ----------
    n : int
        At least 1.

    Raises
    ------
    ValueError
        If ``n`` is below 1 or above 65535.

    Examples
    --------
    >>> import bridle as br
    >>> before = br.get_num_threads()
    >>> br.set_num_threads(1)
    >>> br.get_num_threads()
    1
    >>> br.set_num_threads(before)
    """
    refuse_masked("set_num_threads", "n", n)
    number = operator.index(n)
    if not 1 <= number <= MOST_THREADS:
        raise ValueError(f"set_num_threads: n must be between 1 and {MOST_THREADS}, got {number}")
    _core.set_num_threads(number)


def show_config(mode: str = "stdout") -> dict[str, Any] | None:
    """Show the version, the instruction set and the OpenMP runtime in use.

    Parameters
    ----------
    mode : {"stdout", "dicts"}
        Print the facts, or return them.

    Returns
    -------
    dict or None
        With the keys ``version``, ``instruction_set``, ``available_instruction_sets``, ``threads``
        and ``openmp_runtime`` (path of the library, empty without one), if ``mode`` is "dicts".

    Raises
    ------
    ValueError
        If ``mode`` is anything else.

    Examples
    --------
    >>> import bridle as br
    >>> sorted(br.show_config(mode="dicts"))
    ['available_instruction_sets', 'instruction_set', 'openmp_runtime', 'threads', 'version']
    """
    if mode not in ("stdout", "dicts"):
        raise ValueError(f"show_config: mode must be 'stdout' or 'dicts', got {mode!r}")
    config = {
        "version": _core.__version__,
        "instruction_set": _core.instruction_set(),
        "available_instruction_sets": _core.available_instruction_sets(),
        "threads": get_num_threads(),
        "openmp_runtime": _core.openmp_runtime(),
    }
    if mode == "dicts":
        return config
    for key, value in config.items():
        text = ", ".join(value) if isinstance(value, list) else value or "none"
        print(f"{key.replace('_', ' ') + ':':<28}{text}")
    return None
