"""Child process of the tests of several processes, and of a killed one: loads torch once, then forks.

ranks.py together FOLDER      trains the same with one process and with two, and prints how they differ
ranks.py dies FOLDER          one of two processes dies; prints how the other one ends
ranks.py killed FOLDER SEED   a training killed at random moments and resumed, beside one that was not
"""

import contextlib
import itertools
import json
import os
import random
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from stmviewer.restore.weights import load_weights
from stmviewer.scan import Cancelled, Progress, StmviewerError
from stmviewer.train import coverage, loop, makers, probes
from stmviewer.train.run import train
from stmviewer.train.spec import TrainSpec

coverage._IMAGES = 2
makers.VALIDATION_SAMPLES = 1
probes._COUNT = 1
probes._SIDE = 64


def spec(**changes: Any) -> TrainSpec:
    facts: dict[str, Any] = {
        "kind": "regression",
        "name": "regression-tiny",
        "source": "simulated:si001h",
        "steps": 4,
        "crop": 64,
        "batch": 4,
        "channels": (8, 16, 16),
        "bank": 2,
        "bank_size": 128,
        "small_share": 0.5,
    }
    return TrainSpec(**(facts | changes))


def child(work: Callable[[], int], **environment: str) -> int:
    """Runs `work` in a process of its own; returns its id."""
    pid = os.fork()
    if pid:
        return pid
    os.environ.update(environment)
    try:
        code = work()
    except StmviewerError as error:
        print(json.dumps({"error": type(error).__name__, "text": str(error)}), flush=True)
        code = 2
    os._exit(code)


def ended(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def ranks(work: Callable[[int], int], count: int) -> list[int]:
    """As torchrun starts them, with what it says in their environment; returns their exit codes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    said = {"WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    pids = [
        child(lambda rank=rank: work(rank), RANK=str(rank), LOCAL_RANK=str(rank), **said)  # type: ignore[misc]
        for rank in range(count)
    ]
    return [ended(pid) for pid in pids]


def once(models: Path, asked: TrainSpec, resume: bool = False, progress: Progress | None = None) -> int:
    train(asked, models, lambda line: None, progress or Progress(), device="cpu", resume=resume)
    return 0


def log(models: Path) -> list[dict[str, Any]]:
    text = (models / "regression-tiny.training" / "log.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def together(folder: Path, kind: str) -> None:
    """Two processes that share each batch; the second is asked to stop on the way, and both are resumed."""
    # half precision rounds otherwise in batches of another size
    torch.autocast = lambda *_: contextlib.nullcontext()  # type: ignore[assignment,misc]
    asked = spec(kind=kind)
    alone, shared = folder / "alone", folder / "shared"
    codes = [ended(child(lambda: once(alone, asked)))]

    def stopped(rank: int) -> int:
        calls = itertools.count(1)
        loop.asked_to_stop = lambda _: rank == 1 and next(calls) >= 2
        try:
            return once(shared, asked)
        except Cancelled:
            return 130

    codes += ranks(stopped, 2)
    codes += ranks(lambda _: once(shared, asked, resume=True), 2)
    one, two = (load_weights(p / "regression-tiny.safetensors").state_dict() for p in (alone, shared))
    apart = max(float((one[k] - two[k]).abs().max()) for k in one)
    print(json.dumps({"codes": codes, "apart": apart, "logs": [log(alone), log(shared)]}), flush=True)


def dies(folder: Path) -> None:
    """The second of two processes is gone after its second step."""

    def work(rank: int) -> int:
        real, steps = loop.Training._step, [0]

        def step(self: loop.Training, batch: Any) -> float:
            steps[0] += 1
            if rank == 1 and steps[0] == 3:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(self, batch)

        loop.Training._step = step  # type: ignore[method-assign]
        return once(folder, spec(steps=50))

    codes = ranks(work, 2)
    state = folder / "regression-tiny.training" / "state.safetensors"
    print(json.dumps({"codes": codes, "state": state.is_file()}), flush=True)


def killed(folder: Path, seed: int) -> None:
    """The same training whole, and killed at random moments and resumed each time."""
    loop._CHECKPOINT_S = 0.0  # after every step: most of the time is then spent writing
    loop._VALIDATIONS = 4
    asked = spec(steps=8)
    begun = time.monotonic()
    codes = [ended(child(lambda: once(folder / "whole", asked)))]
    whole_s = time.monotonic() - begun
    rng, models, kills = random.Random(seed), folder / "killed", 0
    state = models / "regression-tiny.training" / "state.safetensors"
    while True:
        resume = any(p.is_file() for p in (state, state.with_name("previous-" + state.name)))
        pid = child(lambda resume=resume: once(models, asked, resume))  # type: ignore[misc]
        if kills < 4:
            time.sleep(whole_s * rng.uniform(0.3, 0.9))
            os.kill(pid, signal.SIGKILL)
        code = ended(pid)
        if code != -signal.SIGKILL:
            break
        kills += 1
    codes.append(code)
    one, other = (load_weights(p / "regression-tiny.safetensors").state_dict() for p in (folder / "whole", models))
    same = all(torch.equal(one[k], other[k]) for k in one)
    print(json.dumps({"codes": codes, "kills": kills, "same": same, "log": log(models)}), flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    name, where = sys.argv[1], Path(sys.argv[2])
    if name == "together":
        together(where, sys.argv[3])
    elif name == "dies":
        dies(where)
    else:
        killed(where, int(sys.argv[3]))
