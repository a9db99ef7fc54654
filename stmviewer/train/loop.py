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
from stmviewer.train.checkpoint import Counters
from stmviewer.train.dataset import Maker
from stmviewer.train.losses import keep_measured, laplace_loss, path_loss, restoration_loss
from stmviewer.train.prefetch import Batch, Prefetcher
from stmviewer.train.spec import TrainSpec
from stmviewer.train.validation import Validation

_EMA = 0.995
_WARM_UP_STEPS = 100
#: weight of the likelihood that the error scale is trained by
_SCALE_WEIGHT = 0.1
#: share of samples at the start of the way, where the state says nothing yet
_AT_START = 0.2
_REPORT_S = 5.0
_CHECKPOINT_S = 60.0


@dataclass(frozen=True)
class Report:
    """A line of the training log: numbers at a step. `kind` is train, validation or saved."""

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
    mean = model.mean(filled, measured, told)[0].float() if not model.starts_at_mean else filled[:, :1]
    time_ = torch.rand(filled.shape[0], generator=generator)
    if model.starts_at_mean:  # where every sample starts, and where the deviation is read
        time_ *= torch.rand(filled.shape[0], generator=generator) > _AT_START
    time_ = time_.to(filled.device)
    noise = torch.randn(target.shape, generator=generator).to(filled.device)
    state = model.trajectory.state(model.source(mean, noise), target, time_[:, None, None, None])
    clean, scale = model.predict(state, time_, mean, filled, measured, told)
    noise_share = model.trajectory.shares(time_)[1]
    loss = path_loss(keep_measured(clean.float(), filled, measured, told), target, noise_share)
    if scale is not None:
        loss = loss + _SCALE_WEIGHT * laplace_loss(scale.float(), target - clean.float())
    return loss


class Training:
    """A model, its average, its optimizer and where it stands.

    `run` returns when the time or the steps are over; a cancelled run leaves a checkpoint to resume from.
    """

    def __init__(self, spec: TrainSpec, model: LearnedModel, maker: Maker, device: torch.device) -> None:
        self.spec, self.maker, self.device = spec, maker, device
        self.model = channels_last(model.to(device)).train()
        weights = checkpoint.trainable(self.model)
        self.average = {name: p.detach().clone() for name, p in weights.items()}
        self.optimizer = torch.optim.AdamW(weights.values(), lr=spec.rate, betas=(0.9, 0.98), weight_decay=1e-3)
        self.counters = Counters()

    @property
    def done(self) -> float:
        """Share of the training that is over, in [0, 1]."""
        if self.spec.steps is not None:
            return min(self.counters.step / self.spec.steps, 1.0)
        return min(self.counters.seconds / (60 * self.spec.minutes), 1.0)

    def save(self, path: Path) -> None:
        checkpoint.save(path, self.model, self.average, self.optimizer, self.counters, self.spec.settings())

    def resume(self, path: Path) -> None:
        self.counters = checkpoint.load(path, self.model, self.average, self.optimizer, self.spec.settings())

    @contextlib.contextmanager
    def averaged(self) -> Iterator[LearnedModel]:
        """Within the block the model has its averaged weights (exponential moving average)."""
        weights = checkpoint.trainable(self.model)
        kept = {name: p.detach().clone() for name, p in weights.items()}
        with torch.no_grad():
            for name, p in weights.items():
                p.copy_(self.average[name])
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

        `validation` is scored with the averaged weights about twelve times; scores go to `report` only.
        """
        progress = progress.part(1.0, "Training", 1000)
        begun, before = time.monotonic(), self.counters.seconds
        reported = saved = begun
        next_validation = self.done
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
                    if self.done >= next_validation:
                        next_validation = self.done + 1 / 12
                        with self.averaged() as model:
                            values = validation.score(model, self.device, progress)
                        report(Report("validation", self.counters.step, self.counters.seconds, values))
                    if now - saved > _CHECKPOINT_S:
                        self.save(state)
                        saved = now
                    progress.tick(1000 * (self.done - last_done))
                    last_done = self.done
        finally:
            self.save(state)
        with self.averaged() as model:
            values = validation.score(model, self.device, progress)
        report(Report("validation", self.counters.step, self.counters.seconds, values))

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
