"""One run: every row is verified and timed, and the report is written."""

from __future__ import annotations

import argparse
import functools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.peers import works
from bench.peers.arrays import namespace, torch, use_threads
from bench.peers.busy import busy_rows
from bench.peers.chunks import chunks
from bench.peers.donated import donated
from bench.peers.limits import Fused, Limits, instruction_set_flag
from bench.peers.machine import facts, quietest
from bench.peers.measure import measure, measure_idle
from bench.peers.models import models
from bench.peers.paths import paths
from bench.peers.plot import plot
from bench.peers.report import Row, to_json, to_markdown
from bench.peers.slices import slices
from bench.peers.steps import steps
from bench.peers.verify import VERIFIED, verify
from bench.peers.works import Work

import bridle as br
from bridle._files import write_text

QUICK_SIZES = {"memory": 200_000, "cache": 20_000}


def run(arguments: argparse.Namespace) -> int:
    use_threads(arguments.threads)
    rows = [] if arguments.busy else _rows(arguments)
    if arguments.busy or arguments.quick:
        rows += busy_rows(arguments)
    _write(arguments, facts(arguments.threads), rows)
    return 0


def _rows(arguments: argparse.Namespace) -> list[Row]:
    """Verify and time the rows for which the machine should be quiet."""
    config: dict[str, Any] = br.show_config(mode="dicts") or {}
    march = instruction_set_flag(config)
    limits, fused = Limits(march), Fused(march)
    rows: list[Row] = []
    short = namespace(VERIFIED, arguments.threads, limits, fused)
    names = short
    for work in _works(arguments, config["instruction_set"]):
        if names["n"] != work.size:
            names = namespace(work.size, arguments.threads, limits, fused)
        exec(work.prepare, names)
        print(work.name, file=sys.stderr, flush=True)
        errors = verify(work, names, short)
        how = measure_idle if work.check == "none" else measure
        timed = functools.partial(how, work, names, arguments.quick)
        timings, disturbance = quietest(timed, arguments.attempts, arguments.patience)
        rows.append(Row(work, timings, errors, disturbance))
    return rows + _with_avx2(arguments, config)


def _works(arguments: argparse.Namespace, instruction_set: str) -> Iterator[Work]:
    sizes = {"memory": int(arguments.size), "cache": works.CACHED}
    if arguments.quick:
        sizes = QUICK_SIZES
    everything = [
        *works.in_memory(sizes["memory"]),
        *works.dropouts(sizes["memory"], instruction_set),
        *works.snapshots(sizes["memory"]),
        *works.updates(sizes["memory"], sizes["cache"]),
        *slices(sizes["memory"]),
        *models(sizes["memory"]),
        *steps(sizes["memory"], sizes["cache"]),
        *paths(sizes["memory"]),
        *chunks(sizes["memory"], sizes["cache"]),
        *works.in_cache(sizes["cache"]),
        *works.small(),
        *works.idle(sizes["cache"]),
        *donated(sizes["memory"]),
    ]
    chosen = (work for work in everything if arguments.only in work.name)
    return chosen if torch else (work.without("PyTorch") for work in chosen)


def _with_avx2(arguments: argparse.Namespace, config: dict[str, Any]) -> list[Row]:
    """The rows of dropout for AVX2, from a process of its own, where this one has more."""
    if config["instruction_set"] != "avx512" or arguments.only not in "dropout (avx2)":
        return []
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "bench.peers", "--only", "(avx2)", "--out", folder]
        command += ["--size", str(arguments.size), "--threads", str(arguments.threads)]
        command += ["--attempts", str(arguments.attempts), "--patience", str(arguments.patience)]
        command += ["--import-order", arguments.import_order]
        command += ["--quick"] if arguments.quick else []
        environment = os.environ | {"BRIDLE_ISA": "avx2"}
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
        data = json.loads((Path(folder) / "peers.json").read_text())
    return [Row.from_json(row) for row in data["rows"]]


def _write(arguments: argparse.Namespace, about: dict[str, str], rows: list[Row]) -> None:
    arguments.out.mkdir(parents=True, exist_ok=True)
    text = to_markdown(about, rows, judged=not arguments.quick)
    name = "busy" if arguments.busy else "peers"
    write_text(arguments.out / f"{name}.md", text)
    write_text(arguments.out / f"{name}.json", to_json(about, rows))
    plot(rows, arguments.out / "peers.png")
    print(text)
