"""What a study is asked for: one frozen object for window and command line."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import stmviewer
from stmviewer.restore import ModelInfo, RestoreRequest, Task, library
from stmviewer.restore.request import Device
from stmviewer.scan import RequestError
from stmviewer.scan.masks import parse_pattern
from stmviewer.simulate.presets import find_preset

REPAIR = "repair"
#: methods that are no models: the degraded image as it is
INPUT = "input"
#: every sparse task has it to be compared with
BASELINE = "linear"
CLASSICAL = "classical"
#: kinds that may not be installed: left out with a note, where other names are refused
_KINDS = ("regression", "flow", "diffusion", "autoencoder", CLASSICAL)


@dataclass(frozen=True)
class StudyRequest:
    """`pristine` is a folder of good scans, `degraded` one of degraded ones (None: the good ones are degraded by
    simulation with `preset`, so that the truth is known).

    models   names, kinds (their best family) or `classical` (all classical methods); empty: every model
    tasks    `repair` or mask patterns (`lines:4`)
    steps    sampler steps of models that have them, each a method of its own; empty: the model's own choice
    images   of each folder at most, evenly spread
    samples  of generative models
    clip     file or folder with the weights that CMMD needs; None: those that `stmviewer clip` knows
    """

    pristine: Path
    degraded: Path | None = None
    models: tuple[str, ...] = ()
    tasks: tuple[str, ...] = (REPAIR, "lines:2", "lines:4", "pixels:0.25")
    steps: tuple[int, ...] = ()
    images: int = 24
    samples: int = 1
    preset: str = "realistic"
    seed: int = 0
    device: Device = "auto"
    clip: Path | None = None
    question: str = ""

    def __post_init__(self) -> None:
        if self.images < 1:
            raise RequestError(f"a study has 1 image or more, not {self.images}")
        if not self.tasks:
            raise RequestError("a study needs a task: repair, or a mask such as lines:4")
        for task in self.tasks:
            if task != REPAIR:
                parse_pattern(task)
        for steps in self.steps or (None,):
            RestoreRequest(task="repair", steps=steps, samples=self.samples, seed=self.seed, device=self.device)
        find_preset(self.preset)

    @property
    def asked(self) -> str:
        """The question that the report answers, in words."""
        if self.question:
            return self.question
        parts = []
        if REPAIR in self.tasks:
            what = f"the scans in “{self.degraded.resolve().name}”" if self.degraded else "scans with simulated damage"
            parts.append(f"{what} repaired")
        sparse = [t for t in self.tasks if t != REPAIR]
        if sparse:
            parts.append(f"the pixels that {', '.join(sparse)} leave{'s' if len(sparse) == 1 else ''} out rebuilt")
        return f"How well, and how surely, are {' and '.join(parts)}? Tested on “{self.pristine.resolve().name}”"

    def to_json(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            k: str(v) if isinstance(v, Path) else list(v) if isinstance(v, tuple) else v for k, v in vars(self).items()
        }


@dataclass(frozen=True)
class Method:
    """A model with its sampler steps (None: its own choice), or the input as it is. `label` is its name in tables."""

    model: str
    steps: int | None = None

    @property
    def label(self) -> str:
        return self.model if self.steps is None else f"{self.model}, {self.steps} step{'s' if self.steps > 1 else ''}"


def methods_for(request: StudyRequest, task: str) -> tuple[list[Method], list[str]]:
    """The methods that do the task, what they are compared with first, and notes on kinds that are not there.

    Raises RequestError for names that are neither models nor kinds.
    """
    kind: Task = "repair" if task == REPAIR else "sparse"
    infos = library.model_infos()
    chosen: list[ModelInfo] = []
    notes = []
    for name in request.models or tuple(i.name for i in infos):
        if name == CLASSICAL:
            named = [i for i in infos if not i.learned and i.name != library.AUTO.name]
        else:
            named = [i for i in infos if i.name == name] or [i for i in infos if i.kind == name and kind in i.tasks][:1]
        if not named and name in _KINDS:
            if not any(i.kind == name for i in infos):
                notes.append(f"There is no model of kind {name}: left out")
        elif not named and not any(i.kind == name for i in infos):
            library.resolve(name, kind)  # raises, with the list of models
        chosen += [i for i in named if kind in i.tasks]
    found = [Method(INPUT if task == REPAIR else BASELINE)]
    for info in dict.fromkeys(chosen):
        steps = request.steps if info.steps and request.steps else (None,)
        found += [m for n in steps if (m := Method(info.name, n)) not in found]
    return found, notes


def identity(request: StudyRequest, images: dict[str, str], weights: dict[str, str]) -> str:
    """Hash of all that decides the result: the same one goes on where it stopped. `images` and `weights` are hashes."""
    facts = {k: v for k, v in request.to_json().items() if k not in ("pristine", "degraded", "question", "clip")}
    text = json.dumps([facts, images, weights, stmviewer.__version__], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
