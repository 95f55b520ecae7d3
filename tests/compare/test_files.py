"""`bridle compare`: files as they are, and everything that is wrong with them at once."""

import gzip
import os
import threading
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridle._compare import CompareError

pytest.importorskip("pandas")

from bridle._compare.table import read_table

ROWS = 60
GENERATOR = np.random.default_rng(0)
NUMBERS = [f"{value:.3f}" for value in GENERATOR.standard_normal(ROWS)]
WORDS = [("red", "green", "blue")[i % 3] for i in range(ROWS)]
QUANTITY = [f"{value:.2f}" for value in GENERATOR.standard_normal(ROWS)]


def write(folder, columns, delimiter=",", end="\n", encoding="utf-8", quote=False):
    """Write columns, given as {name: texts}, and return the path."""
    rows = [columns.keys(), *zip(*columns.values(), strict=True)]
    fields = [[f'"{text}"' if quote or delimiter in text else text for text in row] for row in rows]
    path = folder / "data.csv"
    path.write_bytes(end.join([*map(delimiter.join, fields), ""]).encode(encoding))
    return path


def table(folder, column, target="y", **options):
    """Read a file of the column "x" beside one of ordinary numbers and a target."""
    columns = {"x": column, "other": NUMBERS[: len(column)], "y": WORDS[: len(column)]}
    return read_table(write(folder, columns), target, **options)


def numbers(values):
    return np.array([float(value) for value in values])


def problems(path, target="y", **options):
    with pytest.raises(CompareError) as error:
        read_table(path, target, **options)
    assert all(problem.startswith(f"{path}: ") for problem in error.value.problems)
    return [problem.removeprefix(f"{path}: ") for problem in error.value.problems]


def problem(folder, column, **options):
    """Return the only problem of a file with the column "x"."""
    with pytest.raises(CompareError) as error:
        table(folder, column, **options)
    (line,) = error.value.problems
    return line.removeprefix(f"{folder / 'data.csv'}: ")


def changed(values, **replacements):
    """Return a list with the items at some indices replaced: ``changed(x, i3="")``."""
    new = list(values)
    for index, value in replacements.items():
        new[int(index[1:])] = value
    return new


# Dialects


@pytest.mark.parametrize("delimiter", list(",;\t| "))
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\n"])
def test_delimiters_and_line_ends_are_recognised(tmp_path, delimiter, end):
    path = write(tmp_path, {"a": NUMBERS, "b": QUANTITY, "y": WORDS}, delimiter, end)
    read = read_table(path, "y")
    assert (read.names, read.classes) == (("a", "b"), ("blue", "green", "red"))
    np.testing.assert_array_equal(read.features, np.stack([*map(numbers, (NUMBERS, QUANTITY))], 1))
    assert [read.classes[index] for index in read.target] == WORDS
    assert (read.features.dtype, read.target.dtype) == (np.float64, np.int64)
    assert read.features.flags.c_contiguous
    assert not read.indicator.any()


def test_decimal_commas_are_no_delimiters_where_some_rows_are_too_long(tmp_path):
    columns = {"a": [text.replace(".", ",") for text in NUMBERS], "y": WORDS}
    path = write(tmp_path, columns, ";")
    path.write_text(path.read_text().replace(";blue", ";blue;1", 2))
    (line,) = problems(path)
    assert line == "too many values, where the header has 2: line 4 has 3 and line 7 has 3"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-mark", "utf-32", "cp1252", "latin-1"]
)
def test_encodings_are_recognised(tmp_path, encoding):
    mark = "\ufeff" if encoding.endswith("-mark") else ""
    colours = [word.replace("e", "é") for word in WORDS]
    columns = {f"{mark}Größe": NUMBERS, "ÿ": colours}
    read = read_table(write(tmp_path, columns, encoding=encoding.removesuffix("-mark")), "ÿ")
    assert (read.names, read.classes) == (
        ("Größe",),
        ("blué", "grééen".replace("éée", "éé"), "réd"),
    )
    guessed = encoding in ("cp1252", "latin-1")
    assert any("Windows-1252" in note for note in read.notes) == guessed


@pytest.mark.parametrize("other", list(",;\t|\n"))
def test_delimiters_and_line_ends_within_quotes_are_text(tmp_path, other):
    delimiter = ";" if other == "," else ","
    places = [f" {word}{other}or{other}so" for word in WORDS]
    columns = {f"a{other}a": places, " b ": NUMBERS, "y": WORDS}
    read = read_table(write(tmp_path, columns, delimiter, quote=True), " y")
    blank = other if other in ",;|" else " "
    names = [f"a{blank}a={word}{blank}or{blank}so" for word in sorted(set(WORDS))]
    assert read.names == (*names, "b")
    assert list(read.indicator) == [True, True, True, False]


def test_quotes_may_be_doubled_or_stand_behind_a_blank(tmp_path):
    path = tmp_path / "data.csv"
    rows = [f'{i}, "say ""{i % 2}"", please", {i % 3}' for i in range(ROWS)]
    path.write_text("\n".join(["a, b, y", *rows]))
    assert read_table(path, "y").names == ("a", 'b=say "1", please')


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_pipe_is_read_once(tmp_path, pack):
    data = pack(write(tmp_path, {"a": NUMBERS, "y": WORDS}).read_bytes())
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(data,))
    writer.start()
    assert read_table(pipe, "y").names == ("a",)
    writer.join()


@pytest.mark.parametrize(
    ("above", "line"),
    [("", 4), ("sep=;\n", 5), ("\n \n", 6), ("# made by hand\n# for a test\n", 6)],
)
def test_what_stands_above_the_names_is_skipped_and_counted(tmp_path, above, line):
    path = write(tmp_path, {"a": changed(NUMBERS, i2="inf"), "y": WORDS}, ";")
    path.write_text(above + path.read_text())
    assert f"'inf' in line {line};" in problems(path)[0]


def test_names_may_stand_behind_a_comment_sign(tmp_path):
    path = write(tmp_path, {"# a": NUMBERS, "b": NUMBERS[::-1], "y": WORDS})
    assert read_table(path, "y").names == ("a", "b")


def test_names_in_single_quotes_are_names(tmp_path):
    path = write(tmp_path, {"'a'": NUMBERS, "'y'": WORDS})
    assert read_table(path, "y").names == ("a",)


@pytest.mark.parametrize("names", ['"",a,y', "a,y"], ids=["unnamed", "one name less"])
def test_unnamed_first_columns_that_name_the_rows_are_left_out(tmp_path, names):
    path = tmp_path / "data.csv"
    rows = [f"row {i},{NUMBERS[i]},{WORDS[i]}" for i in range(ROWS)]
    path.write_text("\n".join([names, *rows]))
    read = read_table(path, "y")
    assert read.names == ("a",)
    assert any("names the rows" in note for note in read.notes)


def test_other_unnamed_columns_are_kept(tmp_path):
    read = read_table(write(tmp_path, {"": WORDS, "a": NUMBERS, " ": QUANTITY, "y": WORDS}), "y")
    assert read.names[-2:] == ("a", "column 3")
    assert "Column 1 has no name; it is called 'column 1'." in read.notes


def test_trailing_delimiters_are_no_values(tmp_path):
    path = write(tmp_path, {"a": NUMBERS, "y": WORDS, "": [""] * ROWS, " ": [""] * ROWS})
    assert read_table(path, "y").names == ("a",)
    path.write_text(path.read_text().replace("a,y,, ", "a,y"))
    assert read_table(path, "y").names == ("a",)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (b"\t\n\n\t\n", "empty"),
        (b"# a,b\n,,\n", "only one column"),
        (bytes(range(256)), "not a text file"),
        (bytes(range(1, 32)) * 9, "not a text file"),
        (b"\xff\xfeabc", "UTF-16"),
        (b"PK\x03\x04 and so on", "Excel"),
        (b" \n<!doctype html><p>a,b", "web page"),
        (b"\x1f\x8bnot gzip", "compress"),
        (b'a,b\n1,2\n3,"4\n5,6\n', "line 3: a quotation mark is never closed"),
        (b'a,b,c\n1,"2,3\n4,5,6\n7,8,9\n', "line 2: a quotation mark is never closed"),
        (b'a,b,c\n1,2,3\n1,2,"3', "line 3: a quotation mark is never closed"),
        (b'a,"b\n1,2\n', "line 1: a quotation mark is never closed"),
        (b"a\n1\n2\n", "only one column, 'a'"),
        (b"Title\na,b\n1,2\n3,4\n", "is the first line the header?"),
    ],
)
def test_what_is_no_table_is_one_problem(tmp_path, data, reason):
    path = tmp_path / "data.csv"
    path.write_bytes(data)
    (line,) = problems(path)
    assert reason in line


def test_damaged_archives_are_one_problem(tmp_path):
    path = tmp_path / "data.csv.gz"
    whole = gzip.compress(write(tmp_path, {"a": NUMBERS, "y": WORDS}).read_bytes(), mtime=0)
    for at in range(10, len(whole), 3):
        damaged = bytearray(whole)
        damaged[at] ^= 0x5A
        path.write_bytes(damaged)
        assert len(problems(path)) == 1


@pytest.mark.parametrize("end", [",9", ""], ids=["values", "blanks"])
def test_one_wide_record_does_not_make_the_table_wide(tmp_path, end):
    path = write(tmp_path, {"a": NUMBERS * 40, "y": WORDS * 40})
    with path.open("a") as file:
        file.write("1,red" + "," * 5000 + end)
    tracemalloc.start()
    found = problems(path) if end else read_table(path, "y").notes
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert taken < 2**24
    assert ("too many values" in found[0]) == bool(end)


def test_blank_lines_wider_than_the_table_are_nothing(tmp_path):
    path = write(tmp_path, {"a": NUMBERS, "y": WORDS})
    path.write_text(",,,,\n,,,,\n" + path.read_text() + ",,,,\n")
    assert len(read_table(path, "y").target) == ROWS


def test_short_records_do_not_make_a_wide_table(tmp_path):
    path = tmp_path / "data.csv"
    wide = ",".join(map(str, range(2000)))
    path.write_text("\n".join([wide] * 60 + ["1"] * 20_000))
    tracemalloc.start()
    (line,) = problems(path)
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert taken < 2**26
    assert "too few values, where the header has 2000" in line


def test_what_cannot_be_opened_is_one_problem(tmp_path):
    assert "No such file" in problems(tmp_path / "data.csv")[0]
    assert "directory" in problems(tmp_path)[0]


def test_rows_of_the_wrong_length_are_named_and_the_rest_is_checked(tmp_path):
    path = write(tmp_path, {"a": changed(NUMBERS, i50="inf"), "b": NUMBERS, "y": WORDS})
    lines = path.read_text().split("\n")
    lines[3] += ",1"
    lines[5] = '"1\n",2,3,4,5'
    lines[7] = "1,2"
    path.write_text("\n".join(lines))
    many, few, infinite = problems(path)
    assert many == "too many values, where the header has 3: line 4 has 4 and line 6 has 5"
    assert few == "too few values, where the header has 3: line 9 has 2"
    assert "'inf' in line 53" in infinite


# Names


@pytest.mark.parametrize(
    ("target", "ignore", "shown"),
    [
        ("Specis", [], ["--target", "'Specis'", "did you mean 'species'?"]),
        ("z", [], ["the columns are 'a0', 'a1',", "'a7' and 5 more"]),
        ("species", ["width "], ["--ignore", "did you mean 'Width'?"]),
        ("species", ["species"], ["'species' is the target"]),
        ("same", [], ["several columns are named 'same'"]),
        ("species", ["same"], ["--ignore", "several columns are named 'same'"]),
    ],
)
def test_names_that_the_file_does_not_have(tmp_path, target, ignore, shown):
    columns = {f"a{i}": NUMBERS[i:] + NUMBERS[:i] for i in range(9)}
    columns |= {"Width": QUANTITY, "same": NUMBERS[::-1], "same ": QUANTITY[::-1], "species": WORDS}
    (line,) = problems(write(tmp_path, columns), target, ignore=ignore)
    for part in shown:
        assert part in line


def test_names_that_repeat_are_told_apart(tmp_path):
    columns = {"a": NUMBERS, " a": QUANTITY, "a ": NUMBERS[::-1], "y": WORDS}
    read = read_table(write(tmp_path, columns), "y")
    assert read.names == ("a", "a (2)", "a (3)")
    assert "Columns of the same name are told apart by a number: 'a'." in read.notes


def test_a_missing_line_of_names_is_recognised(tmp_path):
    path = write(tmp_path, {"5.1": NUMBERS, "3.5": QUANTITY, "red": WORDS})
    assert "is the line that names them missing?" in problems(path, "species")[0]
    path = write(
        tmp_path, {"5.1": NUMBERS, "3.5": QUANTITY, "1": [str(i % 2) for i in range(ROWS)]}
    )
    assert any("no line of names" in note for note in read_table(path, "1").notes)


def test_ignored_columns_may_hold_anything(tmp_path):
    columns = {"when": ["2020-01-01"] * ROWS, "id": [f"n{i}" for i in range(ROWS)], "a": NUMBERS}
    path = write(tmp_path, columns | {"inf": ["inf"] * ROWS, "y": WORDS})
    assert read_table(path, "y", ignore=["when", "id", "inf"]).names == ("a",)


# Values


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        ([" 1 ", "+2.5e3", "-.5", "4."], [1, 2500, -0.5, 4]),
        (["1,5", "-2", "3,25e2"], [1.5, -2, 325]),
        (["1.234,56", "7,1", "1.000"], [1234.56, 7.1, 1000]),
        (["1,234.5", "-1,000,000", "3"], [1234.5, -1e6, 3]),
        (["1,234", "12,345", "999"], [1234, 12345, 999]),
        (["0,123", "1,234", "5"], [0.123, 1.234, 5]),
        (["1,234", "1234", "5"], [1.234, 1234, 5]),
        (["1.234.567", "1"], [1234567, 1]),
        (["0,123", "1 000"], [0.123, 1000]),
        (["1 234,5", "1\u00a0000", "-3"], [1234.5, 1000, -3]),
        (["\u22121.5", "2"], [-1.5, 2]),
        (["20240131", "20231231"], [20240131, 20231231]),
    ],
)
def test_numbers_are_read_as_they_are_written(tmp_path, texts, values):
    column = [texts[i % len(texts)] for i in range(ROWS)]
    read = table(tmp_path, column)
    assert read.names == ("x", "other")
    np.testing.assert_array_equal(read.features[: len(values), 0], values)


@pytest.mark.parametrize(
    ("delimiter", "other", "texts", "values"),
    [
        (",", "1.5", ["1,234"], [1234]),
        (";", "1.5", ["1,234"], [1.234]),
        (",", "1,5", ["1,234"], [1.234]),
        (";", "1,234.5", ["1,234"], [1234]),
        (";", "1,5", ["1.234", "12.345"], [1234, 12345]),
        (";", "1,5", ["0.234", "12.345"], [0.234, 12.345]),
    ],
)
def test_other_columns_tell_what_a_comma_means(tmp_path, delimiter, other, texts, values):
    columns = {"x": [*texts, "7"], "other": [other, "3"], "y": ["a", "b"]}
    columns = {name: (30 * column)[:30] for name, column in columns.items()}
    read = read_table(write(tmp_path, columns, delimiter), "y")
    np.testing.assert_array_equal(read.features[:, 0], (30 * [*values, 7])[:30])
    assert any("commas" in note and "'x'" in note for note in read.notes) == (texts[0] != "0.234")


def without_needless_blanks(text):
    return " ".join(text.split())


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_what_was_written_in_any_dialect_is_read_again(tmp_path_factory, data):
    delimiter = data.draw(st.sampled_from(",;\t|"))
    point = data.draw(st.sampled_from(".,")) if delimiter != "," else "."
    finite = st.floats(-1e30, 1e30).map(lambda value: value + 0.0)
    wanted = np.array(data.draw(st.lists(finite, min_size=90, max_size=90))).reshape(30, 3)
    wanted[:, 0] += np.arange(30) + 0.25
    wanted[:2, 1:] = [[0.25, 0.5], [0.75, 0.375]]
    word = st.text("abc ,;|\t\n\"äß'", min_size=1, max_size=6).map(lambda text: f"w{text}w")
    words = data.draw(
        st.lists(word, min_size=3, max_size=3, unique_by=lambda w: " ".join(w.split()))
    )
    texts = [[words[i % 3] for i in range(30)]]
    texts += [[repr(float(v)).replace(".", point) for v in column] for column in wanted.T]
    quoted = [['"{}"'.format(text.replace('"', '""')) for text in column] for column in texts]
    columns = dict(zip(["y", "a", "b", "c"], quoted, strict=True))
    rows = [columns.keys(), *zip(*columns.values(), strict=True)]
    path = tmp_path_factory.mktemp("dialects") / "data.csv"
    encoding = data.draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
    end = data.draw(st.sampled_from(["\n", "\r\n"]))
    path.write_bytes(end.join(map(delimiter.join, rows)).encode(encoding))
    read = read_table(path, "y")
    assert set(read.classes) == {" ".join(word.split()) for word in words}
    assert [read.classes[index] for index in read.target[:3]] == [
        " ".join(w.split()) for w in words
    ]
    for index, name in enumerate("abc"):
        if name in read.names:
            values = read.features[:, read.names.index(name)]
            np.testing.assert_array_equal(values, wanted[:, index])


@pytest.mark.parametrize(
    "texts", [["true", "False"], ["YES", "no"], ["1", "0"], ["1.0", "0"], ["TRUE", "FALSE"]]
)
def test_booleans_are_one_indicator(tmp_path, texts):
    read = table(tmp_path, [texts[i % 2] for i in range(ROWS)])
    assert read.names == ("x", "other")
    assert list(read.indicator) == [True, False]
    assert list(read.features[:3, 0]) == [1, 0, 1]


def test_texts_are_columns_of_their_values(tmp_path):
    read = table(tmp_path, [["b", "a", " c ", "10"][i % 4] for i in range(ROWS)])
    assert read.names == ("x=10", "x=a", "x=b", "x=c", "other")
    np.testing.assert_array_equal(read.features[:4, :4], np.eye(4)[[2, 1, 3, 0]])
    assert list(read.indicator) == [True] * 4 + [False]
    read = table(tmp_path, ["fm"[i % 2] for i in range(ROWS)])
    assert read.names == ("x=m", "other")
    assert list(read.features[:3, 0]) == [0, 1, 0]


def test_too_many_texts_are_refused(tmp_path):
    assert len(table(tmp_path, [f"n{i % 50}" for i in range(ROWS)]).names) > 50
    line = problem(tmp_path, [f"n{i % 51}" for i in range(ROWS)])
    assert line.startswith("column 'x' holds 51 different texts such as 'n0', more than the 50")
    assert "--ignore x" in line


@pytest.mark.parametrize("words", [{"i3": "n.v."}, {"i3": "n.v.", "i7": "n.v.", "i9": "1,5x"}])
def test_words_among_numbers_are_named(tmp_path, words):
    line = problem(tmp_path, changed(QUANTITY, **words))
    where = "lines 5 and 9" if "i7" in words else "line 5"
    assert f"holds numbers, but also 'n.v.' in {where}" in line
    assert "--ignore x" in line


def test_few_numbers_among_words_are_categories(tmp_path):
    read = table(tmp_path, [["0", "1", "2", "3+"][i % 4] for i in range(ROWS)])
    assert read.names == ("x=0", "x=1", "x=2", "x=3+", "other")
    read = table(tmp_path, [str(i) if i < 12 else "AB"[i % 2] for i in range(ROWS)])
    assert (read.names[0], read.names[-2], len(read.names)) == ("x=0", "x=B", 15)
    read = table(tmp_path, [["Infinity", "Zero", "5"][i % 3] for i in range(ROWS)])
    assert read.names == ("x=5", "x=Infinity", "x=Zero", "other")


@pytest.mark.parametrize("text", ["inf", "-Infinity", "1e999"])
def test_infinite_values_are_named(tmp_path, text):
    line = problem(tmp_path, changed(NUMBERS, i3=text, i5=text))
    assert f"not finite: '{text}' in lines 5 and 7" in line


@pytest.mark.parametrize("value", ["1e200", "-1e300", "1e45"])
def test_values_too_large_to_standardize_are_named(tmp_path, value):
    size = "column '{}' holds values too large or too small to standardize"
    assert problem(tmp_path, changed(NUMBERS, i3=value)) == size.format("x")
    path = write(tmp_path, {"x": NUMBERS, "y": changed(QUANTITY, i3=value)})
    assert problems(path) == [size.format("y")]
    assert table(tmp_path, [f"{text}e30" for text in NUMBERS]).names == ("x", "other")


DATES = [
    *("2020-01-31", "2020/1/31", "2020-01", "31.12.2020", "31.1.20", "12/31/2020", "31/12/2020"),
    *(
        "2020-01-31 23:59",
        "2020-01-31T23:59:59.123Z",
        "2020-01-31 00:00:00+02:00",
        "23:59",
        "7:05 PM",
    ),
    *("3 March 2020", "March 3, 2020", "Mar 3rd 2020", "3-Mar-20", "Tue, 3 Mar 2020"),
    *("Mar 2023", "12/31/2020 11:59 pm", "31.12.2020 08:15:00", "Tuesday, March 3, 2020"),
]
NO_DATES = ["Marker 20", "1.2.3", "May", "Monday", "99-99-9999", "A2020-01-31", "2020Q1", "12:75"]


@pytest.mark.parametrize("text", DATES)
def test_dates_are_refused_by_name(tmp_path, text):
    column = [text.replace("3", str(1 + i % 2)) for i in range(ROWS)]
    line = problem(tmp_path, column)
    assert line.startswith("column 'x' holds dates or times such as")
    assert "--ignore x" in line


@pytest.mark.parametrize("text", NO_DATES)
def test_words_and_codes_are_no_dates(tmp_path, text):
    assert table(tmp_path, [text if i % 2 else "A code" for i in range(ROWS)]).indicator[0]
    codes = [text.replace("2", str(i % 3)) for i in range(ROWS)]
    assert table(tmp_path, codes).names[-1] == "other"


# Missing values


@pytest.mark.parametrize(
    "spelling", ["", " ", "NA", "nan", "NaN", "NULL", "None", "n/a", "?", "#N/A"]
)
def test_missing_values_are_refused_dropped_or_kept(tmp_path, spelling):
    for column in (NUMBERS[::-1], WORDS, [("no", "yes")[i % 2] for i in range(ROWS)]):
        gaps = changed(column, i3=spelling, i8=spelling)
        line = problem(tmp_path, gaps)
        spelled = f" ({spelling!r})" if spelling.strip() else ""
        assert line.startswith(f"column 'x' lacks 2 values, the first in line 5{spelled}; ")
        assert "--missing drop" in line
        assert "--missing mean" in line
        whole = table(tmp_path, column)
        dropped = table(tmp_path, gaps, missing="drop")
        rows = np.delete(np.arange(ROWS), [3, 8])
        np.testing.assert_array_equal(dropped.features, whole.features[rows])
        np.testing.assert_array_equal(dropped.target, whole.target[rows])
        assert any("Left out 2 of 60 rows with missing" in note for note in dropped.notes)
        kept = table(tmp_path, gaps, missing="mean")
        expected = whole.features.copy()
        expected[[3, 8], :-1] = np.nan
        np.testing.assert_array_equal(kept.features, expected)
        np.testing.assert_array_equal(kept.indicator, whole.indicator)
        assert "The mean stands for missing values in 'x' (2)." in kept.notes


def test_rows_without_a_target_are_no_samples(tmp_path):
    path = write(tmp_path, {"x": NUMBERS, "y": changed(WORDS, i0="", i9="?")})
    (line,) = problems(path)
    assert line.startswith("column 'y' lacks 2 values, the first in line 2; --missing drop")
    assert "mean" not in line
    for missing in ("drop", "mean"):
        read = read_table(path, "y", missing=missing)
        np.testing.assert_array_equal(read.features[:, 0], np.delete(numbers(NUMBERS), [0, 9]))
        assert "Left out 2 of 60 rows without a value in 'y'." in read.notes


@pytest.mark.parametrize("missing", ["drop", "mean"])
def test_wholly_missing_columns_do_not_cost_the_rows(tmp_path, missing):
    half = [text if i % 2 else "" for i, text in enumerate(NUMBERS)]
    label = [text if not i % 2 else "" for i, text in enumerate(WORDS)]
    columns = {"x": NUMBERS, "none": [""] * ROWS, "half": half, "y": label}
    read = read_table(write(tmp_path, columns), "y", missing=missing)
    assert (read.names, len(read.target)) == (("x",), 30)
    assert "Left out columns without any value: 'none' and 'half'." in read.notes
    line = problems(write(tmp_path, {**columns, "y": WORDS}))[0]
    assert line == "column 'none' is empty; --ignore none leaves it out"


def test_rows_that_hold_nothing_are_blank_lines(tmp_path):
    path = write(tmp_path, {"a": NUMBERS, "y": WORDS})
    path.write_text(' , \n""\n' + path.read_text() + ' , \n,\n""\n\u00a0\n1,2,3\n')
    (line,) = problems(path)
    assert line.endswith("line 68 has 3")
    path.write_text(path.read_text().replace("1,2,3", ""))
    assert len(read_table(path, "y").target) == ROWS


@pytest.mark.parametrize("blank", ["", " ", "\t", "\u00a0", "\u0085", "\u3000", "\f"])
def test_rows_of_blanks_of_any_kind_are_counted_as_lines(tmp_path, blank):
    first, *rows = (
        write(tmp_path, {"a": changed(NUMBERS, i3=""), "y": WORDS}).read_text().split("\n")
    )
    path = tmp_path / "data.csv"
    path.write_text("\n".join([first, f"{blank},{blank}", *rows]))
    (line,) = problems(path)
    assert line.startswith("column 'a' lacks 1 value, the first in line 6; ")
    assert len(read_table(path, "y", missing="drop").target) == ROWS - 1


# Columns that tell nothing


def test_columns_that_tell_nothing_are_left_out(tmp_path):
    rows = [str(i + 7) for i in range(ROWS)]
    columns = {"a": changed(NUMBERS, i0="0"), "b": ["5"] * ROWS, "c": ["same"] * ROWS}
    columns |= {"d": changed(NUMBERS, i0="-0"), "e": WORDS, "f": WORDS, "n": rows}
    columns |= {"g": changed([f"{text}0" for text in NUMBERS], i0="0"), "y": WORDS}
    read = read_table(write(tmp_path, columns), "y")
    assert read.names == ("a", "e=blue", "e=green", "e=red", "n")
    assert "Left out columns with the same value in every row: 'b' and 'c'." in read.notes
    same = "Left out columns equal to an earlier one: 'd', 'f=blue', 'f=green', 'f=red' and 'g'."
    assert same in read.notes
    assert any("--ignore" in note and "'n'" in note for note in read.notes)
    read = table(tmp_path, [str(2 * i) for i in range(ROWS)])
    assert not any("--ignore" in note for note in read.notes)


def test_columns_that_are_constant_in_the_rows_left_are_left_out(tmp_path):
    column = [str(i // 58) for i in range(ROWS)]
    columns = {"x": column, "a": changed(NUMBERS, i58="", i59=""), "y": WORDS}
    assert read_table(write(tmp_path, columns), "y", missing="drop").names == ("a",)


def test_no_feature_left_is_a_problem(tmp_path):
    path = write(tmp_path, {"x": ["1"] * ROWS, "y": WORDS})
    assert problems(path) == ["no feature is left besides the target"]
    assert problems(path, ignore=["x"]) == ["no feature is left besides the target"]


# The target


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["b", "a ", "c"], ("a", "b", "c")),
        (["10", "9", "1"], ("1", "9", "10")),
        (["2.0", "10.0", "2"], ("2.0", "10.0")),
        (["True", "FALSE", "true"], ("FALSE", "True")),
        (["01", "1", "02"], ("01", "02")),
        (["-1,0", "1,0", "1,5"], None),
    ],
)
def test_classes_are_recognised_and_named_as_written(tmp_path, labels, classes):
    path = write(tmp_path, {"x": NUMBERS, "y": [labels[i % len(labels)] for i in range(ROWS)]}, ";")
    read = read_table(path, "y")
    assert read.classes == (classes or ())
    assert read.target.dtype == (np.int64 if classes else np.float64)
    if classes is None:
        assert list(read.target[:3]) == [-1, 1, 1.5]


@pytest.mark.parametrize(("different", "rows"), [(20, 60), (21, 100), (20, 59)])
def test_whole_numbers_are_classes_if_they_are_few(tmp_path, different, rows):
    column = [str(i % different) for i in range(rows)]
    features = [str(i * i) for i in range(rows)]
    path = write(tmp_path, {"x": features, "y": column})
    is_classes = (different, rows) == (20, 60)
    if is_classes:
        (line,) = problems(path)
        assert "0 classes with at least 5 rows" in line
    read = read_table(path, "y", task="regression" if is_classes else "auto")
    np.testing.assert_array_equal(read.target, numbers(column))
    assert any("--task classification" in note for note in read.notes) != is_classes


def test_the_task_overrides_what_is_recognised(tmp_path):
    path = write(tmp_path, {"x": NUMBERS, "y": [str(i % 4) for i in range(ROWS)]})
    assert len(read_table(path, "y").classes) == 4
    read = read_table(path, "y", task="regression")
    assert (read.classes, read.target.dtype) == ((), np.float64)
    path = write(tmp_path, {"x": NUMBERS, "y": [f"{i % 4}.5" for i in range(ROWS)]})
    assert read_table(path, "y").classes == ()
    assert read_table(path, "y", task="classification").classes == ("0.5", "1.5", "2.5", "3.5")


@pytest.mark.parametrize(
    ("column", "task", "shown"),
    [
        (WORDS, "regression", "regression needs numbers"),
        (NUMBERS, "classification", "60 different values in 60 rows, too many for classes"),
        ([f"n{i % 21}" for i in range(ROWS)], "auto", "21 different values in 60 rows"),
        (["1"] * ROWS, "auto", "the same value in every row"),
        (["1"] * ROWS, "regression", "the same value in every row"),
        (["a"] * ROWS, "classification", "the same value in every row"),
        (["2020-01-01", "2020-01-02"] * 30, "auto", "dates or times such as '2020-01-01'"),
        ([""] * ROWS, "auto", "is empty"),
        (changed(NUMBERS, i3="many"), "auto", "numbers, but also 'many' in line 5"),
        (changed(NUMBERS, i3="inf"), "auto", "not finite: 'inf' in line 5"),
        (["a", *"bcde" * 4, *"b" * 43], "auto", "names 1 classes with at least 5 rows"),
    ],
)
def test_what_cannot_be_predicted_is_a_problem(tmp_path, column, task, shown):
    (line,) = problems(write(tmp_path, {"x": NUMBERS, "y": column}), task=task)
    assert line.startswith("column 'y' ")
    assert shown in line


def test_rare_classes_are_left_out(tmp_path):
    labels = changed(WORDS, i3="one", **{f"i{i}": "four" for i in (4, 5, 6, 7)})
    labels[10:15] = ["five"] * 5
    read = read_table(write(tmp_path, {"x": NUMBERS, "y": labels}), "y")
    assert read.classes == ("blue", "five", "green", "red")
    assert [read.classes[index] for index in read.target] == labels[:3] + labels[8:]
    np.testing.assert_array_equal(read.features[:, 0], numbers(NUMBERS[:3] + NUMBERS[8:]))
    assert any("'four' (4) and 'one' (1)" in note for note in read.notes)


def test_few_rows_are_a_problem(tmp_path):
    assert len(table(tmp_path, QUANTITY[:30]).target) == 30
    assert problem(tmp_path, QUANTITY[:29]) == "29 rows are too few: at least 30 are needed"
    line = problem(tmp_path, changed(QUANTITY[:30], i0=""), missing="drop")
    assert line.startswith("29 of 30 rows are left, which are too few")
    assert "--missing mean" in line
    few = problems(write(tmp_path, {"x": NUMBERS[:2], "y": QUANTITY[:2]}))
    assert few == ["2 rows are too few: at least 30 are needed"]


# All at once


def test_all_problems_are_listed_at_once(tmp_path):
    columns = {f"when{i}": [f"{1990 + k}-01-0{i + 1}" for k in range(ROWS)] for i in range(8)}
    columns |= {"name": [f"n{i}" for i in range(ROWS)], "gap": changed(NUMBERS, i1="")}
    columns |= {"big": changed(NUMBERS, i2="1e300"), "inf": changed(NUMBERS, i1="inf")}
    columns |= {"word": changed(NUMBERS, i1="x"), "y": changed(QUANTITY, i1="")}
    path = write(tmp_path, columns)
    found = problems(path, ignore=["nothing"])
    named = [*(f"'when{i}'" for i in range(8)), "'name'", "'inf'", "'word'"]
    assert len(found) == 15
    for line, name in zip(found, ["--ignore", *named, "'gap'", "'y'", "'big'"], strict=True):
        assert name in line.split(";")[0]
    with pytest.raises(CompareError) as error:
        read_table(path, "y", ignore=["nothing"])
    lines = str(error.value).split("\n")
    assert lines[:12] == list(error.value.problems[:12])
    assert lines[12:] == ["and 3 more problems"]


@pytest.mark.parametrize(("count", "last"), [(12, "p11"), (13, "and 1 more problem")])
def test_errors_show_twelve_problems(count, last):
    error = CompareError(*(f"p{i}" for i in range(count)))
    assert str(error).split("\n")[-1] == last
    assert len(error.problems) == count


@pytest.mark.parametrize(("rows", "columns"), [(300, 3000), (30_000, 20)])
def test_large_files_are_read_whole(tmp_path, rows, columns):
    values = np.random.default_rng(1).standard_normal((rows, columns))
    path = tmp_path / "large.csv"
    names = ",".join(f"c{i}" for i in range(columns))
    np.savetxt(path, np.round(values, 3), "%.3f", ",", header=f"{names}", comments="")
    read = read_table(path, "c0")
    np.testing.assert_array_equal(read.features, np.round(values, 3)[:, 1:] + 0.0)
