"""Ctrl-C: exit 130, soon, and nothing is lost that was done."""

import json
import signal
import time

import pytest

from stmviewer import paths

from . import scans

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="signals as POSIX has them")
#: fails the test, should Ctrl-C not be heard; no measure of speed
PATIENCE_S = 120


def test_restoring_many_scans(start, tmp_path):
    """The first is done quickly, the second takes many minutes."""
    small = scans.write(tmp_path / "a.gwy")
    large = scans.write(tmp_path / "b.gwy", scans.lattice(1500, 1500))
    words = ["--task", "sparse", "--mask", "pixels:0.05", "--model", "biharmonic", "-o", tmp_path / "out"]
    process = start("restore", small, large, *words)
    assert "a_Z-forward_sparse.gwy" in process.stdout.readline()
    for line in process.stdout:  # up to its score, the last line of the first scan
        if line.startswith("  linear"):
            break
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert "stmviewer: stopped" in err
    assert "Traceback" not in err
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "a_Z-forward_sparse.gwy",
        "a_Z-forward_sparse.gwy.provenance.json",
    ]


def test_while_modules_are_loaded(monkeypatch, capsys):
    from stmviewer import __main__

    def loading() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(__main__, "_settle", loading)
    assert __main__.main() == 130
    assert capsys.readouterr().err == "stmviewer: stopped\n"


def test_what_was_restored_before_is_in_the_json(run, tmp_path, monkeypatch):
    from stmviewer.services import batch as module

    for name in ("a.gwy", "b.gwy", "c.gwy"):
        scans.write(tmp_path / "in" / name)
    real = module.open_calibrated

    def one(file, *rest):
        if file.name == "b.gwy":
            signal.raise_signal(signal.SIGINT)
        return real(file, *rest)

    monkeypatch.setattr(module, "open_calibrated", one)
    outcome = run("restore", tmp_path / "in", "--model", "tv", "-o", tmp_path / "out", "--json")
    assert outcome.code == 130
    outcome.one_line("stopped")
    assert [r["file"] for r in outcome.json] == [str(tmp_path / "in" / "a.gwy")]


def test_training_leaves_a_checkpoint_to_resume_from(start, tmp_path):
    """A resumed training then ends in a model."""
    for k in range(4):
        scans.write(tmp_path / "scans" / f"{k}.gwy", scans.lattice(100, 100, seed=k))
    models = tmp_path / "models"
    # what a user cannot choose: a network small enough for a test
    first = scans.put_model("regression-first")
    words = ["train", tmp_path / "scans", "--from", first, "--name", "regression-lab", "--models-dir", models]
    process = start(*words, "--minutes", 60)
    assert json.loads(process.stdout.readline())["event"] == "started"
    assert json.loads(process.stdout.readline())["step"] >= 1  # it trains
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert err == "stmviewer: stopped\n"
    work = models / "regression-lab.training"
    assert {"checkpoints", "log.jsonl", "state.safetensors"} <= {p.name for p in work.iterdir()}
    assert not (models / "regression-lab.safetensors").exists()

    process = start(*words, "--minutes", 0.0001, "--resume")
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    saved = json.loads(out.splitlines()[-1])
    assert saved["event"] == "saved"
    assert saved["step"] >= 1  # its time was over: nothing was trained in addition, nothing from the start
    assert (models / "regression-lab.safetensors").is_file()


def test_simulating_many_pairs_keeps_those_that_were_made(start, tmp_path):
    process = start("simulate", "--count", 100_000, "--size", 32, "-o", tmp_path / "out")
    while not list((tmp_path / "out").glob("*00001.npz")):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert "stmviewer: stopped" in err
    assert out == ""
    made = sorted((tmp_path / "out").glob("*.npz"))
    assert all(path.with_suffix(".json").exists() for path in made)


@pytest.mark.parametrize("what", [["--calibrate", "regression-tiny"], ["--self-check"], ["--benchmark"]])
def test_a_fit_is_stopped_at_once_while_its_scans_are_simulated(run, learned, monkeypatch, what) -> None:
    """That takes many seconds, and has no steps."""

    def simulating(*_: object) -> None:
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("it went on")

    monkeypatch.setattr("stmviewer.cli.evaluate._benchmark_sets", simulating)
    monkeypatch.setattr("stmviewer.evaluate.choice_sets.choice_sets", simulating)
    manifest = paths.user_models() / "manifest.json"
    before = manifest.read_bytes()
    stopped = run("evaluate", *what)
    assert stopped.code == 130
    assert "stopped" in stopped.err
    assert manifest.read_bytes() == before
