"""The training loop, for every learned kind."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from stmviewer.restore.models import LearnedModel, SampledModel
from stmviewer.restore.weights import channels_last
from stmviewer.scan import Progress
from stmviewer.train import checkpoint
from stmviewer.train.checkpoint import Counters, State
from stmviewer.train.dataset import Maker
from stmviewer.train.losses import keep_measured, laplace_loss, restoration_loss, sampled_loss
from stmviewer.train.prefetch import Batch, Prefetcher
from stmviewer.train.spec import TrainSpec
from stmviewer.train.validation import Validation, standing

_EMA = 0.995
_WARM_UP_STEPS = 100
#: weight of the likelihood that the error scale is trained by
_SCALE_WEIGHT = 0.1
#: share of samples at the start of the way, where the state says nothing yet
_AT_START = 0.2
_VALIDATIONS = 12
_REPORT_S = 5.0
_CHECKPOINT_S = 60.0


@dataclass(frozen=True)
class Report:
    """A line of the training log: numbers at a step. `kind` is train, validation, kept or saved."""

    kind: str
    step: int
    seconds: float
    values: dict[str, float] = field(default_factory=dict)


def loss_of(model: LearnedModel, batch: Batch, generator: torch.Generator) -> Tensor:
    """The training loss of one batch; the generator draws the times and the noise of what is sampled."""
    filled, measured, target, told = batch
    if not isinstance(model, SampledModel):
        mean, log_scale = model(filled, measured, told)
        shown = keep_measured(mean.float(), filled, measured, told)
        return restoration_loss(shown, target) + _SCALE_WEIGHT * laplace_loss(log_scale.float(), target - mean.float())
    time_ = torch.rand(filled.shape[0], generator=generator)
    if model.starts_at_mean:  # where every sample starts, and where the deviation is read
        time_ *= torch.rand(filled.shape[0], generator=generator) > _AT_START
    noise = torch.randn(target.shape, generator=generator)
    return sampled_loss(model, batch, time_.to(filled.device), noise.to(filled.device), _SCALE_WEIGHT)


class Training:
    """A model, its average, the best averaged one so far, its optimizer and where it stands.

    `run` returns when the time or the steps are over; a cancelled run leaves a checkpoint to resume from.
    """

    def __init__(self, spec: TrainSpec, model: LearnedModel, maker: Maker, device: torch.device) -> None:
        self.spec, self.maker, self.device = spec, maker, device
        self.model = channels_last(model.to(device)).train()
        weights = checkpoint.trainable(self.model)
        self.average = {name: p.detach().clone() for name, p in weights.items()}
        self.optimizer = torch.optim.AdamW(weights.values(), lr=spec.rate, betas=(0.9, 0.98), weight_decay=1e-3)
        self.counters = Counters()
        self.best: dict[str, Tensor] = {}

    @property
    def done(self) -> float:
        """Share of the training that is over, in [0, 1]."""
        if self.spec.steps is not None:
            return min(self.counters.step / self.spec.steps, 1.0)
        return min(self.counters.seconds / (60 * self.spec.minutes), 1.0)

    def _state(self) -> State:
        return State(self.model, self.average, self.best, self.optimizer)

    def save(self, path: Path) -> None:
        checkpoint.save(path, self._state(), self.counters, self.spec.settings())

    def resume(self, path: Path) -> None:
        self.counters = checkpoint.load(path, self._state(), self.spec.settings())
        # one that was at its end and goes on for longer is validated on its way again
        self.counters.validated = min(self.counters.validated, int(_VALIDATIONS * self.done) + 1)

    def averaged(self) -> contextlib.AbstractContextManager[LearnedModel]:
        """Within the block the model has its averaged weights (exponential moving average)."""
        return self._lent(self.average)

    def kept(self) -> contextlib.AbstractContextManager[LearnedModel]:
        """Within the block the model has the averaged weights that validation found best; the last without any."""
        return self._lent(self.best or self.average)

    @contextlib.contextmanager
    def _lent(self, others: dict[str, Tensor]) -> Iterator[LearnedModel]:
        weights = checkpoint.trainable(self.model)
        kept = {name: p.detach().clone() for name, p in weights.items()}
        with torch.no_grad():
            for name, p in weights.items():
                p.copy_(others[name])
        self.model.eval()
        try:
            yield self.model
        finally:
            with torch.no_grad():
                for name, p in weights.items():
                    p.copy_(kept[name])
            self.model.train()

    def run(self, state: Path, validation: Validation, report: Callable[[Report], None], progress: Progress) -> None:
        """Trains to the end; checks `progress` every step, writes `state` every minute and at the end.

        `validation` is scored with the averaged weights about twelve times and at the end; the best are kept.
        """
        progress = progress.part(1.0, "Training", 1000)
        begun, before = time.monotonic(), self.counters.seconds
        reported = saved = begun
        losses: list[float] = []
        last_done = 0.0
        try:
            with Prefetcher(self.maker, self.spec.batch, self.counters.step) as batches:
                waited, since = 0.0, time.monotonic()
                stream = iter(batches)
                while self.done < 1:
                    asked = time.monotonic()
                    batch = next(stream)
                    waited += time.monotonic() - asked
                    losses.append(self._step(batch))
                    now = time.monotonic()
                    self.counters.seconds = before + now - begun
                    if now - reported > _REPORT_S or self.done >= 1:
                        good = [x for x in losses if x == x]
                        values = {
                            "loss": sum(good) / len(good) if good else float("nan"),
                            "images_per_second": len(losses) * self.spec.batch / (now - since),
                            "waiting_share": waited / (now - since),
                            "skipped": float(self.counters.skipped),
                        }
                        report(Report("train", self.counters.step, self.counters.seconds, values))
                        losses, waited, since, reported = [], 0.0, now, now
                    if self.counters.validated <= _VALIDATIONS * self.done < _VALIDATIONS:
                        # counted by what is done, so that a training that is resumed validates where it would have
                        self.counters.validated = int(_VALIDATIONS * self.done) + 1
                        self._validate(validation, report, progress)
                    if now - saved > _CHECKPOINT_S:
                        self.save(state)
                        saved = now
                    progress.tick(1000 * (self.done - last_done))
                    last_done = self.done
        finally:
            self.save(state)
        last = self._validate(validation, report, progress)
        if last is not None and self.counters.best is not None:
            self.save(state)
            values = {"best_step": float(self.counters.best_step), "best": self.counters.best, "last": last}
            report(Report("kept", self.counters.step, self.counters.seconds, values))

    def _validate(self, validation: Validation, report: Callable[[Report], None], progress: Progress) -> float | None:
        """Scores the averaged weights and keeps them if none were better; their standing, None without samples."""
        with self.averaged() as model:
            values = validation.score(model, self.device, progress)
        report(Report("validation", self.counters.step, self.counters.seconds, values))
        value = standing(values)
        if value is not None and (self.counters.best is None or value >= self.counters.best):
            self.counters.best, self.counters.best_step = value, self.counters.step
            self.best = {name: weights.clone() for name, weights in self.average.items()}
        return value

    def _step(self, batch: Batch) -> float:
        """One optimizer step; a step whose loss or gradient is not finite is skipped and counted. Returns the loss."""
        generator = torch.Generator().manual_seed(self.spec.seed * 1_000_003 + self.counters.step)
        self.counters.step += 1
        for group in self.optimizer.param_groups:
            group["lr"] = self.spec.rate * self._schedule()
        moved = tuple(x.to(self.device).contiguous(memory_format=_layout(x)) for x in batch)
        with torch.autocast(self.device.type, torch.bfloat16):
            loss = loss_of(self.model, moved, generator)  # type: ignore[arg-type]
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        weights = checkpoint.trainable(self.model)
        norm = torch.nn.utils.clip_grad_norm_(weights.values(), 1.0)
        if not (torch.isfinite(norm) and torch.isfinite(loss)):
            self.counters.skipped += 1
            return float("nan")
        self.optimizer.step()
        decay = min(_EMA, (1 + self.counters.step) / (10 + self.counters.step))
        with torch.no_grad():
            for name, p in weights.items():
                self.average[name].lerp_(p, 1 - decay)
        return float(loss.detach())

    def _schedule(self) -> float:
        """Linear warm-up, then a cosine to zero."""
        warm = min(self.counters.step / _WARM_UP_STEPS, 1.0)
        return warm * 0.5 * (1 + float(torch.cos(torch.tensor(torch.pi * self.done))))


def _layout(x: Tensor) -> torch.memory_format:
    return torch.channels_last if x.ndim == 4 else torch.contiguous_format
