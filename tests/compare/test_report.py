"""`bridle compare` as a command: the files it writes, what it prints, and its errors."""

import csv
import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bridle._cli import main
from bridle._compare import CompareError, require_extra_packages
from bridle._compare.folder import write_report
from bridle._compare.methods import METHODS
from bridle._compare.report import Report
from bridle._compare.results import Results
from bridle._compare.run import Options

from .data import fake, outcome

for package in ("sklearn", "pandas", "threadpoolctl", "matplotlib", "jinja2", "rich"):
    pytest.importorskip(package)

TITLES = {method.name: method.title for method in METHODS}
SHORT = ["--epochs", "3", "--repeats", "2"]
FLOWERS = "length;width;species\n" + "".join(
    f"{i % 7 + 10 * (i % 2)};{i * 0.5};{'red' if i % 2 else 'blue <b>'}\n" for i in range(60)
)


@pytest.fixture(scope="module")
def flowers(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "flowers.csv"
    path.write_text(FLOWERS, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The folder of a short comparison of digits."""
    folder = tmp_path_factory.mktemp("compare") / "new" / "report"
    assert main(["compare", *SHORT, "--threads", "1", "--out", str(folder)]) == 0
    return folder


def table_of(folder):
    with (folder / "results.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def everything_of(folder):
    return json.loads((folder / "results.json").read_text(encoding="utf-8"))


def lasting(value):
    """What must be the same in equal runs: everything but times, threads, command and versions."""
    if isinstance(value, dict):
        changing = ("time", "thread", "command", "version")
        return {
            key: lasting(item)
            for key, item in value.items()
            if not any(word in key for word in changing)
        }
    return list(map(lasting, value)) if isinstance(value, list) else value


def test_table_has_a_row_for_the_baseline_and_each_method(report):
    rows = table_of(report)
    assert [row["method"] for row in rows] == ["baseline", *TITLES]
    for row in rows[1:]:
        numbers = {
            name: float(text)
            for name, text in row.items()
            if text and name not in ("method", "strengths")
        }
        assert 0 <= numbers["zeros_percent"] <= 100
        assert numbers["l1_norm"] > numbers["l2_norm"] > 0
        gap = numbers["train_score"] - numbers["test_score"]
        assert numbers["gap"] == pytest.approx(gap)
        assert 1 <= numbers["best_epoch"] <= numbers["epochs"] == 3
        assert numbers["time_per_epoch_ms"] > 0
        assert 0 <= numbers["time_in_bridle_percent"] < 100
        assert numbers["test_score_std"] >= 0
        assert numbers["diverged"] == 0


def test_json_holds_what_its_readers_are_promised(report):
    everything = everything_of(report)
    assert everything["complete"] is True
    assert everything["best"] in (None, *TITLES)
    assert everything["settings"]["epochs"] == 3
    assert everything["settings"]["threads"] == 1
    assert everything["data"]["samples"] == {"training": 400, "validation": 400, "test": 997}
    assert {"numpy", "pandas"} <= set(everything["versions"])
    for row, result in zip(table_of(report), everything["results"], strict=True):
        assert len(result["repeats"]) == 2
        for repeat in result["repeats"]:
            assert repeat["diverged"] is False
            mean = sum(r["test_score"] for r in result["repeats"]) / 2
            assert float(row["test_score"]) == result["test_score"] == pytest.approx(mean)
        if result["method"] not in ("baseline", "none"):
            assert {r["strength"] for r in result["repeats"]} == set(result["strengths"])
            assert sum(point["chosen"] for point in result["curve"]) == 2
            differences = [
                one["test_score"] - plain["test_score"]
                for one, plain in zip(
                    result["repeats"], everything["results"][1]["repeats"], strict=True
                )
            ]
            assert result["difference"] == pytest.approx(sum(differences) / 2)


def test_scores_of_the_task_have_columns(tmp_path, flowers):
    argv = ["--data", str(flowers), "--methods", "l1", *SHORT, "--out", str(tmp_path)]
    assert main(["compare", *argv, "--target", "species"]) == 0
    (baseline, *_) = table_of(tmp_path)
    assert float(baseline["balanced_accuracy_percent"]) == 50
    assert float(baseline["roc_auc"]) == 0.5
    assert "r2" not in baseline
    assert main(["compare", *argv, "--target", "width", "--model", "linear"]) == 0
    everything = everything_of(tmp_path)
    (baseline, _, l1) = everything["results"]
    assert baseline["r2"] == baseline["test_score"] <= 0
    assert baseline["rmse"] > 1
    assert {feature["name"] for feature in l1["features"]} <= {"length", "species=red"}
    assert all(set(f) >= {"name", "kept", "mean_weight"} for f in l1["features"])
    assert everything["settings"]["score"]["direction"] == "higher is better"


def test_same_seed_same_report_on_any_number_of_threads(report, tmp_path):
    assert main(["compare", *SHORT, "--threads", "2", "--out", str(tmp_path)]) == 0
    assert lasting(everything_of(tmp_path)) == lasting(everything_of(report))
    assert [lasting(row) for row in table_of(tmp_path)] == [
        lasting(row) for row in table_of(report)
    ]


def test_the_command_in_the_report_repeats_it(tmp_path, flowers):
    argv = ["--data", str(flowers), "--target", "species", "--ignore", "width", *SHORT, "--quick"]
    argv += ["--methods", "l1,all", "--strengths", "l1=0.25,0.00123456789", "--seed", "7"]
    assert main(["compare", *argv, "--out", str(tmp_path)]) == 0
    first = everything_of(tmp_path)
    assert [row["method"] for row in first["results"]] == ["baseline", "none", "l1", "all"]
    assert [point["strength"] for point in first["results"][2]["curve"]] == [0.00123456789, 0.25]
    program, *command = shlex.split(first["command"])
    assert program == "bridle"
    assert main(command) == 0
    assert lasting(everything_of(tmp_path)) == lasting(first)
    assert everything_of(tmp_path)["command"] == first["command"]


def test_the_command_names_columns_that_look_like_options():
    options = Options(data=Path("-x.csv"), target="-y", ignore=["--z", "w"])
    words = shlex.split(options.command)
    assert words[2:] == [
        *("--data=-x.csv", "--target=-y", "--ignore=--z", "--ignore", "w"),
        *("--seed", "0", "--out", "bridle-report"),
    ]


def test_quick_gives_way_to_what_is_explicit(tmp_path, flowers):
    argv = ["compare", "--data", str(flowers), "--target", "species", "--methods", "none"]
    for more, repeats, epochs in (
        (["--quick"], 3, 40),
        (["--quick", "--repeats", "1"], 1, 40),
        (["--quick", "--epochs", "2"], 3, 2),
        (["--epochs", "2"], 5, 2),
    ):
        assert main([*argv, *more, "--out", str(tmp_path)]) == 0
        settings = everything_of(tmp_path)["settings"]
        assert (settings["repeats"], settings["epochs"]) == (repeats, epochs)


def test_terminal_output_fits_80_columns(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    folder = tmp_path / "report"
    assert main(["compare", *SHORT, "--out", str(folder)]) == 0
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert all(len(line) <= 80 for line in lines if str(folder) not in line)
    for row in table_of(folder)[1:]:
        (line,) = [line for line in lines if line.startswith(f"{TITLES[row['method']]}  ")]
        assert f"{float(row['test_score']):.1f} ± {float(row['test_score_std']):.1f}" in line
    assert "repeat 2 of 2, about " in captured.err
    verdict = " ".join(captured.out.split("\n\n")[0].split())
    assert verdict == everything_of(folder)["verdict"]


def test_report_of_what_diverged(tmp_path, capsys):
    broken = [outcome(float("nan"), float("inf"), finite=False)] * 2
    plain = [outcome(70, 70), outcome(71, 70)]
    comparison = fake({"none": {0.0: plain}, "l1": {0.1: broken}})
    results = Results(comparison)
    write_report(Report(results, 1, "bridle compare"), tmp_path)
    row = everything_of(tmp_path)["results"][2]
    assert row["diverged"] == 2
    assert row["test_score"] is None
    assert row["repeats"][0]["validation_score"] is None
    assert "diverged in 2 of 2" in (tmp_path / "index.html").read_text(encoding="utf-8")


# Interruption


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_ctrl_c_ends_with_a_report_of_what_was_finished(tmp_path, flowers):
    argv = ["--data", str(flowers), "--target", "species", "--methods", "l1", "--epochs", "40"]
    argv += ["--strengths", "l1=0.01", "--repeats", "10000", "--out", str(tmp_path)]
    with subprocess.Popen(
        [sys.executable, "-m", "bridle", "compare", *argv], stdout=-1, stderr=-1, text=True
    ) as process:
        for line in process.stderr:
            if line.startswith("repeat 4 of"):
                break
        process.send_signal(signal.SIGINT)
        shown, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert shown.startswith("Interrupted: this is what was finished.")
    everything = everything_of(tmp_path)
    assert everything["complete"] is False
    assert 3 <= len(everything["results"][1]["repeats"]) < 10000
    assert "Traceback" not in errors


def test_interruption_before_anything_is_finished_is_one_line(tmp_path, capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("bridle._compare.comparison.train", interrupted)
    assert main(["compare", "--out", str(tmp_path)]) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "bridle compare: interrupted"
    assert not (tmp_path / "results.csv").exists()


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


def test_all_problems_of_a_file_are_listed(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("bridle._compare.comparison.train", None)
    path = tmp_path / "bad.csv"
    rows = "".join(f"{i},2024-01-{i % 28 + 1:02},word{i},{i % 2}\n" for i in range(60))
    path.write_text(f"a,day,word,y\n,2024-01-01,word,1\n{rows}", encoding="utf-8")
    argv = ["compare", "--data", str(path), "--target", "y", "--out", str(tmp_path / "report")]
    assert main(argv) == 2
    captured = capsys.readouterr()
    lines = captured.err.splitlines()
    assert len(lines) == 3
    assert all(line.startswith(f"bridle compare: {path}: ") for line in lines)
    for line, words in zip(sorted(lines), ("'a'", "'day'", "'word'"), strict=True):
        assert words in line
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize("argv", [["--data", "flowers.csv"], ["--target", "species"]])
def test_data_and_target_belong_together(capsys, argv):
    assert "--data FILE and --target COLUMN" in failure(capsys, argv)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--methods", "l1,l3"], "no method 'l3'; the methods are none, l1, l2, "),
        (["--methods", "l1,,l2"], "argument --methods: must be names separated by commas"),
        (["--strengths", "l1"], "argument --strengths: must be METHOD=a,b,c with numbers"),
        (["--strengths", "l1=a"], "argument --strengths: must be METHOD=a,b,c with numbers"),
        (["--strengths", "l3=1"], "no method 'l3'"),
        (["--strengths", "none=1"], "none has no strength"),
        (["--strengths", "l1=0"], "l1 must be a number > 0, got 0"),
        (["--strengths", "l1=nan"], "l1 must be a number > 0, got nan"),
        (["--strengths", "l2=inf"], "l2 must be a number > 0, got inf"),
        (["--strengths", "dropout=1"], "dropout must be a number > 0 and < 1, got 1"),
        (["--strengths", "early_stopping=2.5"], "early_stopping must be a whole number >= 1, got"),
        (["--methods", "l1", "--strengths", "l2=1"], "l2 is not among the methods compared"),
    ],
)
def test_wrong_methods_and_strengths_are_one_line(capsys, argv, words):
    assert words in failure(capsys, argv)


def test_folder_is_checked_before_training(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("bridle._compare.comparison.train", None)
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
    monkeypatch.setattr("bridle._compare.comparison.train", None)
    (tmp_path / "locked").mkdir(mode=0o500)
    assert "Permission denied" in failure(capsys, ["--out", str(tmp_path / "locked" / "report")])


def test_missing_packages_are_all_named(monkeypatch):
    for module in ("rich", "jinja2"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(CompareError, match="Jinja2, rich"):
        require_extra_packages()
