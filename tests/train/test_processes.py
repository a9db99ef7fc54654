"""Trainings on several processes, and trainings that are killed: real processes, forked by `ranks.py`."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from stmviewer.scan import RequestError
from stmviewer.train.distributed import World

from . import tiny

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes that fork")


def ranks(*words: object) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.train.ranks", *map(str, words)]
    root = Path(__file__).parents[2]
    path = os.pathsep.join([str(root), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        command, cwd=root, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(text) for text in done.stdout.splitlines()]
    lines[-1]["errors"] = [line["text"] for line in lines[:-1]]
    return lines[-1]


@forks
@pytest.mark.parametrize("kind", ["regression", pytest.param("flow", marks=pytest.mark.slow)])
def test_two_processes_train_as_one_with_the_same_batches(tmp_path, kind):
    """Though they were stopped on the way, by a wish of the second one, and resumed."""
    found = ranks("together", tmp_path, kind)
    assert found["codes"] == [0, 130, 130, 0, 0]
    # saved in half precision, which rounds to 5e-4 of a weight
    assert found["apart"] < 2e-3
    one, two = ({x["step"]: x for x in log if x["kind"] == "validation"} for log in found["logs"])
    assert list(one) == [1, 2, 3, 4]
    assert list(two) == [1, 3, 4]  # the stop came before the second
    for step, line in two.items():
        scores = line.keys() - {"kind", "step", "seconds"}
        assert scores
        for key in scores:
            assert line[key] == pytest.approx(one[step][key], abs=2e-3)


@forks
def test_a_process_that_dies_ends_the_others_and_what_was_saved_stays(tmp_path):
    found = ranks("dies", tmp_path)
    assert found["codes"] == [2, -9]
    assert found["state"]
    (said,) = found["errors"]
    assert "another process of this training ended" in said
    assert "--resume" in said
    assert "\n" not in said


@forks
def test_a_training_that_is_killed_at_any_moment_goes_on(tmp_path):
    found = ranks("killed", tmp_path, 7)
    assert found["codes"] == [0, 0]
    assert found["kills"] >= 2
    assert found["same"]
    curve = [(x["kind"], x["step"]) for x in found["log"]]
    assert len(curve) == len(set(curve))
    assert [s for k, s in curve if k == "validation"] == [1, 2, 4, 6, 8]
    assert [s for _, s in curve] == sorted(s for _, s in curve)


@pytest.fixture
def environment(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch.setenv


def test_what_torchrun_says_is_honoured(environment):
    assert World.from_environment() == World(0, 1, 0)
    for name, value in (("RANK", "5"), ("WORLD_SIZE", "8"), ("LOCAL_RANK", "1"), ("MASTER_ADDR", "node1")):
        environment(name, value)
    world = World.from_environment()
    assert world == World(5, 8, 1)
    assert not world.writes
    assert not world.alone


@pytest.mark.parametrize(
    ("rank", "size", "address"), [("8", "8", "node1"), ("", "2", "node1"), ("0", "two", "node1"), ("0", "2", "")]
)
def test_half_an_environment_is_refused(environment, rank, size, address):
    for name, value in (("RANK", rank), ("WORLD_SIZE", size), ("MASTER_ADDR", address)):
        environment(name, value)
    with pytest.raises(RequestError, match="torchrun"):
        World.from_environment()


def test_a_batch_is_shared_in_equal_parts():
    with pytest.raises(RequestError, match=r"3 processes: see --batch"):
        tiny.Training(tiny.spec(batch=4), tiny.network(), tiny.maker(), torch.device("cpu"), World(0, 3, 0))


def test_the_shares_of_a_batch_are_the_batch():
    maker = tiny.maker(64, small_share=0.5)
    for first in (0, 4, 8, 12):
        whole = maker.batch(range(first, first + 4))
        shares = [maker.batch(range(first + rank, first + 4, 2), first) for rank in range(2)]
        for k, array in enumerate(whole):
            assert all((array[rank::2] == share[k]).all() for rank, share in enumerate(shares))
