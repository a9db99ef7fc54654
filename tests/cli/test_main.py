"""Choosing the command: help, version, what is not there, faults, pipes."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pytest

import stmviewer
from stmviewer.cli import main
from stmviewer.scan import Cancelled

#: flags that DESIGN.md promises to scripts
PROMISED = {
    "info": "--json",
    "mask": "--pattern --pixels --seed -o",
    "plan": "--pixels --size-nm --line-time --json",
    "convert": "-o --format --json",
    "restore": "--task --mask --model --steps --samples --seed --device --channel --direction --trust -o --format"
    " --json",
    "simulate": "--surface --count --size --pixel-nm --preset --seed -o --format",
    "train": "--model --from --minutes --name --models-dir --resume --protocol --seed",
    "adapt": "--model --minutes --name --json",
    "evaluate": "--benchmark --pristine --degraded --models --tasks --report --json",
    "clip": "--download --use --forget --json",
    "models": "--json",
    "bench": "--json",
    "smoke-test": "",
}


def test_version(run):
    assert run("--version").done().out == f"stmviewer {stmviewer.__version__}\n"


def test_help_lists_every_command_and_the_window(run):
    text = run("--help").done().out
    for name in PROMISED:
        assert f"\n    {name}" in text
    assert "opens the window" in text


@pytest.mark.parametrize("command", PROMISED)
def test_help_of_a_command_has_the_flags_that_scripts_rely_on(run, command):
    text = run(command, "--help").done().out
    for flag in PROMISED[command].split():
        assert f" {flag}" in text


def test_every_command_of_the_design_is_there():
    assert set(PROMISED) == set(main.COMMANDS)


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["--nope"], ["--help"]),
        (["info"], ["file", "stmviewer info --help"]),
        (["info", "a", "--nope"], ["--nope"]),
        (["restore", "a.sxm"], ["-o"]),
        (["restore", "a", "-o", "x", "--task", "dream"], ["dream", "repair", "sparse"]),
        (["restore", "a", "-o", "x", "--format", "bmp"], ["bmp", "gwy", "npz", "tif"]),
        (["restore", "a", "-o", "x", "--device", "tpu"], ["tpu", "cuda"]),
        (["restore", "a", "-o", "x", "--steps", "many"], ["many"]),
        (["restore", "a", "-o", "x", "--direction", "up"], ["up", "forward"]),
        (["mask", "-o", "m.npz"], ["--pattern"]),
        (["simulate"], ["-o"]),
        (["train", "folder"], ["--name"]),
        (["evaluate"], ["--benchmark", "--pristine"]),
        (["evaluate", "--benchmark", "--pristine", "x"], ["--benchmark", "--pristine"]),
    ],
)
def test_a_wrong_command_line_is_one_line_that_says_where_help_is(run, words, parts):
    run(*words).refused(*parts, "--help")


def test_a_fault_of_ours_is_one_message_without_a_traceback(run, monkeypatch, scan_file):
    monkeypatch.setattr("stmviewer.cli.info.describe", lambda scan: 1 / 0)
    outcome = run("info", scan_file)
    assert outcome.code == 1
    assert "a fault of stmviewer: ZeroDivisionError" in outcome.err
    assert "STMVIEWER_DEBUG=1" in outcome.err
    assert "Traceback" not in outcome.err
    monkeypatch.setenv("STMVIEWER_DEBUG", "1")
    assert "Traceback" in run("info", scan_file).err


def test_too_little_memory_for_a_library_is_no_fault_of_ours(run, monkeypatch, scan_file):
    def short(*_: object) -> None:
        raise ImportError("libtorch_cpu.so: failed to map segment from shared object")

    monkeypatch.setattr("stmviewer.cli.info.run", short)
    run("info", scan_file).refused("ran out of memory")


@pytest.mark.parametrize("error", [KeyboardInterrupt, Cancelled])
def test_stopping_is_exit_130(run, monkeypatch, scan_file, error):
    def stop(_: argparse.Namespace) -> int:
        raise error

    monkeypatch.setattr("stmviewer.cli.info.run", stop)
    outcome = run("info", scan_file)
    assert outcome.code == 130
    outcome.one_line("stopped")


def test_no_display_is_a_clear_refusal(start, scan_file):
    for words in ([], [scan_file], ["no-such-command"]):
        process = start(*words)
        out, err = process.communicate()
        assert process.returncode == 2
        assert out == ""
        assert len(err.splitlines()) == 1
        assert "display" in err
        assert "stmviewer --help" in err


def test_a_machine_without_qt_is_told_what_is_missing(run, monkeypatch):
    """A server without libEGL: importing Qt fails, and it is no fault of stmviewer."""

    class Broken:
        def find_spec(self, name, path=None, target=None):
            if name == "stmviewer.gui.app":
                cause = "libEGL.so.1: cannot open shared object file: No such file or directory"
                raise ImportError(cause, name="PySide6.QtGui")

    monkeypatch.delitem(sys.modules, "stmviewer.gui.app", raising=False)
    monkeypatch.setattr("sys.meta_path", [Broken(), *sys.meta_path])
    run().refused("Qt cannot be loaded", "libEGL.so.1", "linux_libraries.sh")


def test_an_import_that_fails_in_our_code_is_our_fault(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "stmviewer.gui.app", None)
    assert run().code == 1


@pytest.mark.parametrize("words", [["models"], ["--help"], ["models", "--json"]])
def test_a_reader_that_stops_reading_is_no_error(environment, words):
    """`stmviewer models | head -1`"""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stdout:
        process = subprocess.run(
            [sys.executable, "-m", "stmviewer", *words],
            stdout=stdout,
            stderr=subprocess.PIPE,
            env=environment,
            check=False,
        )
    assert process.stderr == b""
    assert process.returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a full disk as Linux has it")
@pytest.mark.parametrize(
    "words", [["models", "--json"], ["models"], ["smoke-test", "--only", "resources", "--no-window"]]
)
def test_a_full_disk_for_the_report_is_no_fault_of_ours(environment, words):
    command = [sys.executable, "-m", "stmviewer", *words]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, env=environment, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "No space left" in done.stderr


def test_a_terminal_that_cannot_show_a_unit_is_no_error(environment, tmp_path):
    from . import scans

    path = scans.write(tmp_path / "wide.gwy", comment="Größe 5 µm")
    for words, encoding in ((["info", path], "ascii"), (["info", path, "--json"], "latin-1")):
        process = subprocess.run(
            [sys.executable, "-m", "stmviewer", *map(str, words)],
            env=environment | {"PYTHONIOENCODING": encoding},
            capture_output=True,
            check=False,
        )
        assert process.returncode == 0, process.stderr
        assert process.stdout.isascii()


def test_info_and_help_load_neither_torch_nor_qt_nor_scipy(environment, scan_file):
    code = (
        "import sys; from stmviewer.cli import run; "
        f"assert run(['info', {str(scan_file)!r}]) == run(['--help']) == run(['models']) == 0; "
        "print([m for m in ('torch', 'PySide6', 'scipy', 'skimage', 'matplotlib') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert out.stdout.splitlines()[-1] == "[]"


def test_the_window_entry_point_is_the_command_line(monkeypatch):
    from stmviewer import __main__

    seen = []
    monkeypatch.setattr("stmviewer.cli.run", lambda words: seen.append(words) or 7)
    monkeypatch.setattr("sys.argv", ["stmviewer-window", "scan.sxm"])
    assert __main__.window() == 7
    assert __main__.main() == 7
    assert seen == [["scan.sxm"], ["scan.sxm"]]
