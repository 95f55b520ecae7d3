"""The command ``bridle``."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import bridle as br

DESCRIPTION = "Regularization of large weight arrays."
COMPARE = """\
Train the same small network without regularization and with each kind, and
show what each does: L1, L2, elastic net, dropout, early stopping, and all of
them together. The table shows how many weights become exactly zero, the norms
of the weights, the accuracy on training and on unseen samples, the gap between
the two, and the time. A report with pictures is written to a folder:
index.html to look at, results.csv and results.json for programs.

Without --data, the network learns handwritten digits, which scikit-learn
brings along; nothing is downloaded. With --data, it learns to tell the labels
in a column of a CSV file from the other columns, which must be numbers.
"""
COMPARE_EXAMPLES = """\
examples:
  bridle compare
  bridle compare --seed 7 --epochs 50 --out digits-7
  bridle compare --data flowers.csv --target species --out flowers

The same seed gives the same results, except for the times, on any number of
threads. Needs the extra packages of: pip install "bridle[compare]"
"""
DEFAULT_EPOCHS = 100


class _UsageError(Exception):
    """Something that the user can put right."""


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv`, by default the process's own, and return its exit code."""
    program = "bridle"
    try:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")
        arguments = _parser().parse_args(argv)
        program = arguments.program
        arguments.command(arguments)
        sys.stdout.flush()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except _UsageError as error:
        print(f"{program}: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{program}: interrupted", file=sys.stderr)
        return 130
    except OSError as error:
        if not isinstance(error, BrokenPipeError):
            print(f"{program}: {error}", file=sys.stderr)
        # What is left cannot be written; the interpreter must not try again at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def _info(_: argparse.Namespace) -> None:
    br.show_config()


def _compare(arguments: argparse.Namespace) -> None:
    from bridle._compare import CompareError
    from bridle._compare.run import Options, run

    names = ("data", "target", "out", "epochs", "seed", "threads")
    try:
        run(Options(**{name: getattr(arguments, name) for name in names}))
    except CompareError as error:
        raise _UsageError(str(error)) from None


def _parser() -> _Parser:
    parser = _Parser(prog="bridle", description=DESCRIPTION, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"bridle {br.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    info = commands.add_parser(
        "info",
        help="show version, instruction sets, threads and OpenMP runtime",
        description="Show version, instruction sets, threads and OpenMP runtime.",
    )
    info.set_defaults(program=info.prog, command=_info)
    compare = commands.add_parser(
        "compare",
        help="train a small network with each regularization and compare",
        description=COMPARE,
        epilog=COMPARE_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    compare.set_defaults(program=compare.prog, command=_compare)
    _add_compare_options(compare)
    return parser


def _add_compare_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, metavar="FILE", help="CSV file with a header line (default: digits)"
    )
    parser.add_argument("--target", metavar="COLUMN", help="column of FILE that holds the labels")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        default=Path("bridle-report"),
        help="where to write the report (default: %(default)s)",
    )
    parser.add_argument(
        "--epochs",
        type=_whole_number(1, 1_000_000),
        metavar="N",
        default=DEFAULT_EPOCHS,
        help="how often each training sample is seen (default: %(default)s)",
    )
    parser.add_argument(
        "--seed",
        type=_whole_number(0, 2**64 - 1),
        metavar="N",
        default=0,
        help="of everything random: split, initial weights, order, dropout (default: %(default)s)",
    )
    parser.add_argument(
        "--threads",
        type=_whole_number(1, 65535),
        metavar="N",
        help="threads of bridle (default: all)",
    )


def _whole_number(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(
                f"must be a whole number from {least} to {most}, got {text!r}"
            )
        return number

    return parse
