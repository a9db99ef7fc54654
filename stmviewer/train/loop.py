"""The training loop, for every learned kind."""

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from stmviewer.restore.models import FlowModel, LearnedModel, OnePassModel, SampledModel
from stmviewer.restore.weights import channels_last
from stmviewer.scan import Cancelled, FileError, Progress, RequestError
from stmviewer.train import checkpoint, keeping
from stmviewer.train.checkpoint import Counters, State, share
from stmviewer.train.dataset import Maker
from stmviewer.train.distributed import World, together
from stmviewer.train.losses import keep_measured, laplace_loss, restoration_loss, sampled_loss
from stmviewer.train.meter import Meter, asked_to_stop, memory_mb
from stmviewer.train.prefetch import Batch, Prefetcher
from stmviewer.train.spec import TrainSpec
from stmviewer.train.validation import Validation

_EMA = 0.995
_WARM_UP_STEPS = 100
#: weight of the likelihood that the error scale is trained by
_SCALE_WEIGHT = 0.1
#: share of samples at the start of the way, where the state says nothing yet
_AT_START = 0.2
_VALIDATIONS = 12
#: share of the time that validations may take in a training by the clock
_JUDGING = 0.15
_CHECKPOINT_S = 60.0
#: the first comes sooner: what was begun is then there to go on with
_FIRST_CHECKPOINT_S = 10.0


@dataclass(frozen=True)
class Report:
    """A line of the training log: numbers at a step, and names. `kind` is one of those in `cli/train.py`."""

    kind: str
    step: int
    seconds: float
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Hooks:
    """What a training does besides: crops to look at after each validation, and checkpoints that are asked for.

    `probes` writes them and returns the file; `asked` gives the names that were asked for since the last call; `named`
    writes the averaged model that it is given under a name ('' for one of its own) and returns both.
    """

    probes: Callable[[LearnedModel, int], Path | None] = lambda model, step: None
    asked: Callable[[], list[str]] = list
    named: Callable[[LearnedModel, str], tuple[str, Path]] | None = None


class LossOf(nn.Module):
    """The training loss of a model, as a module: so that its gradients can be averaged over processes."""

    def __init__(self, model: LearnedModel, world: World) -> None:
        super().__init__()
        self.model, self.world = model, world

    def forward(self, batch: Batch, generator: torch.Generator) -> Tensor:
        return loss_of(self.model, batch, generator, self.world)


def loss_of(model: LearnedModel, batch: Batch, generator: torch.Generator, world: World = World()) -> Tensor:  # noqa: B008 (frozen)
    """The training loss of one batch; the generator draws the times and the noise of what is sampled."""
    filled, _, target, _ = batch
    if not isinstance(model, SampledModel):
        return _one_pass_loss(model, batch)
    # before it is read without gradients: autocast keeps its rounded weights, and would keep them without
    loss = torch.zeros((), device=filled.device)
    if isinstance(model, FlowModel) and any(p.requires_grad for p in model.regression.parameters()):
        loss = _one_pass_loss(model.regression, batch)

    def mine(draw: Callable[..., Tensor], *shape: int) -> Tensor:
        """Drawn for the whole batch, so that its noise does not depend on the number of processes."""
        return draw(shape[0] * world.size, *shape[1:], generator=generator)[world.rank :: world.size]

    time_ = mine(torch.rand, filled.shape[0])
    if model.starts_at_mean:  # where every sample starts, and where the deviation is read
        time_ = time_ * (mine(torch.rand, filled.shape[0]) > _AT_START)
    noise = mine(torch.randn, *target.shape)
    return loss + sampled_loss(model, batch, time_.to(filled.device), noise.to(filled.device), _SCALE_WEIGHT)


def _one_pass_loss(model: OnePassModel, batch: Batch) -> Tensor:
    filled, measured, target, told = batch
    mean, log_scale = model(filled, measured, told)
    shown = keep_measured(mean.float(), filled, measured, told)
    return restoration_loss(shown, target) + _SCALE_WEIGHT * laplace_loss(log_scale.float(), target - mean.float())


@contextlib.contextmanager
def checked_within(model: nn.Module, check: Callable[[], None]) -> Iterator[None]:
    """Within the block `check` is called between the layers, forwards and backwards; what it raises ends the step.

    On a busy machine without a GPU a whole step takes seconds.
    """
    layers = [m for m in model.modules() if not list(m.children())]
    handles = [m.register_forward_pre_hook(lambda *_: check()) for m in layers]
    handles += [p.register_post_accumulate_grad_hook(lambda _: check()) for p in model.parameters() if p.requires_grad]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


class Training:
    """A model, its average, the best averaged one so far, its optimizer and where it stands.

    `run` returns when the time or the steps are over; a cancelled run leaves a checkpoint to resume from.
    """

    def __init__(
        self,
        spec: TrainSpec,
        model: LearnedModel,
        maker: Maker,
        device: torch.device,
        world: World = World(),  # noqa: B008 (frozen)
    ) -> None:
        if spec.batch % world.size:
            raise RequestError(f"a batch of {spec.batch} cannot be shared by {world.size} processes: see --batch")
        self.spec, self.maker, self.device, self.world = spec, maker, device, world
        self.model = channels_last(model.to(device)).train()
        weights = checkpoint.trainable(self.model)
        self.average = {name: p.detach().clone() for name, p in weights.items()}
        self.optimizer = torch.optim.AdamW(weights.values(), lr=spec.rate, betas=(0.9, 0.98), weight_decay=1e-3)
        self.counters = Counters()
        self.best: dict[str, Tensor] = {}
        self.loss = world.averaging(LossOf(self.model, world), device)

    @property
    def done(self) -> float:
        """Share of the training that is over, in [0, 1]."""
        if self.spec.steps is not None:
            return min(self.counters.step / self.spec.steps, 1.0)
        return min(self.counters.seconds / (60 * self.spec.minutes), 1.0)

    def _state(self) -> State:
        return State(self.model, self.average, self.best, self.optimizer)

    def save(self, path: Path) -> None:
        if self.world.writes:
            checkpoint.save(path, self._state(), self.counters, self.spec.settings())

    def resume(self, path: Path) -> None:
        """Goes on from the newest checkpoint; of several processes the first reads it, and tells the others."""
        if self.world.writes:
            self.counters = checkpoint.load(path, self._state(), self.spec.settings())
        if not self.world.alone:
            share(self.world, self._state(), self.counters)
        # one that was at its end and goes on for longer is validated on its way again
        self.counters.validated = min(self.counters.validated, int(_VALIDATIONS * self.done) + 1)

    def averaged(self) -> contextlib.AbstractContextManager[LearnedModel]:
        """Within the block the model has its averaged weights (exponential moving average)."""
        return self._lent(self.average)

    def kept(self) -> contextlib.AbstractContextManager[LearnedModel]:
        """Within the block the model has the averaged weights that validation chose; the last without any."""
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

    def run(
        self,
        state: Path,
        validation: Validation,
        report: Callable[[Report], None],
        progress: Progress,
        hooks: Hooks = Hooks(),
    ) -> None:
        """Trains to the end; checks `progress` every step, writes `state` every minute and at the end.

        `validation` is scored with the averaged weights about twelve times and at the end; `keeping` says which stay.
        """
        progress = progress.part(1.0, "Training", 1000)
        try:
            with checked_within(self.model, progress.check) if self.world.alone else contextlib.nullcontext():
                self._steps(state, validation, report, progress, hooks)
        except BaseException as error:
            try:
                self.save(state)
            except FileError as failed:
                if isinstance(error, Cancelled):  # who stops a training wants to go on with it
                    raise failed from error
            raise
        self.save(state)
        last = self._validate(validation, report, progress, hooks)
        for name in hooks.asked():  # while that was under way
            self._save_named(hooks, name, report)
        if last is not None and self.counters.best is not None:
            self.save(state)
            values = {"best_step": float(self.counters.best_step), "best": self.counters.best, "last": last}
            if isinstance(self.model, SampledModel):  # what is judged is minus its logarithm
                values |= {k: math.exp(-values[k]) for k in ("best", "last")}
            self._report(report, "kept", values)

    def _steps(
        self,
        state: Path,
        validation: Validation,
        report: Callable[[Report], None],
        progress: Progress,
        hooks: Hooks,
    ) -> None:
        begun, before = time.monotonic(), self.counters.seconds
        meter, judging = Meter(begun), 0.0
        saved, pause = begun, min(_FIRST_CHECKPOINT_S, _CHECKPOINT_S)
        last_done = 0.0
        waiting = progress if self.world.alone else None
        with Prefetcher(self.maker, self.spec.batch, self.counters.step, world=self.world, progress=waiting) as batches:
            stream = iter(batches)
            while self.done < 1:
                asked = time.monotonic()
                batch = next(stream)
                meter.waited(time.monotonic() - asked)
                meter.step(self._step(batch))
                now = time.monotonic()
                stop, self.counters.seconds = self.world.agreed(
                    asked_to_stop(progress), before + now - begun, self.device
                )
                if stop:
                    raise Cancelled
                if meter.due(now) or self.done >= 1:
                    self._report(report, "train", self._measured(meter, now))
                    meter = Meter(now)
                if self.counters.validated <= _VALIDATIONS * self.done < _VALIDATIONS:
                    # by the clock, a slow machine is to train for most of its time
                    if self.spec.steps is not None or judging <= _JUDGING * (now - begun):
                        with self._stopping_together():
                            self._validate(validation, report, progress, hooks)
                        judging += time.monotonic() - now
                        meter.paused(time.monotonic() - now)
                    # counted by what is done, so that a training that is resumed validates where it would have
                    self.counters.validated = int(_VALIDATIONS * self.done) + 1
                for name in hooks.asked():
                    self._save_named(hooks, name, report)
                if now - saved > pause:
                    self.save(state)
                    saved, pause = now, _CHECKPOINT_S
                    self._report(report, "checkpoint", {"path": str(state), "name": None})
                with self._stopping_together():
                    progress.tick(1000 * (self.done - last_done))
                last_done = self.done

    def _stopping_together(self) -> contextlib.AbstractContextManager[None]:
        """Within the block one of several processes breaks off when asked to stop; the next step ends them all."""
        return contextlib.nullcontext() if self.world.alone else contextlib.suppress(Cancelled)

    def _report(self, report: Callable[[Report], None], kind: str, values: dict[str, Any]) -> None:
        if self.world.writes:
            report(Report(kind, self.counters.step, self.counters.seconds, values))

    def _measured(self, meter: "Meter", now: float) -> dict[str, Any]:
        """What the log says of the steps since the last time."""
        done, seconds = self.done, self.counters.seconds
        left = 60 * self.spec.minutes - seconds if self.spec.steps is None else seconds * (1 - done) / done
        return meter.values(now, self.spec.batch) | {
            "skipped": float(self.counters.skipped),
            "done": done,
            "eta_s": max(left, 0.0),
            "memory_mb": memory_mb(self.device),
        }

    def _save_named(self, hooks: Hooks, name: str, report: Callable[[Report], None]) -> None:
        if hooks.named is None or not self.world.writes:
            return
        with self.averaged() as model:
            name, path = hooks.named(model, name)
        self._report(report, "checkpoint", {"path": str(path), "name": name})

    def _validate(
        self, validation: Validation, report: Callable[[Report], None], progress: Progress, hooks: Hooks
    ) -> float | None:
        """Scores the averaged weights and keeps them if none were better beyond chance; their mean score, if any.

        Of several processes one does it while the others wait.
        """
        if not self.world.writes:
            return None
        with self.averaged() as model:
            found = validation.score(model, self.device, progress)
            self._report(report, "validation", found.means)
            path = hooks.probes(model, self.counters.step)
        if path is not None:
            self._report(report, "probes", {"path": str(path)})
        if not found.judged:
            return None
        if keeping.take(self.counters, found.judged, validation.fingerprint):
            self.best = {name: weights.clone() for name, weights in self.average.items()}
        return sum(found.judged) / len(found.judged)

    def _step(self, batch: Batch) -> float:
        """One optimizer step; a step whose loss or gradient is not finite is skipped and counted. Returns the loss."""
        generator = torch.Generator().manual_seed(self.spec.seed * 1_000_003 + self.counters.step)
        self.counters.step += 1
        for group in self.optimizer.param_groups:
            group["lr"] = self.spec.rate * self._schedule()
        moved = tuple(x.to(self.device).contiguous(memory_format=_layout(x)) for x in batch)
        self.optimizer.zero_grad(set_to_none=True)
        try:
            with together():
                with torch.autocast(self.device.type, torch.bfloat16):
                    loss = self.loss(moved, generator)
                loss.backward()
        except Cancelled:  # nothing has changed: it will be done again
            self.counters.step -= 1
            raise
        weights = checkpoint.trainable(self.model)
        norm = torch.nn.utils.clip_grad_norm_(weights.values(), 1.0)
        mean, norm = self.world.mean(torch.stack([loss.detach().float(), norm.float()]))
        if not (torch.isfinite(norm) and torch.isfinite(mean)):
            self.counters.skipped += 1
            return float("nan")
        self.optimizer.step()
        decay = min(_EMA, (1 + self.counters.step) / (10 + self.counters.step))
        with torch.no_grad():
            for name, p in weights.items():
                self.average[name].lerp_(p, 1 - decay)
        return float(mean)

    def _schedule(self) -> float:
        """Linear warm-up, then a cosine to zero."""
        warm = min(self.counters.step / _WARM_UP_STEPS, 1.0)
        return warm * 0.5 * (1 + float(torch.cos(torch.tensor(torch.pi * self.done))))


def _layout(x: Tensor) -> torch.memory_format:
    return torch.channels_last if x.ndim == 4 else torch.contiguous_format
