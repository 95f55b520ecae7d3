"""Command line: see ``python -m bench.peers --help``."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
from pathlib import Path

ORDERS = {"bridle-first": ("bridle", "torch"), "torch-first": ("torch", "bridle")}


def main() -> int:
    arguments = _parser().parse_args()
    if arguments.quick:
        arguments.attempts = 1
    threads = str(arguments.threads)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", threads)
    # Numba's own pool would spin beside the OpenMP runtime that all others share.
    os.environ.setdefault("NUMBA_THREADING_LAYER", "omp")
    os.environ.setdefault("NUMBA_NUM_THREADS", threads)
    for name in ORDERS[arguments.import_order]:
        with contextlib.suppress(ModuleNotFoundError):  # PyTorch is optional here
            importlib.import_module(name)
    # Not before: they import everything.
    from bench.peers.busy import serve
    from bench.peers.run import run

    return serve(arguments.serve, arguments.threads) if arguments.serve else run(arguments)


def _counts(text: str) -> tuple[int, ...]:
    return tuple(int(count) for count in text.split(","))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench.peers",
        description="Time bridle beside NumPy, Numba, PyTorch and the limits of memory.",
        allow_abbrev=False,
    )
    parser.add_argument("--size", type=float, default=1e8, help="of large arrays (default: 1e8)")
    parser.add_argument("--quick", action="store_true", help="everything once, on small arrays")
    parser.add_argument(
        "--busy",
        type=_counts,
        metavar="PROCESSES",
        nargs="?",
        const="0,1,2",
        help="the rows beside so many busy processes instead (default: 0,1,2)",
    )
    parser.add_argument("--serve", default="", help=argparse.SUPPRESS)  # bench.peers.busy
    parser.add_argument("--only", default="", metavar="TEXT", help="rows whose name contains TEXT")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        default=Path("build/peers"),
        help="where peers.md, peers.json and peers.png, with one more picture for each family, or"
        " busy.md and busy.json, are written (default: %(default)s)",
    )
    parser.add_argument(
        "--threads",
        type=int,
        metavar="N",
        default=len(os.sched_getaffinity(0)),
        help="of every contender (default: all)",
    )
    parser.add_argument(
        "--attempts",
        type=int,
        metavar="N",
        default=3,
        help="at a row during which others took over 5 %% of the processors (default: 3)",
    )
    parser.add_argument(
        "--patience",
        type=float,
        metavar="SECONDS",
        default=0.0,
        help="wait that long for a quiet machine before each attempt (default: 0)",
    )
    parser.add_argument(
        "--import-order",
        choices=list(ORDERS),
        default="bridle-first",
        help="which OpenMP runtime is loaded first (default: %(default)s)",
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
