"""`bridle compare` as a command: the report it writes, what it prints, and its errors."""

import csv
import html.parser
import json
import os
import sys
from dataclasses import replace

import numpy as np
import pytest

from bridle._cli import main
from bridle._compare import CompareError, observations, require_extra_packages, run
from bridle._compare.data import Part, load_digits
from bridle._compare.methods import METHODS
from bridle._compare.report import Report, write_report
from bridle._compare.training import HISTORY, Settings, reproducible, train

for package in ("sklearn", "threadpoolctl", "matplotlib", "jinja2", "rich"):
    pytest.importorskip(package)

BY_NAME = {method.name: method for method in METHODS}


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The folder of a short comparison of digits."""
    folder = tmp_path_factory.mktemp("compare") / "new" / "report"
    assert main(["compare", "--epochs", "3", "--threads", "1", "--out", str(folder)]) == 0
    return folder


def rows_of(folder, *, timed=True):
    with (folder / "results.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [{k: v for k, v in row.items() if timed or not k.startswith("time_")} for row in rows]


def test_table_has_a_row_for_each_method(report):
    rows = rows_of(report)
    assert [row["method"] for row in rows] == list(BY_NAME)
    for row in rows:
        numbers = {name: float(text) for name, text in row.items() if name != "method"}
        assert 0 <= numbers["zeros_percent"] <= 100
        assert numbers["l1_norm"] > numbers["l2_norm"] > 0
        gap = numbers["train_accuracy_percent"] - numbers["test_accuracy_percent"]
        assert numbers["gap_points"] == gap
        assert 1 <= numbers["best_epoch"] <= numbers["epochs"] == 3
        assert numbers["time_per_epoch_ms"] > 0
        assert 0 <= numbers["time_in_bridle_percent"] < 100


def test_json_holds_settings_versions_and_history(report):
    everything = json.loads((report / "results.json").read_text(encoding="utf-8"))
    assert everything["settings"]["epochs"] == 3
    assert everything["settings"]["threads"] == 1
    assert everything["data"]["samples"] == {"training": 400, "validation": 400, "test": 997}
    assert "numpy" in everything["versions"]
    assert everything["command"].startswith("bridle compare --epochs 3 --seed 0 --threads 1 --out ")
    for row, result in zip(rows_of(report), everything["results"], strict=True):
        assert float(row["zeros_percent"]) == result["zeros_percent"]
        assert set(result["history"]) == set(HISTORY)
        assert {len(values) for values in result["history"].values()} == {result["epochs"]}


def test_same_seed_gives_the_same_bits_on_any_number_of_threads(report, tmp_path):
    assert main(["compare", "--epochs", "3", "--threads", "2", "--out", str(tmp_path)]) == 0
    assert rows_of(tmp_path, timed=False) == rows_of(report, timed=False)


class Page(html.parser.HTMLParser):
    """Collects what a page refers to, and its text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.references, self.texts = set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.references += [v for k, v in attributes if k.split(":")[-1] in ("src", "href", "data")]

    def handle_data(self, data):
        self.texts.append(data)


def test_page_is_self_contained_and_complete(report):
    text = (report / "index.html").read_text(encoding="utf-8")
    page = Page(text)
    assert "http:" not in text
    assert "https:" not in text
    assert not page.tags & {"script", "link", "iframe", "img", "object"}
    assert "@import" not in text
    assert all(reference.startswith("#") for reference in page.references)
    assert text.count("<svg") == 2 + 3 * len(METHODS)
    shown = " ".join(" ".join(page.texts).split())
    for row in rows_of(report):
        assert f"{float(row['l1_norm']):,.0f}" in shown
    for method in METHODS:
        assert method.title in shown
        assert method.explanation in shown
    for fact in ("Handwritten digits", "bridle compare --epochs 3", np.__version__):
        assert fact in shown


def test_page_escapes_what_the_user_names(tmp_path, capsys):
    path = tmp_path / "kinds.csv"
    path.write_text("size,<i>kind\n" + 20 * "1,small\n2,large\n", encoding="utf-8")
    argv = ["--data", str(path), "--target", "<i>kind", "--out", str(tmp_path), "--epochs", "1"]
    assert main(["compare", *argv]) == 0
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "&lt;i&gt;kind" in text
    assert "<i>" not in text


def test_terminal_output_fits_80_columns(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    folder = tmp_path / "report"
    assert main(["compare", "--epochs", "1", "--out", str(folder)]) == 0
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert all(len(line) <= 80 for line in lines if str(folder) not in line)
    for row in rows_of(folder):
        title = BY_NAME[row["method"]].title
        (line,) = [line for line in lines if line.startswith(f"{title}  ")]
        for name, decimals in (("zeros_percent", 1), ("l1_norm", 0), ("test_accuracy_percent", 1)):
            assert f"{float(row[name]):,.{decimals}f}" in line.split()
    assert captured.err.count("test accuracy") == len(METHODS)


def test_report_of_a_network_that_diverged(tmp_path):
    digits = load_digits(seed=0)
    huge = Part(1e30 * digits.training.inputs, digits.training.labels)
    digits = replace(digits, training=huge)
    settings = Settings(2, 0, hidden=(8,))
    with reproducible(None):
        results = [train(method, digits, settings, lambda: None) for method in METHODS]
    write_report(Report(digits, settings, 1, "bridle compare", results), tmp_path)
    everything = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert everything["results"][0]["test_loss"] is None
    assert "<svg" in (tmp_path / "index.html").read_text(encoding="utf-8")


# Errors


def failure(capsys, argv, code=2):
    """Run a comparison that must fail; return the only line that it prints."""
    assert main(["compare", *argv]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("bridle compare: ")
    assert captured.err.count("\n") == 1
    return captured.err


def test_missing_file_is_one_line(tmp_path, capsys):
    argv = ["--data", str(tmp_path / "no.csv"), "--target", "x", "--out", str(tmp_path / "report")]
    assert "no.csv: No such file" in failure(capsys, argv)
    assert not (tmp_path / "report").exists()


def test_bad_column_is_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(run, "train", None)
    path = tmp_path / "kinds.csv"
    path.write_text("size,kind\n" + 20 * "1,small\n2,large\n", encoding="utf-8")
    for target, words in (
        ("colour", "no column named"),
        ("size", "holds 'small'"),
    ):
        argv = ["--data", str(path), "--target", target, "--out", str(tmp_path / "report")]
        assert words in failure(capsys, argv)
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize("argv", [["--data", "flowers.csv"], ["--target", "species"]])
def test_data_and_target_belong_together(capsys, argv):
    assert "--data FILE and --target COLUMN" in failure(capsys, argv)


def test_folder_is_checked_before_training(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(run, "train", None)
    occupied = tmp_path / "file"
    occupied.touch()
    for folder in (occupied, occupied / "report"):
        assert f"cannot write to {folder}: " in failure(capsys, ["--out", str(folder)])
    page = tmp_path / "report" / "index.html"
    page.mkdir(parents=True)
    refused = f"cannot write to {page}: Is a directory"
    assert refused in failure(capsys, ["--out", str(tmp_path / "report")])
    page.rmdir()
    (tmp_path / "report" / "results.csv").symlink_to(os.devnull)
    refused = f"cannot write to {tmp_path / 'report' / 'results.csv'}: Is a device"
    assert refused in failure(capsys, ["--out", str(tmp_path / "report")])


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="needs a folder that refuses writing"
)
def test_folder_without_permission_is_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(run, "train", None)
    (tmp_path / "locked").mkdir(mode=0o500)
    assert "Permission denied" in failure(capsys, ["--out", str(tmp_path / "locked" / "report")])


def test_interruption_is_one_line(tmp_path, capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "train", interrupted)
    assert main(["compare", "--out", str(tmp_path)]) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "bridle compare: interrupted"
    assert not (tmp_path / "results.csv").exists()


def test_missing_packages_are_all_named(monkeypatch):
    for module in ("rich", "jinja2"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(CompareError, match="Jinja2, rich"):
        require_extra_packages()


def test_ties_are_all_named():
    values = {"none": 1.0, "L1": 2.0, "L2": 2.0, "dropout": 2.0}
    assert observations._titles(values, 1.0) == "none"
    assert observations._titles(values, 2.0) == "L1, L2 and dropout"
