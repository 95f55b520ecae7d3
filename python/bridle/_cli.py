"""The command ``bridle``."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import bridle as br

DESCRIPTION = "Regularization of large weight arrays."
COMPARE = """\
Does regularization help on your data, which, how strong, and how sure is that?
Train the same model without regularization and with each kind: L1, L2, elastic
net, dropout, early stopping, and all of them together. Each method is tried in
several strengths, of which validation samples choose one; everything is
repeated with other splits of the data and other initial weights, and judged by
samples that had no part in either. A method is named best only where it is
better by more than chance explains. A report with pictures is written to a
folder: index.html to look at, results.csv and results.json for programs.

Without --data, a network learns handwritten digits, which scikit-learn brings
along; nothing is downloaded. With --data, it learns to predict a column of a
file from the other columns: classes, or a number. The file has a line of names
and below it values separated by commas, semicolons, tabs, | or blanks, in any
usual encoding, with decimal points or commas. Texts become one column of 0 and
1 per value; dates, and texts of more than 50 different values, must be left out
with --ignore. What is wrong with a file is listed at once.
"""
COMPARE_EXAMPLES = """\
examples:
  bridle compare
  bridle compare --data flowers.csv --target species --out flowers
  bridle compare --data houses.csv --target price --ignore id --missing mean
  bridle compare --data genes.csv --target tumour --model linear --methods l1,elastic_net
  bridle compare --strengths l1=0.001,0.002,0.005 --strengths dropout=0.5 --repeats 10

Ctrl-C ends it early, with a report of what was finished. The same seed gives
the same results, except for the times, on any number of threads. Needs the
extra packages of: pip install "bridle[compare]"
"""


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
        code = arguments.command(arguments)
        sys.stdout.flush()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except _UsageError as error:
        for line in str(error).splitlines():
            print(f"{program}: {' '.join(line.split())}", file=sys.stderr)
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
    return int(code)


def _info(_: argparse.Namespace) -> int:
    br.show_config()
    return 0


def _compare(arguments: argparse.Namespace) -> int:
    from bridle._compare import CompareError
    from bridle._compare.run import Options, run

    try:
        return run(Options(**{name: getattr(arguments, name) for name in vars(Options())}))
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
    data = parser.add_argument_group("what to learn")
    data.add_argument("--data", type=Path, metavar="FILE", help="CSV file (default: digits)")
    data.add_argument("--target", metavar="COLUMN", help="column of FILE to predict")
    data.add_argument(
        "--task",
        choices=("auto", "classification", "regression"),
        default="auto",
        help="what COLUMN holds (default: seen from its values)",
    )
    data.add_argument(
        "--ignore",
        action="append",
        default=[],
        metavar="COLUMN",
        help="leave a column of FILE out; may be given several times",
    )
    data.add_argument(
        "--missing",
        choices=("error", "drop", "mean"),
        default="error",
        help="what to do about missing values: drop the row, take the column's mean "
        "(default: %(default)s)",
    )
    how = parser.add_argument_group("how to learn it")
    how.add_argument(
        "--model",
        choices=("network", "linear"),
        default="network",
        help="a network with two hidden layers, or linear or logistic regression, where L1 "
        "selects columns (default: %(default)s)",
    )
    how.add_argument(
        "--methods",
        type=_names,
        metavar="LIST",
        help="of l1,l2,elastic_net,dropout,early_stopping,all; none is always among them "
        "(default: all of these)",
    )
    how.add_argument(
        "--strengths",
        action=_Strengths,
        metavar="METHOD=a,b,c",
        help="strengths to try of a method instead of its own grid; may be given several times",
    )
    how.add_argument(
        "--repeats",
        type=_whole_number(1, 10_000),
        metavar="N",
        help="how often everything is repeated (default: 5, with --quick 3)",
    )
    how.add_argument(
        "--epochs",
        type=_whole_number(1, 1_000_000),
        metavar="N",
        help="how often each training sample is seen (default: by the size of the data)",
    )
    how.add_argument(
        "--seed",
        type=_whole_number(0, 2**64 - 1),
        metavar="N",
        default=0,
        help="of everything random: splits, initial weights, order, dropout (default: %(default)s)",
    )
    how.add_argument("--quick", action="store_true", help="fewer repeats and epochs")
    run = parser.add_argument_group("running")
    run.add_argument(
        "--threads",
        type=_whole_number(1, 65535),
        metavar="N",
        help="threads of bridle (default: one for a model of ordinary size)",
    )
    run.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        default=Path("bridle-report"),
        help="where to write the report (default: %(default)s)",
    )


class _Strengths(argparse.Action):
    """Collects ``METHOD=a,b,c`` in a dictionary."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        method, _, numbers = str(values).partition("=")
        try:
            strengths = [float(number) for number in numbers.split(",")]
        except ValueError:
            raise argparse.ArgumentError(
                self, f"must be METHOD=a,b,c with numbers, got {values!r}"
            ) from None
        given = getattr(namespace, self.dest) or {}
        setattr(namespace, self.dest, {**given, method.strip(): strengths})


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise argparse.ArgumentTypeError(f"must be names separated by commas, got {text!r}")
    return names


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
