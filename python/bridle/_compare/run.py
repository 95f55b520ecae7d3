"""One comparison from beginning to end."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import bridle as br
from bridle._compare import CompareError, require_extra_packages
from bridle._compare.comparison import Comparison, Trials
from bridle._compare.console import print_results, progress
from bridle._compare.data import Dataset, load_digits, load_file
from bridle._compare.folder import PAGE, prepare_folder, write_report
from bridle._compare.methods import METHODS, NONE, Method, Model
from bridle._compare.network import weight_count
from bridle._compare.report import Report
from bridle._compare.results import Results
from bridle._compare.table import read_table
from bridle._compare.training import plan, reproducible

INTERRUPTED = 130
LARGE = 2**20
"""A model with so many weights is worth more than one thread."""


@dataclass(frozen=True)
class Options:
    """The command line of ``bridle compare``."""

    data: Path | None = None
    target: str | None = None
    task: Literal["auto", "classification", "regression"] = "auto"
    model: Model = "network"
    methods: Sequence[str] | None = None
    strengths: Mapping[str, Sequence[float]] | None = None
    repeats: int | None = None
    ignore: Sequence[str] = ()
    missing: Literal["error", "drop", "mean"] = "error"
    epochs: int | None = None
    seed: int = 0
    threads: int | None = None
    out: Path = Path("bridle-report")
    quick: bool = False

    @property
    def command(self) -> str:
        """The command line that repeats the comparison."""
        words = ["bridle", "compare"]
        for name, value in vars(self).items():
            if name == "strengths":
                grids = (value or {}).items()
                values = [f"{method}={','.join(map(str, grid))}" for method, grid in grids]
            elif name == "methods":
                values = [] if value is None else [",".join(value)]
            elif name == "ignore":
                values = value
            elif name == "quick":
                words += ["--quick"] if value else []
                continue
            else:
                is_given = value != getattr(Options, name) or name in SHOWN
                values = [str(value)] if is_given else []
            for text in values:
                # What begins with a hyphen would be taken for an option.
                words += [f"--{name}={text}"] if text.startswith("-") else [f"--{name}", text]
        return shlex.join(words)


SHOWN = ("seed", "out")
"""Options that the command line to repeat a comparison names even where they were not given."""


def run(options: Options) -> int:
    """Compare the methods, write the report, print the table; return the exit code.

    Raises
    ------
    CompareError
        Before any training, if something is wrong with the options, the data or the folder.
    """
    trials = _trials(options)
    if (options.data is None) != (options.target is None):
        raise CompareError("--data FILE and --target COLUMN belong together")
    require_extra_packages()
    data = _load(options)
    prepare_folder(options.out)
    settings = plan(
        options.model,
        data.samples["training"],
        options.seed,
        options.repeats,
        options.epochs,
        options.quick,
    )
    weights = weight_count((len(data.table.names), *settings.hidden, data.task.outputs))
    threads = options.threads or (br.get_num_threads() if weights >= LARGE else 1)
    comparison = Comparison(data, settings, trials)
    print(data.summary, file=sys.stderr)
    for note in data.notes:
        print(f"note: {note}", file=sys.stderr)
    with reproducible(threads), progress(sys.stderr, settings.repeats) as shown:
        comparison.run(shown)
    results = Results(comparison)
    if len(results.rows) < 2:
        raise KeyboardInterrupt
    write_report(Report(results, threads, options.command), options.out)
    print_results(results, options.out / PAGE, sys.stdout)
    return 0 if comparison.complete else INTERRUPTED


def _load(options: Options) -> Dataset:
    if options.data is None or options.target is None:
        return load_digits(options.seed)
    table = read_table(
        options.data,
        options.target,
        task=options.task,
        missing=options.missing,
        ignore=options.ignore,
    )
    return load_file(options.data, options.target, table)


def _trials(options: Options) -> list[Trials]:
    """Return the methods to compare with their grids; the plain model is always among them.

    Raises
    ------
    CompareError
        If a method or a strength is not one, or a strength is of a method that is not compared.
    """
    given = options.strengths or {}
    wanted = set(options.methods or (method.name for method in METHODS)) | {NONE.name}
    for name in (*wanted, *given):
        _method(name)
    for name in given:
        if name == NONE.name:
            raise CompareError("--strengths: none has no strength")
        if name not in wanted:
            raise CompareError(f"--strengths: {name} is not among the methods compared")
    return [_one(m, given.get(m.name), options.model) for m in METHODS if m.name in wanted]


def _one(method: Method, given: Sequence[float] | None, model: Model) -> Trials:
    if given is None:
        return Trials(method, list(method.grid(model)), may_extend=method is not NONE)
    for strength in given:
        if not method.scale.allows(strength):
            raise CompareError(
                f"--strengths: {method.name} must be {method.scale.rule}, got {strength:g}"
            )
    return Trials(method, method.scale.ordered(given), may_extend=False)


def _method(name: str) -> Method:
    for method in METHODS:
        if method.name == name:
            return method
    names = ", ".join(method.name for method in METHODS)
    raise CompareError(f"no method {name!r}; the methods are {names}")
