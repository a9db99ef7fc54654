"""What a training that runs as a child process says: JSON lines in, typed events out. No Qt, no torch."""

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class TrainingStarted:
    """The training has its scans and its model. `resumed_from` is the step that it goes on from, 0 for a new one."""

    name: str
    work: Path
    device: str
    parameters: int
    images: int
    resumed_from: int = 0


@dataclass(frozen=True)
class TrainingStep:
    """Where the training is. `loss` is NaN where it was never finite; `done` in [0, 1]; seconds and megabytes."""

    step: int
    seconds: float
    loss: float
    images_per_second: float = math.nan
    waiting_share: float = math.nan
    skipped: int = 0
    done: float | None = None
    eta_s: float | None = None
    memory_mb: float | None = None


@dataclass(frozen=True)
class Validated:
    """Scores by name: `real sparse model`, what it starts from as `real sparse start`, of samplers `... loss`."""

    step: int
    seconds: float
    scores: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ProbesMade:
    """The same few scans, restored as the model would do it now, lie in an npz file."""

    step: int
    path: Path


@dataclass(frozen=True)
class CheckpointMade:
    """The state of the training was kept as a model with a name of its own."""

    step: int
    name: str
    path: Path | None = None


@dataclass(frozen=True)
class Kept:
    """Which step's weights the model has: the latest that were not worse in validation than the best."""

    step: int
    best_step: int


@dataclass(frozen=True)
class Saved:
    """The model is in the library."""

    step: int
    name: str = ""


@dataclass(frozen=True)
class Stopped:
    """It stopped because it was asked to; the state to go on from is written."""

    step: int


TrainingEvent = TrainingStarted | TrainingStep | Validated | ProbesMade | CheckpointMade | Kept | Saved | Stopped
_NO_SCORES = ("event", "kind", "step", "seconds")


def parse_line(line: str) -> TrainingEvent | None:
    """The event of a line; None for what is none: text of a library, an event of a later version, half a line."""
    try:
        said = json.loads(line)
        return _event(said) if isinstance(said, dict) else None
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _event(said: dict[str, Any]) -> TrainingEvent | None:
    step = int(said.get("step") or 0)
    match said.get("event", said.get("kind")):
        case "started":
            return TrainingStarted(
                str(said["name"]),
                Path(str(said["work"])),
                str(said.get("device", "")),
                int(said.get("parameters") or 0),
                int(said.get("images") or 0),
                int(said.get("resumed_from") or 0),
            )
        case "train":
            return TrainingStep(
                step,
                float(said["seconds"]),
                _number(said.get("loss")),
                _number(said.get("images_per_second")),
                _number(said.get("waiting_share")),
                int(said.get("skipped") or 0),
                _known(said.get("done")),
                _known(said.get("eta_s")),
                _known(said.get("memory_mb")),
            )
        case "validation":
            scores = {k: _number(v) for k, v in said.items() if k not in _NO_SCORES and isinstance(v, int | float)}
            return Validated(step, float(said["seconds"]), {k: v for k, v in scores.items() if math.isfinite(v)})
        case "probes":
            return ProbesMade(step, Path(str(said["path"])))
        case "checkpoint":
            path = said.get("path")
            return CheckpointMade(step, str(said.get("name") or ""), Path(str(path)) if path else None)
        case "kept":
            return Kept(step, int(said.get("best_step") or step))
        case "saved":
            return Saved(step, str(said.get("name") or ""))
        case "stopped":
            return Stopped(step)
    return None


def _number(value: Any) -> float:
    """JSON has no NaN: null stands for a number that is none."""
    return math.nan if value is None else float(value)


def _known(value: Any) -> float | None:
    number = _number(value)
    return number if math.isfinite(number) else None
