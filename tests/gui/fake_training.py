"""Speaks the protocol of `stmviewer train` without training anything: a child process for tests of the window.

What it does follows from the name of the model: `quick...` is done at once, `dies...` is killed in the middle, `bad...`
complains as the command does, `deaf...` hears no stop, any other trains until it is asked to stop.
"""

import argparse
import json
import os
import signal
import sys
from pathlib import Path

import numpy as np


def say(event: str, **facts: object) -> None:
    print(json.dumps({"event": event, **facts}), flush=True)


def probes(folder: Path, step: int) -> Path:
    """Three repairs and three sparse samples that come nearer to the truth."""
    rng, side = np.random.default_rng(0), 48
    y, x = np.mgrid[0:side, 0:side]
    truth = np.stack([np.sin(x / (2 + 0.3 * k)) + 0.5 * np.cos(y / 3) for k in range(6)])
    raw = truth + rng.normal(0, 0.8, truth.shape)
    measured = np.ones(truth.shape, dtype=bool)
    measured[3:, 1::2] = False
    restored = truth + (raw - truth) * 100 / (100 + step)
    path = folder / "probes" / f"{step}.npz"
    path.parent.mkdir(exist_ok=True)
    np.savez(path, raw=raw, measured=measured, restored=restored, truth=truth)
    return path


def train_line(step: int, minutes: float) -> dict[str, object]:
    done = min(step / 1200, 1.0)
    return {
        "step": step,
        "seconds": 60 * minutes * done,
        "loss": 0.4 / (1 + step / 200) if step != 200 else None,
        "images_per_second": 23.4,
        "waiting_share": 0.01,
        "skipped": int(step > 300),
        "done": done,
        "eta_s": 60 * minutes * (1 - done),
        "memory_mb": 1234.5,
    }


def validation(step: int, minutes: float) -> dict[str, object]:
    near = step / (step + 300)
    return {
        "step": step,
        "seconds": 60 * minutes * step / 1200,
        "real repair model": 0.5 + 0.2 * near,
        "real repair start": 0.55,
        "real sparse model": 0.78 + 0.12 * near,
        "real sparse start": 0.84,
        "own scans repair model": 0.55 + 0.2 * near,
        "own scans repair start": 0.56,
    }


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("command")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--name")
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--protocol", type=Path)
    parser.add_argument("--resume", action="store_true")
    options, _ = parser.parse_known_args()
    models = Path(os.environ["STMVIEWER_MODELS"])
    work = models / f"{options.name}.training"
    if options.name.startswith("bad"):
        print("stmviewer: left out: something", file=sys.stderr)
        print(f"stmviewer: {work}: cannot be written (No space left on device). Is the disk full?", file=sys.stderr)
        return 2
    files = options.protocol.read_text(encoding="utf-8").splitlines() if options.protocol else []
    begin = 600 if options.resume else 0
    log = (work / "log.jsonl").open("a", encoding="utf-8")
    say(
        "started",
        name=options.name,
        work=str(work),
        device="CPU, 2 of 2 threads",
        parameters=1_050_000,
        images=len(files),
        resumed_from=begin,
    )
    print("a library says something", flush=True)
    step = begin
    for step in range(begin + 100, begin + 700 if not options.resume else 1300, 100):
        for kind, line in (
            ("train", train_line(step, options.minutes)),
            ("validation", validation(step, options.minutes)),
        ):
            if kind == "train" or step % 200 == 0:
                say(kind, **line)
                log.write(json.dumps({"kind": kind, **line}) + "\n")
        if step % 200 == 0:
            path = str(probes(work, step))
            say("probes", step=step, path=path)
            log.write(json.dumps({"kind": "probes", "step": step, "path": path}) + "\n")
    log.close()
    (work / "state.safetensors").write_bytes(b"state")
    say("checkpoint", step=step, path=str(work / "state.safetensors"), name=None)
    if options.name.startswith("dies"):
        os.kill(os.getpid(), signal.SIGKILL)
    if options.name.startswith("quick") or options.resume:
        (models / f"{options.name}.safetensors").write_bytes(b"weights")
        (models / f"{options.name}.md").write_text(f"# {options.name}\n\nA model.\n", encoding="utf-8")
        say("kept", step=step, best_step=step, best=0.9, last=0.9)
        say("saved", step=step, path=str(models / f"{options.name}.safetensors"))
        return 0
    for line in sys.stdin:
        word, _, name = line.strip().partition(" ")
        if word == "checkpoint":
            say("checkpoint", step=step, path=str(work / "checkpoints" / f"{name}.safetensors"), name=name)
        if word == "stop" and not options.name.startswith("deaf"):
            break
    while options.name.startswith("deaf"):
        signal.pause()
    say("checkpoint", step=step, path=str(work / "checkpoints" / "stopped.safetensors"), name="stopped")
    say("stopped", step=step, path=str(work / "state.safetensors"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
