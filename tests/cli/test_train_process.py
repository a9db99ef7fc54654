"""`stmviewer train --commands`, as the window starts it: a process that is told what to do on its stdin."""

import json
import subprocess

from stmviewer import paths

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
