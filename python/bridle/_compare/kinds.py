"""What the texts of a column stand for: numbers, booleans, dates or categories."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple

import numpy as np

from bridle._compare import Array

# fmt: off
MISSING = frozenset((
    "", "?", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NAN", "NULL", "NaN", "None", "n/a", "nan", "null",
))
# fmt: on
"""The spellings that pandas takes for a missing value, "NAN", and the question mark."""

BOOLEANS = ({"false", "true"}, {"no", "yes"})
TRUE = frozenset(("true", "yes"))
NUMBERS_OF_A_SCALE = 10
"""With more different numbers than these, words among them are mistakes and not categories."""

DAY, MONTH_NUMBER = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])"
LONG_YEAR = r"(?:1[4-9]|2[01])\d{2}"
YEAR = rf"(?:{LONG_YEAR}|'?\d{{2}})"
MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
WEEKDAY = r"(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?,? "
ZONE = r"(?:z|utc|gmt|[+-]\d{2}:?\d{2})"
CLOCK = rf"(?:[01]?\d|2[0-4]):[0-5]\d(?::[0-6]\d(?:[.,]\d+)?)?(?: ?[ap]\.?m\.?)?(?: ?{ZONE})?"
DATES = (
    rf"{LONG_YEAR}([-/.]){MONTH_NUMBER}(?:\1{DAY})?",
    rf"{DAY}([-/.])(?:{MONTH_NUMBER}|{MONTH})\2{YEAR}",
    rf"{MONTH_NUMBER}([-/.]){DAY}\3{YEAR}",
    rf"{DAY}(?:st|nd|rd|th|\.)?[ -]?{MONTH},?[ -]?{YEAR}",
    rf"{MONTH}[ -]?(?:{DAY}(?:st|nd|rd|th)?,?[ -])?{YEAR}",
)
DATE = re.compile(
    rf"(?:{WEEKDAY})?(?:{'|'.join(DATES)})(?:(?:,? |t){CLOCK})?|{CLOCK}", re.IGNORECASE | re.ASCII
)
DATE_SAMPLE, DATE_SHARE = 1000, 0.9


class Kind(Enum):
    """What the values of a column are."""

    EMPTY = "empty"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TEXT = "text"
    DATE = "date"
    MIXED = "numbers and words"


class Convention(NamedTuple):
    """How numbers are written: how they look, what parts their digits, what their decimals."""

    pattern: re.Pattern[str]
    group: str
    point: str

    def value(self, text: str) -> float:
        """Return the number, NaN if it is none."""
        text = text.replace("\u2212", "-")
        if " " in text:
            text = SPACED.sub(lambda found: found[0].replace(" ", ""), text)
        if not self.pattern.fullmatch(text):
            return np.nan
        return float(text.replace(self.group, "").replace(self.point, "."))

    def values(self, texts: Iterable[str]) -> Array:
        """Return the number that every text is, NaN where it is none."""
        return np.array([self.value(text) for text in texts], np.float64)


def _pattern(group: str, point: str) -> re.Pattern[str]:
    digits = rf"(?:\d{{1,3}}(?:{group}\d{{3}})+|\d+)" if group else r"\d+"
    number = rf"(?:{digits}(?:{point}\d*)?|{point}\d+)(?:e[+-]?\d+)?"
    return re.compile(rf"[+-]?(?:{number}|inf(?:inity)?)", re.IGNORECASE | re.ASCII)


SPACED = re.compile(r"^[+-]?\d{1,3}(?: \d{3})+(?=[.,]|$)")
PLAIN = Convention(_pattern("", r"\."), "", ".")
DECIMAL_COMMA = Convention(_pattern(r"\.", ","), ".", ",")
THOUSANDS_COMMA = Convention(_pattern(",", r"\."), ",", ".")
EITHER_COMMA = re.compile(r"[+-]?(?:0|[1-9]\d{0,2}(?:,\d{3})?)")
POINTED_GROUPS = re.compile(r"[+-]?(?:0|[1-9]\d{0,2}(?:\.\d{3})*)")


@dataclass(frozen=True)
class Column:
    """A column of texts: ``texts[codes]``.

    ``numbers`` holds the number that each of the texts is (1 for true), NaN where it is none or
    the column holds categories;
    ``absent`` tells which of them stand for a missing value. ``settled`` is False where a comma
    may separate thousands as well as decimals.
    """

    name: str
    codes: Array
    texts: Array
    absent: Array
    kind: Kind
    numbers: Array
    convention: Convention
    settled: bool

    @property
    def missing(self) -> Array:
        """Which rows have no value."""
        return self.absent[self.codes]

    @property
    def values(self) -> Array:
        """The number in each row, NaN where it is none."""
        return self.numbers[self.codes]

    @property
    def categories(self) -> Array:
        """The different texts that are no missing values, sorted."""
        return np.sort(self.texts[~self.absent])

    @property
    def words(self) -> Array:
        """Which of the texts are neither numbers nor missing."""
        return np.isnan(self.numbers) & ~self.absent


def recognised(names: Sequence[str], cells: Array, delimiter: str) -> list[Column]:
    """Tell what the columns of texts are; a comma means the same in all that leave it open."""
    columns = [_column(name, cells[:, index]) for index, name in enumerate(names)]
    numeric = [column for column in columns if column.kind in (Kind.NUMBER, Kind.MIXED)]
    conventions = {column.convention for column in numeric if column.settled}
    decimal = DECIMAL_COMMA in conventions
    if decimal or (THOUSANDS_COMMA not in conventions and delimiter != ","):
        comma = DECIMAL_COMMA
    else:
        comma = THOUSANDS_COMMA
    return [
        _read_as(comma, column)
        if not column.settled or (decimal and _is_in_groups(column))
        else column
        for column in columns
    ]


def _column(name: str, cells: Array) -> Column:
    codes, texts = _different(cells)
    absent = np.fromiter(map(MISSING.__contains__, texts), np.bool_, len(texts))
    numbers = np.full(len(texts), np.nan)
    numbers[~absent], convention, settled = _numbers(texts[~absent])
    kind = _kind(texts, codes, absent, numbers)
    if kind is Kind.BOOLEAN:
        truth = np.array([text.casefold() in TRUE for text in texts])
        numbers = np.where(absent, np.nan, truth)
    elif kind is Kind.TEXT:
        numbers = np.full(len(texts), np.nan)
    return Column(name, codes, texts, absent, kind, numbers, convention, settled)


def _different(cells: Array) -> tuple[Array, Array]:
    """Return the index of each cell's text, and the different texts, without needless blanks."""
    import pandas as pd

    codes, texts = pd.factorize(cells)
    joined = "".join(texts)
    if " " not in joined and joined.isprintable():
        return codes, texts
    places: dict[str, int] = {}
    merged = [places.setdefault(" ".join(text.split()), len(places)) for text in texts]
    return np.array(merged)[codes], np.array(list(places), object)


def _numbers(texts: Array) -> tuple[Array, Convention, bool]:
    """Return the numbers, how they are written, and whether that is certain."""
    joined = "\n".join(texts)
    if not re.search("[0-9]", joined):
        return np.full(len(texts), np.nan), PLAIN, True
    if re.fullmatch("[-+.,0-9eEinftyINFTY\n]*", joined):
        decimal = "," in joined and "." not in joined
        points = np.array(joined.replace(",", ".").split("\n"), object) if decimal else texts
        try:
            numbers = points.astype(np.float64)
        except ValueError:
            pass
        else:
            settled = not decimal or not all(map(EITHER_COMMA.fullmatch, texts))
            return numbers, DECIMAL_COMMA if decimal else PLAIN, settled
    may_have_groups = "," in joined or re.search(r"[0-9]\.[0-9]{3}\.[0-9]", joined)
    conventions = (PLAIN, THOUSANDS_COMMA, DECIMAL_COMMA) if may_have_groups else (PLAIN,)
    found = {convention: convention.values(texts) for convention in conventions}
    understood = {convention: ~np.isnan(values) for convention, values in found.items()}
    best = max(found, key=lambda convention: understood[convention].sum())
    settled = True
    if best is THOUSANDS_COMMA and np.array_equal(understood[best], understood[DECIMAL_COMMA]):
        best = DECIMAL_COMMA
        settled = not all(map(EITHER_COMMA.fullmatch, texts[understood[best]]))
    return found[best], best, settled


def _kind(texts: Array, codes: Array, absent: Array, numbers: Array) -> Kind:
    present, is_number = texts[~absent], ~np.isnan(numbers)
    if not len(present):
        return Kind.EMPTY
    if is_number.sum() == len(present):
        return Kind.NUMBER
    if len(present) <= 20 and any({text.casefold() for text in present} <= b for b in BOOLEANS):
        return Kind.BOOLEAN
    sample = present[:: 1 + len(present) // DATE_SAMPLE]
    if sum(map(bool, map(DATE.fullmatch, sample))) >= DATE_SHARE * len(sample):
        return Kind.DATE
    rows = np.bincount(codes, minlength=len(texts))
    if is_number.sum() > NUMBERS_OF_A_SCALE and rows[is_number].sum() * 2 >= rows[~absent].sum():
        return Kind.MIXED
    return Kind.TEXT


def _read_as(convention: Convention, column: Column) -> Column:
    numbers = convention.values(column.texts)
    numbers[column.absent] = np.nan
    return replace(column, numbers=numbers, convention=convention, settled=True)


def _is_in_groups(column: Column) -> bool:
    present = column.texts[~column.absent]
    pointed = column.kind is Kind.NUMBER and any("." in text for text in present)
    return pointed and all(map(POINTED_GROUPS.fullmatch, present))
