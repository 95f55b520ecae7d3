"""One comparison from beginning to end."""

from __future__ import annotations

import shlex
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import bridle as br
from bridle._compare import CompareError, require_extra_packages
from bridle._compare.console import print_table, train_with_progress
from bridle._compare.data import load_csv, load_digits
from bridle._compare.methods import METHODS, Method
from bridle._compare.report import PAGE, Report, prepare_folder, write_report
from bridle._compare.training import Result, Settings, reproducible, train


@dataclass(frozen=True)
class Options:
    """The command line of ``bridle compare``."""

    data: Path | None
    target: str | None
    out: Path
    epochs: int
    seed: int
    threads: int | None

    @property
    def command(self) -> str:
        """The command line that repeats the comparison."""
        words = ["bridle", "compare"]
        for name in ("data", "target", "epochs", "seed", "threads", "out"):
            value = getattr(self, name)
            if value is not None:
                words += [f"--{name}", str(value)]
        return shlex.join(words)


def run(options: Options) -> None:
    """Compare all methods, write the report and print the table.

    Raises
    ------
    CompareError
        Before any training, if something is wrong with the options, the data or the folder.
    """
    if (options.data is None) != (options.target is None):
        raise CompareError("--data FILE and --target COLUMN belong together")
    require_extra_packages()
    if options.data is None or options.target is None:
        data = load_digits(options.seed)
    else:
        data = load_csv(options.data, options.target, options.seed)
    prepare_folder(options.out)
    settings = Settings(epochs=options.epochs, seed=options.seed)

    def train_one(method: Method, on_epoch: Callable[[], None]) -> Result:
        return train(method, data, settings, on_epoch)

    print(data.summary, file=sys.stderr)
    with reproducible(options.threads):
        threads = br.get_num_threads()
        results = train_with_progress(METHODS, settings.epochs, train_one, sys.stderr)
    write_report(Report(data, settings, threads, options.command, results), options.out)
    print_table(results, sys.stdout)
    print("", *textwrap.wrap(data.note, 79), f"Report: {options.out / PAGE}", sep="\n")
