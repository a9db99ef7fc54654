"""Trainings small enough for a test: a tiny network, three small surfaces, a handful of steps."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from stmviewer.restore.models import LearnedModel
from stmviewer.restore.networks import UNetConfig
from stmviewer.restore.starting import build
from stmviewer.scan import Progress
from stmviewer.simulate import PristineBank
from stmviewer.train.dataset import SampleMaker
from stmviewer.train.loop import Report, Training
from stmviewer.train.spec import TrainSpec
from stmviewer.train.validation import Validation

CHANNELS = (8, 16, 16)
NO_VALIDATION = Validation(())


def spec(**changes: Any) -> TrainSpec:
    facts: dict[str, Any] = {
        "kind": "regression",
        "name": "regression-tiny",
        "source": "simulated:si001h",
        "steps": 6,
        "crop": 64,
        "batch": 2,
        "channels": CHANNELS,
        "bank": 3,
        "bank_size": 160,
    }
    return TrainSpec(**(facts | changes))


def maker(size: int = 64, count: int = 3, **changes: Any) -> SampleMaker:
    return SampleMaker(PristineBank("si001h", count, 160), size, **changes)


def network(kind: str = "regression", seed: int = 0) -> LearnedModel:
    torch.manual_seed(seed)
    return build(kind, UNetConfig(channels=CHANNELS))


def training(asked: TrainSpec, source: SampleMaker) -> Training:
    return Training(asked, network(asked.kind), source, torch.device("cpu"))


def weights(model: LearnedModel) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    """Equal to the last bit."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def stopping_after(fraction: float) -> Progress:
    """A progress whose user presses Cancel once it has reached `fraction`: the step after it is the last."""
    stop = threading.Event()
    return Progress(lambda advance: stop.set() if advance.fraction >= fraction else None, stop)


def run(job: Training, state: Path, progress: Progress | None = None, report: Callable[[Report], None] | None = None):
    job.run(state, NO_VALIDATION, report or (lambda line: None), progress or Progress())
