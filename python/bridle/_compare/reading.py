"""A text file of separated values, whatever its dialect, read as a table of texts."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
import warnings
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count, islice
from pathlib import Path

import numpy as np

from bridle._compare import Array, CompareError
from bridle._compare.words import listed, quoted

DELIMITERS = "\t;|,"
"""In the order of preference: decimal commas split a line as evenly as separating commas do."""
DELIMITER_RULE = "commas, semicolons, tabs, | or blanks must separate the columns"

SAMPLE_BYTES, SAMPLE_RECORDS = 65536, 100
FOREIGN = {
    b"PK\x03\x04": "an Excel workbook or a ZIP archive",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF document",
    b"SQLite format 3": "a database",
    b"<!DOCTYPE": "a web page",
    b"<html": "a web page",
}
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


@dataclass(frozen=True)
class Source:
    """What a file holds: ``cells`` has a row per record below the header, a column per name.

    ``data`` is the text in UTF-8 with its records of the wrong length blanked; ``repeated`` are
    the names that the header has more than once, and which are told apart in ``names``;
    ``problems`` has a line for each thing that the user must put right, ``notes`` a sentence for
    each that was guessed.
    """

    names: list[str]
    cells: Array
    repeated: set[str]
    delimiter: str
    data: bytes
    problems: list[str]
    notes: list[str]

    def lines(self, rows: Sequence[int] | Array) -> str:
        """Say on which lines of the file the given rows stand."""
        numbers = [self._lines[row] for row in rows[:3]]
        if len(rows) == 1:
            return f"line {numbers[0]}"
        return f"lines {listed([str(number) for number in numbers], len(rows))}"

    @cached_property
    def _lines(self) -> list[int]:
        return [record.line for record in islice(_filled(self.data, self.delimiter), 1, None)]


@dataclass(frozen=True)
class _Record:
    line: int
    last_line: int
    fields: list[str]

    @property
    def is_blank(self) -> bool:
        return not any(map(str.strip, self.fields))

    def excess(self, columns: int) -> int:
        """Return how many values it has beyond `columns`, negative if it lacks some."""
        blanks = 0
        while len(self.fields) - blanks > columns and not self.fields[-1 - blanks].strip():
            blanks += 1
        return len(self.fields) - blanks - columns


def read_source(path: Path) -> Source:
    """Read a file with a header line; commas, semicolons, tabs or | separate the columns.

    Raises
    ------
    CompareError
        If nothing can be known of the file's columns.
    """
    try:
        # Read at once: a pipe cannot be read again after a look at its header.
        data, notes = _text(path.read_bytes())
        return _source(data, notes)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise CompareError(f"{path}: {reason}") from None
    except CompareError as error:
        raise CompareError(*(f"{path}: {problem}" for problem in error.problems)) from None


def _text(data: bytes) -> tuple[bytes, list[str]]:
    """Return the text in UTF-8, its lines ended by line feeds alone, and notes."""
    if data.startswith(b"\x1f\x8b"):
        data = gzip.decompress(data)
    for start, kind in FOREIGN.items():
        if data[:100].lstrip().lower().startswith(start.lower()):
            raise CompareError(f"this is {kind}; save the table as CSV")
    text, encoding = _decoded(data)
    controls = len(re.findall(r"[\x01-\x08\x0e-\x1f\x7f]", text))
    if "\0" in text or controls > len(text) / 100:
        raise CompareError("not a text file; save the table as CSV")
    notes = [f"Read as {encoding}, for it is not UTF-8."] if encoding else []
    for before, after in (("\r\n", "\n"), ("\r", "\n"), ("\x1a", "")):
        text = text.replace(before, after)
    return text.encode(), notes


def _decoded(data: bytes) -> tuple[str, str]:
    """Return the text and, if it was guessed, the name of its encoding."""
    for mark, encoding in MARKS.items():
        if data.startswith(mark):
            try:
                return data.decode(encoding), ""
            except UnicodeDecodeError:
                name = encoding.removesuffix("-sig").upper()
                raise CompareError(f"not a text file in {name}, as it begins") from None
    for encoding, name in (("utf-8", ""), ("cp1252", "Windows-1252")):
        try:
            return data.decode(encoding), name
        except UnicodeDecodeError:
            pass
    return data.decode("latin-1"), "Latin-1"


def _records(data: bytes, delimiter: str) -> Iterator[_Record]:
    """Yield what stands on which lines; pandas reads the same, but does not tell the lines."""
    lines = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline="\n")
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    first = 1
    try:
        for fields in reader:
            if fields:
                yield _Record(first, reader.line_num, fields)
            first = reader.line_num + 1
    except csv.Error:
        raise CompareError(f"line {first}: a quotation mark is never closed") from None


def _filled(data: bytes, delimiter: str) -> Iterator[_Record]:
    """Yield the records that hold something."""
    return (record for record in _records(data, delimiter) if not record.is_blank)


def _dialect(data: bytes) -> tuple[bytes, str]:
    """Return the data without what precedes the names of the columns, and the delimiter."""
    if told := re.match(rb"sep=([\t;|,])\n", data, re.IGNORECASE):
        return data[5:], told[1].decode()
    comments = re.match(rb"(?:#[^\n]*\n)*", data)
    lines = comments[0].split(b"\n")[:-1] if comments else []
    table = data[sum(len(line) + 1 for line in lines) :]
    if not lines or not table.strip():
        return data, _delimiter(data)
    delimiter = _delimiter(table)
    names, values = _first(lines[-1], delimiter), _first(table, delimiter)
    # The names may stand behind a # as well.
    header = re.sub(rb"^#\s+", b"", lines[-1]) if 1 < len(names) == len(values) else b""
    return b"\n" * (len(lines) - 1) + header + b"\n" + table, delimiter


def _first(data: bytes, delimiter: str) -> list[str]:
    return next((record.fields for record in _filled(data, delimiter)), [])


def _delimiter(data: bytes) -> str:
    sample = data[:SAMPLE_BYTES]
    if len(data) > SAMPLE_BYTES:
        sample = sample[: sample.rfind(b"\n") + 1] or sample
    evenness = {delimiter: _evenness(sample, delimiter) for delimiter in DELIMITERS}
    delimiter = max(DELIMITERS, key=evenness.__getitem__)
    # Blanks are tried last, for they stand in names and texts as well.
    if not evenness[delimiter] and _evenness(sample, " ") > 0.5:
        return " "
    return delimiter


def _evenness(sample: bytes, delimiter: str) -> float:
    """Return the share of the first records that have the most frequent number of fields.

    It counts half where the header is not separated at all, as by decimal commas.
    """
    records = islice(_filled(sample, delimiter), SAMPLE_RECORDS)
    try:
        counts = [len(record.fields) for record in records]
    except CompareError:
        return 0.0
    if not counts:
        return 0.0
    fields, times = Counter(counts).most_common(1)[0]
    return times / len(counts) / (1 if counts[0] > 1 else 2) if fields > 1 else 0.0


def _source(data: bytes, notes: list[str]) -> Source:
    data, delimiter = _dialect(data)
    header = _first(data, delimiter)
    if not header:
        raise CompareError("the file is empty")
    columns, problems = len(header), list[str]()
    cells = None if _is_sparse(data, delimiter, columns) else _cells(data, delimiter, columns + 1)
    # Short records are filled up with empty texts, and records that hold nothing end with a blank.
    if (
        cells is None
        or (cells[:, columns] != "").any()
        or not all(map(str.strip, cells[:, columns - 1]))
    ):
        records = list(_records(data, delimiter))
        _check_quotes(data, delimiter, records[-1])
        header, wrong, problems = _lengths(header, records)
        data = _blanked(data, [*wrong, *(record for record in records if record.is_blank)])
        cells = _cells(data, delimiter, len(header), cut=True)
        assert cells is not None
    if len(header) == 1:
        raise CompareError(f"there is only one column, {quoted(header[0])}; {DELIMITER_RULE}")
    return _named(header, cells[1:, : len(header)], delimiter, data, problems, notes)


def _is_sparse(data: bytes, delimiter: str, columns: int) -> bool:
    """Whether most records lack most columns: a table of them all might be huge."""
    lines = data.count(b"\n") + 1
    return columns * lines > 2 * (data.count(delimiter.encode()) + lines)


def _cells(data: bytes, delimiter: str, columns: int, *, cut: bool = False) -> Array | None:
    """Return the texts of all records, or None if one has more than `columns` or does not end.

    With `cut`, further columns are left out.
    """
    import pandas as pd

    try:
        with warnings.catch_warnings():
            # Of what is cut off, where no record is as short as the names: it is meant.
            warnings.simplefilter("ignore", pd.errors.ParserWarning)
            frame = pd.read_csv(
                io.BytesIO(data),
                sep=delimiter,
                header=None,
                names=list(range(columns)),
                usecols=list(range(columns)) if cut else None,
                index_col=False,
                dtype=object,
                na_filter=False,
                skipinitialspace=True,
                low_memory=False,
            )
    except pd.errors.ParserError:
        return None
    return np.asarray(frame.to_numpy())


def _begin_with_names(records: list[_Record], columns: int) -> bool:
    """Tell whether every record begins with a name of its own that the header has no name for."""
    names = {record.fields[0] for record in records if record.excess(columns) == 1}
    return columns > 1 and len(names) == len(records) > 0


def _check_quotes(data: bytes, delimiter: str, last: _Record) -> None:
    """Raise `CompareError` if a quotation mark makes the rest of the file one record."""
    lines = data.split(b"\n")[last.line - 1 : last.last_line]
    if _cells(b"\n".join(lines), delimiter, len(last.fields) + 1) is None:
        raise CompareError(f"line {last.line}: a quotation mark is never closed")


def _lengths(
    header: list[str], records: list[_Record]
) -> tuple[list[str], list[_Record], list[str]]:
    """Return the header, with a name for those of the rows, and which records do not fit it."""
    filled = [record for record in records if not record.is_blank][1:]
    if _begin_with_names(filled, len(header)):
        header = ["", *header]
    wrong = [record for record in filled if record.excess(len(header))]
    problems = []
    for word, sign in (("many", 1), ("few", -1)):
        found = [record for record in wrong if record.excess(len(header)) * sign > 0]
        examples = [f"line {record.line} has {len(record.fields)}" for record in found[:3]]
        if found:
            lengths = listed(examples, len(found))
            problems.append(f"too {word} values, where the header has {len(header)}: {lengths}")
    if len(wrong) * 2 > len(filled):
        raise CompareError(*(f"{problem}; is the first line the header?" for problem in problems))
    return header, wrong, problems


def _blanked(data: bytes, records: list[_Record]) -> bytes:
    lines = data.split(b"\n")
    for record in records:
        for number in range(record.line, record.last_line + 1):
            lines[number - 1] = b""
    return b"\n".join(lines)


def _named(
    header: list[str],
    cells: Array,
    delimiter: str,
    data: bytes,
    problems: list[str],
    notes: list[str],
) -> Source:
    """Give every column a name of its own, and leave out what is no column."""
    names, repeated = dict[str, int](), set[str]()
    if all(re.fullmatch("'.+'", name) for name in header):
        header = [name[1:-1] for name in header]
    for index, text in enumerate(header):
        name = " ".join(text.split())
        if not name:
            if not (cells[:, index] != "").any():
                continue
            if index == 0 and len(set(cells[:, 0])) == len(cells):
                notes.append("The first column has no name and names the rows; it was left out.")
                continue
            name = f"column {index + 1}"
            notes.append(f"Column {index + 1} has no name; it is called {name!r}.")
        if name in names:
            repeated.add(name)
            name = next(new for n in count(2) if (new := f"{name} ({n})") not in names)
        names[name] = index
    if repeated:
        found = listed([repr(name) for name in sorted(repeated)[:8]], len(repeated))
        notes.append(f"Columns of the same name are told apart by a number: {found}.")
    return Source(
        list(names), cells[:, list(names.values())], repeated, delimiter, data, problems, notes
    )
