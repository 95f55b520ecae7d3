"""The command line: what works without the extra packages, and the one line of every error."""

import subprocess
import sys
from importlib.metadata import version

import pytest

from bridle._cli import main


def error_line(capsys, argv, code=2):
    """Run a command line that must fail; return the only line that it prints."""
    assert main(argv) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"bridle {version('bridle')}\n"


def test_info_names_what_is_in_use(capsys):
    assert main(["info"]) == 0
    shown = capsys.readouterr().out
    for fact in (version("bridle"), "instruction set", "threads", "openmp"):
        assert fact in shown.lower()


def test_module_is_the_command():
    command = [sys.executable, "-m", "bridle", "--version"]
    assert subprocess.run(command, check=True, capture_output=True).stdout.startswith(b"bridle ")


def test_import_and_info_need_no_extra_package():
    forbidden = ("sklearn", "pandas", "threadpoolctl", "matplotlib", "jinja2", "rich")
    program = (
        "import sys; from bridle._cli import main; main(['info']);"
        f"assert not set(sys.modules) & set({forbidden!r})"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def test_help_shows_examples(capsys):
    assert main(["compare", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "bridle compare --data" in shown
    options = "data target task model methods strengths repeats ignore missing epochs seed"
    for option in (f"--{name}" for name in f"{options} threads out quick".split()):
        assert option in shown


@pytest.mark.parametrize("argv", [[], ["compute"], ["info", "extra"], ["compare", "--epoch", "3"]])
def test_wrong_command_lines_are_one_line(capsys, argv):
    assert error_line(capsys, argv).startswith("bridle")


@pytest.mark.parametrize("option", ["--epochs", "--repeats", "--threads"])
@pytest.mark.parametrize("value", ["0", "-1", "2.5", "many", "", "99999999"])
def test_counts_must_be_positive_whole_numbers(capsys, option, value):
    line = error_line(capsys, ["compare", f"{option}={value}"])
    assert line.startswith(f"bridle compare: argument {option}: must be a whole number from 1 to ")
    assert repr(value) in line


@pytest.mark.parametrize("value", ["-1", "x", str(2**64)])
def test_seed_must_fit_the_generator(capsys, value):
    line = error_line(capsys, ["compare", "--seed", value])
    assert line.startswith("bridle compare: argument --seed: ")


@pytest.mark.parametrize("module", ["sklearn", "pandas", "threadpoolctl", "rich"])
def test_missing_extra_package_says_what_to_install(capsys, monkeypatch, tmp_path, module):
    monkeypatch.setitem(sys.modules, module, None)
    line = error_line(capsys, ["compare", "--out", str(tmp_path / "report")])
    assert line.startswith("bridle compare: ")
    assert 'pip install "bridle[compare]"' in line
    assert not (tmp_path / "report").exists()
