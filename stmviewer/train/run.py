"""A whole training: data, model, loop, and the finished model in the library with its card."""

import contextlib
import math
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError

import stmviewer
from stmviewer.restore import library
from stmviewer.restore.devices import choose_device, describe_device
from stmviewer.restore.info import ModelInfo
from stmviewer.restore.models import LearnedModel
from stmviewer.restore.networks import parameter_count
from stmviewer.restore.request import Device, Task
from stmviewer.restore.weights import save_weights
from stmviewer.scan import Cancelled, FileError, Progress, RequestError
from stmviewer.scan.errors import out_of_memory
from stmviewer.train import checkpoint
from stmviewer.train.card import write_card
from stmviewer.train.checkpoint import Counters
from stmviewer.train.coverage import Coverage, coverage
from stmviewer.train.distributed import World
from stmviewer.train.loop import Hooks, Report, Training
from stmviewer.train.makers import Made, degrader_for, maker_of, validation_of
from stmviewer.train.named import describe
from stmviewer.train.probes import probes_of, write_probes
from stmviewer.train.spec import SIMULATED, TrainSpec
from stmviewer.train.starts import Start, model_of, starts
from stmviewer.train.validation import Validation
from stmviewer.train.work import Journal, Work, locked

#: what is in the log: the curve. Other reports are for who listens.
_LOGGED = ("train", "validation", "probes", "kept")
_SUMMARY = {
    "regression": "Most accurate on average, and fast",
    "flow": "Most realistic texture; several samples show how sure it is",
    "cfm": "Drawn from noise: samples differ most, less accurate than flow",
    "diffusion": "Drawn from noise in more steps, slower: to compare cfm and flow with",
    "autoencoder": "Baseline of the literature, loses detail: to compare the others with",
}
#: what a card says of a model that was shown one task alone
_TRAINED_FOR: dict[tuple[Task, ...], str] = {
    ("repair",): "repairing bad tips alone; it never saw a sparse scan, and is not offered for one",
    ("sparse",): "rebuilding sparse scans alone; it never saw a bad tip, and is not offered for repairs",
}
#: sampler steps worth offering
_STEPS = {"flow": (1, 2, 4, 8, 16), "cfm": (1, 2, 4, 8, 16, 32), "diffusion": (2, 4, 8, 16, 32, 64)}
#: the checkpoint that a stopped training leaves, to be used as it is
STOPPED = "stopped"


def train(
    spec: TrainSpec,
    models: Path,
    report: Callable[[Report], None],
    progress: Progress,
    *,
    device: Device = "auto",
    resume: bool = False,
    asked: Callable[[], list[str]] = list,
) -> ModelInfo:
    """Trains as asked and puts the model into the library folder `models`; returns what the library shows of it.

    The states to resume from and the log (JSON lines) are kept in `models/NAME.training`. `asked` gives the names of
    checkpoints that were asked for since its last call. Cancelled raises after the state was saved. Raises RequestError
    and FileError for what cannot be trained. Started by torchrun it is one of several processes; the first one writes.
    """
    work, world = Work(models, spec.name), World.from_environment()
    with locked(work) if world.writes else contextlib.nullcontext():
        # what can be wrong is found before minutes go into surfaces
        if world.writes:
            _check_name_is_free(work, resume)
        chosen = world.device(choose_device(device))
        start, mean = starts(spec, models)
        torch.manual_seed(spec.seed)
        model = model_of(spec, start, mean)
        made = maker_of(spec, degrader_for(chosen), progress, waves=model.config.waves)
        covered = coverage(made.maker, spec.crop, progress)
        info = _info(spec, _licence(spec, start, mean), made.pixels_m, covered)
        with world.joined(chosen), _enough_memory():
            job = Job(spec, work, info, made, Training(spec, model, made.maker, chosen, world), device, report)
            job.run(resume, progress, asked)
    return info


def _check_name_is_free(work: Work, resume: bool) -> None:
    there = checkpoint.exists(work.state)
    if resume:
        if not there:
            raise FileError(work.state, "there is no training to resume", "Start without --resume")
        return
    name = work.name
    if (work.models / f"{name}.safetensors").exists():
        raise RequestError(f"there is a model '{name}' already; choose another --name, or --resume its training")
    if there:
        raise RequestError(
            f"there is a stopped training '{name}' in {work.folder}: --resume it, choose another --name, or delete it"
        )


@dataclass
class Job:
    """A training with what it is made of, and what it leaves on disk."""

    spec: TrainSpec
    work: Work
    info: ModelInfo
    made: Made
    training: Training
    device: Device
    report: Callable[[Report], None]
    journal: Journal = field(init=False)

    def __post_init__(self) -> None:
        self.journal = Journal(self.work.log)

    def run(self, resume: bool, progress: Progress, asked: Callable[[], list[str]]) -> None:
        """Trains to the end; the finished model is then in the library."""
        training, counters = self.training, self.training.counters
        if resume:
            training.resume(self.work.state)
            counters = training.counters
        if training.world.writes:
            self._begin_log(resume)
        validation = Validation(())
        if training.world.writes:
            validation = validation_of(self.spec, self.made.maker, progress, waves=training.model.config.waves)
        probes = probes_of(self.made.maker, progress)
        self._tell("started", self._facts_at_start(counters.step if resume else None))

        def probe(model: LearnedModel, step: int) -> Path:
            path = self.work.probes(step)
            write_probes(path, probes, model, training.device, progress)
            return path

        try:
            hooks = Hooks(probe, asked, self._named)
            training.run(self.work.state, validation, self._write, progress, hooks)
        except Cancelled:
            self._stopped()
            raise
        if training.world.writes:
            self._finish()

    def _begin_log(self, resume: bool) -> None:
        counters = self.training.counters
        if resume:
            self.journal.go_on(counters.logged, counters.step, over=self.training.done >= 1)
        else:
            self.journal.begin()
        counters.logged = self.journal.lines

    def _facts_at_start(self, resumed_from: int | None) -> dict[str, object]:
        return {
            "name": self.spec.name,
            "work": str(self.work.folder),
            "device": describe_device(self.device),
            "parameters": parameter_count(self.training.model),
            "images": self.made.images,
            "made_of": self.made.made_of,
            "start": self.spec.start_from,
            "processes": self.training.world.size,
            "resumed_from": resumed_from,
        }

    def _tell(self, kind: str, values: dict[str, object]) -> None:
        if self.training.world.writes:
            counters = self.training.counters
            self.report(Report(kind, counters.step, counters.seconds, values))

    def _write(self, line: Report) -> None:
        """Into the log, and to who listens."""
        if line.kind in _LOGGED:
            # JSON has no NaN: a loss that was never finite is null
            values = {k: None if _no_number(v) else v for k, v in line.values.items()}
            self.journal.write({"kind": line.kind, "step": line.step, "seconds": line.seconds, **values})
            self.training.counters.logged = self.journal.lines
        self.report(line)

    def _named(self, model: LearnedModel, name: str) -> tuple[str, Path]:
        """Writes averaged weights as a named checkpoint, which can become a model of the library."""
        counters = self.training.counters
        name = name or f"step-{counters.step}"
        path = self.work.checkpoint(name)
        with _on_disk(path):
            save_weights(model, path, torch.float16)
            facts = self._facts() | {"Kept": f"the averaged weights of step {counters.step:,}, by choice"}
            describe(path, self.info, facts, counters.step, counters.seconds)
        return name, path

    def _stopped(self) -> None:
        if not self.training.world.writes:
            return
        counters = self.training.counters
        self._tell("checkpoint", {"path": str(self.work.state), "name": None})
        if counters.step:
            with self.training.averaged() as model:
                name, path = self._named(model, STOPPED)
            self._tell("checkpoint", {"path": str(path), "name": name})
        self._tell("stopped", {"path": str(self.work.state)})

    def _finish(self) -> None:
        training, models = self.training, self.work.models
        path = models / f"{self.spec.name}.safetensors"
        with _on_disk(path):
            with training.kept() as kept:
                save_weights(kept, path, torch.float16)
            library.register(self.info, models)
            facts = self._facts() | {"Kept": _kept(self.spec, training.counters)}
            write_card(models / f"{self.spec.name}.md", self.info, facts, self.work.log)
        self._tell("saved", {"path": str(path)})

    def _facts(self) -> dict[str, str]:
        """For the card."""
        spec, counters, world = self.spec, self.training.counters, self.training.world
        processes = "" if world.alone else f", {world.size} processes"
        return {
            "Kind": spec.kind,
            "Trained for": _TRAINED_FOR.get(spec.tasks, "repairing bad tips and rebuilding sparse scans"),
            "Trained on": self.made.made_of,
            **_sizes_in_words(spec),
            "Started from": spec.start_from or "scratch",
            **({"At the mean of": spec.mean_from} if spec.mean_from else {}),
            "Parameters": f"{parameter_count(self.training.model):,}",
            "Crops": f"{spec.crop} x {spec.crop} pixels, batches of {spec.batch}",
            "Training time": f"{counters.seconds / 60:.1f} minutes, {counters.step:,} steps",
            "Kept": "",
            "Seed": str(spec.seed),
            "Machine": f"{describe_device(self.device)}{processes}, {platform.machine()}, torch {torch.__version__}",
            "Made": f"{time.strftime('%Y-%m-%d')} by stmviewer {stmviewer.__version__}",
            "Licence": self.info.licence,
        }


def _sizes_in_words(spec: TrainSpec) -> dict[str, str]:
    """How large the pixels of images are whose files do not say it, where that was said in another way."""
    if spec.image_pixel_m is None and not spec.size_by_rows:
        return {}
    how = "from the dimer rows of Si(001)" if spec.size_by_rows else f"{1e9 * (spec.image_pixel_m or 0):g} nm, by hand"
    return {"Pixel size of images without one": how}


def _no_number(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


@contextmanager
def _on_disk(path: Path) -> Iterator[None]:
    """What the disk refuses is an error that says what to do: the training itself is saved already."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        with contextlib.suppress(OSError):
            path.with_name(path.name + ".part").unlink(missing_ok=True)
        cause = f"cannot be written ({getattr(error, 'strerror', None) or error})"
        advice = "Is the disk full? Make room and --resume the training: nothing of it is lost"
        raise FileError(path, cause, advice) from error


@contextmanager
def _enough_memory() -> Iterator[None]:
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not out_of_memory(error):
            raise
        raise RequestError(
            f"there is not enough memory ({str(error).splitlines()[0][:120]}): train with a smaller --batch or --size"
        ) from error


def _licence(spec: TrainSpec, *starts: Start | None) -> str:
    """Weights carry the licence of what they were trained on, and of the weights that they come from."""
    simulated = all(s is None or s.startswith(SIMULATED) for s in (spec.source, spec.mixed_with))
    own = spec.licence or ("MIT" if simulated else "that of the scans it was trained on")
    all_of_them = dict.fromkeys([own, *(s.licence for s in starts if s is not None)])
    # the MIT licence asks for nothing that the others do not grant
    return ", and ".join(name for name in all_of_them if name != "MIT") or "MIT"


def _kept(spec: TrainSpec, counters: Counters) -> str:
    """Which weights the model has, in words."""
    if counters.best is None:
        return "the averaged weights of the last step"
    score = f"loss {math.exp(-counters.best):.4f}" if spec.kind in _STEPS else f"SSIM {counters.best:.4f}"
    if counters.best_step == counters.step:
        return (
            f"the averaged weights of the last step, which no earlier ones beat beyond chance ({score} in validation)"
        )
    return f"the averaged weights of step {counters.best_step:,}; later ones did worse in validation ({score} here)"


def _info(spec: TrainSpec, licence: str, pixels_m: tuple[float, ...], covered: Coverage) -> ModelInfo:
    kind, _, family = spec.name.partition("-")
    return ModelInfo(
        name=spec.name,
        kind=spec.kind,
        family=family if kind == spec.kind else spec.name,
        summary=_SUMMARY[spec.kind],
        tasks=spec.tasks,
        learned=True,
        steps=_STEPS.get(spec.kind, ()),
        samples=spec.kind in _STEPS,
        licence=licence,
        pixels_m=pixels_m,
        noise=covered.noise,
        contrast_m=covered.contrast_m,
        periods_px=covered.periods_px,
    )
