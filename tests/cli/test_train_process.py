"""`stmviewer train --commands`, as the window starts it: a process that is told what to do on its stdin."""

import json
import signal
import subprocess
import sys

import pytest

from stmviewer import paths
from stmviewer.train import checkpoint

from . import scans


def test_checkpoints_and_a_stop_on_request(start, run, tmp_path, scan_file):
    for k in range(2):
        scans.write(tmp_path / "scans" / f"{k}.gwy", scans.lattice(100, 100, seed=k))
    first = scans.put_model("regression-first")  # a network small enough for a test
    words = [tmp_path / "scans", "--from", first, "--name", "regression-lab", "--batch", 2]
    process = start("train", *words, "--minutes", 60, "--commands", stdin=subprocess.PIPE)
    found = []
    for text in process.stdout:
        found.append(json.loads(text))
        match found[-1]:
            case {"event": "train"} if not [f for f in found[:-1] if f["event"] == "train"]:
                process.stdin.write("checkpoint good\n")
                process.stdin.flush()
            case {"event": "checkpoint", "name": "good"}:
                process.stdin.write("stop\n")
                process.stdin.flush()
    assert process.wait() == 0
    (said,) = process.stderr.read().splitlines()
    assert "learnt by heart" in said  # two scans
    assert found[0]["event"] == "started"
    assert [f["name"] for f in found if f["event"] == "checkpoint"][-3:] == ["good", None, "stopped"]
    last = found[-1]
    assert last["event"] == "stopped"
    assert last["step"] >= 1
    assert not (paths.user_models() / "regression-lab.safetensors").exists()

    good = next(f["path"] for f in found if f.get("name") == "good")
    made = run("models", "--use", good, "--name", "regression-good").done()
    assert "--model regression-good" in made.out
    (facts,) = run("restore", scan_file, "--model", "regression-good", "-o", tmp_path / "out", "--json").done().json
    assert facts["model"] == "regression-good"
    card = (paths.user_models() / "regression-good.md").read_text()
    assert "by choice" in card
    assert "| minutes | step |" in card
    run("models", "--use", good, "--name", "regression-good").refused("regression-good", "already")
    run("models", "--use", good, "--name", "linear").refused("linear")
    run("models", "--use", good).refused("--name")
    run("models", "--use", tmp_path / "none.safetensors", "--name", "regression-b").refused("no such checkpoint")
    (tmp_path / "other.safetensors").write_bytes(b"x")
    other = run("models", "--use", tmp_path / "other.safetensors", "--name", "regression-b")
    other.refused("other.safetensors", "is no checkpoint: there is no other.json beside it")


@pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")
@pytest.mark.parametrize("commands", [True, False])
def test_a_request_to_end_is_a_stop(start, run, tmp_path, commands):
    """As of Slurm, or of a window that grew impatient: the state is whole, and `stopped` is a model that can be used.

    Meanwhile nobody else trains under that name.
    """
    for k in range(2):
        scans.write(tmp_path / "scans" / f"{k}.gwy", scans.lattice(100, 100, seed=k))
    first = scans.put_model("regression-first")
    words = [tmp_path / "scans", "--from", first, "--name", "regression-lab", "--batch", 2, "--minutes", 60]
    process = start("train", *words, *["--commands"] * commands, stdin=subprocess.PIPE)
    assert json.loads(process.stdout.readline())["event"] == "started"
    assert json.loads(process.stdout.readline())["step"] >= 1
    run("train", *words).refused("another process trains 'regression-lab'", "choose another --name")
    run("train", *words, "--resume").refused("another process trains 'regression-lab'")
    process.send_signal(signal.SIGTERM)
    found = [json.loads(text) for text in process.stdout]
    assert process.wait() == (0 if commands else 130)
    assert "Traceback" not in process.stderr.read()
    assert [(f["event"], f.get("name")) for f in found[-3:]] == [
        ("checkpoint", None), ("checkpoint", "stopped"), ("stopped", None)
    ]  # fmt: skip
    state = paths.user_models() / "regression-lab.training" / "state.safetensors"
    assert checkpoint.read(state).counters.step == found[-1]["step"]
    assert not list(state.parent.rglob("*.part"))
    assert not (state.parent / "lock").exists()
    run("train", *words).refused("there is a stopped training 'regression-lab'", "--resume")


def test_a_stop_before_there_is_anything_leaves_nothing(start, tmp_path):
    """It comes while modules are loaded, which have no steps."""
    scans.write(tmp_path / "scans" / "a.gwy", scans.lattice(100, 100))
    words = [tmp_path / "scans", "--name", "regression-lab", "--minutes", 60, "--commands"]
    process = start("train", *words, stdin=subprocess.PIPE)
    out, err = process.communicate("stop\n")
    assert process.returncode == 0
    assert err == ""
    (said,) = (json.loads(line) for line in out.splitlines())
    assert (said["event"], said["path"]) == ("stopped", None)
    assert not paths.user_models().exists()
