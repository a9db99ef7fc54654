"""A whole training: data, model, loop, and the finished model in the library with its card."""

import json
import math
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import torch

import stmviewer
from stmviewer.restore import library
from stmviewer.restore.devices import choose_device, describe_device
from stmviewer.restore.info import ModelInfo
from stmviewer.restore.models import AutoencoderModel, CfmModel, FlowModel, LearnedModel, RegressionModel
from stmviewer.restore.networks import UNetConfig, parameter_count
from stmviewer.restore.request import Device
from stmviewer.restore.starting import build, grown, sampler_from, with_mean, with_waves
from stmviewer.restore.weights import load_weights, save_weights
from stmviewer.scan import FileError, Progress, RequestError
from stmviewer.simulate import PristineBank
from stmviewer.train.batched import BatchDegrader
from stmviewer.train.card import write_card
from stmviewer.train.checkpoint import Counters
from stmviewer.train.coverage import Coverage, coverage
from stmviewer.train.dataset import CropSource, Degrader, Maker, Mixed, SampleMaker
from stmviewer.train.folder import FolderSource, read_folder
from stmviewer.train.loop import Report, Training
from stmviewer.train.spec import SIMULATED, TrainSpec
from stmviewer.train.validation import Validation

_VALIDATION_SAMPLES = 48
_SUMMARY = {
    "regression": "Most accurate on average; fast, one pass",
    "flow": "Most realistic texture; several samples show how sure it is",
    "cfm": "Drawn from noise: samples differ most, less accurate than flow",
    "diffusion": "Drawn from noise in more steps, slower: to compare cfm and flow with",
    "autoencoder": "Baseline of the literature, loses detail: to compare the others with",
}
#: sampler steps worth offering
_STEPS = {"flow": (1, 2, 4, 8, 16), "cfm": (1, 2, 4, 8, 16, 32), "diffusion": (2, 4, 8, 16, 32, 64)}


def train(
    spec: TrainSpec,
    models: Path,
    report: Callable[[Report], None],
    progress: Progress,
    *,
    device: Device = "auto",
    resume: bool = False,
) -> ModelInfo:
    """Trains as asked and puts the model into the library folder `models`; returns what the library shows of it.

    The state to resume from and the log (JSON lines) are kept in `models/NAME.training`. Cancelled raises after the
    state was saved. Raises RequestError and FileError for what cannot be trained.
    """
    work = models / f"{spec.name}.training"
    state, log = work / "state.safetensors", work / "log.jsonl"
    if resume and not state.is_file():
        raise FileError(state, "there is no training to resume", "Start without --resume")
    if not resume and (models / f"{spec.name}.safetensors").exists():
        raise RequestError(f"there is a model '{spec.name}' already; choose another --name, or --resume its training")
    if not resume and state.exists():
        raise RequestError(
            f"there is a stopped training '{spec.name}' in {work}: --resume it, choose another --name, or delete it"
        )
    # what can be wrong is found before minutes go into surfaces
    where = choose_device(device)
    start, mean = _starts(spec, models)
    torch.manual_seed(spec.seed)
    model = _model(spec, start, mean)
    with _folder(work):
        maker, pixels_m, made_of = _maker(spec, degrader_for(where), progress, waves=model.config.waves)
        covered = coverage(maker, spec.crop, progress)
    if not resume:
        log.unlink(missing_ok=True)
    training = Training(spec, model, maker, where)
    if resume:
        training.resume(state)

    def write(line: Report) -> None:
        # JSON has no NaN: a loss that was never finite is null
        values = {k: v if math.isfinite(v) else None for k, v in line.values.items()}
        text = json.dumps({"kind": line.kind, "step": line.step, "seconds": line.seconds, **values})
        try:
            with log.open("a", encoding="utf-8") as file:
                file.write(text + "\n")
        except OSError as error:
            raise FileError(log, f"cannot be written ({error.strerror or error})", "Is the disk full?") from error
        report(line)

    training.run(state, _validation(spec, maker, progress, waves=model.config.waves), write, progress)
    path = models / f"{spec.name}.safetensors"
    with training.kept() as kept:
        save_weights(kept, path, torch.float16)
    info = _info(spec, _licence(spec, start, mean), pixels_m, covered)
    library.register(info, models)
    facts = {
        "Kind": spec.kind,
        "Trained on": made_of,
        "Started from": spec.start_from or "scratch",
        **({"At the mean of": spec.mean_from} if spec.mean_from else {}),
        "Parameters": f"{parameter_count(model):,}",
        "Crops": f"{spec.crop} x {spec.crop} pixels, batches of {spec.batch}",
        "Training time": f"{training.counters.seconds / 60:.1f} minutes, {training.counters.step:,} steps",
        "Kept": _kept(spec, training.counters),
        "Seed": str(spec.seed),
        "Machine": f"{describe_device(device)}, {platform.machine()}, torch {torch.__version__}",
        "Made": f"{time.strftime('%Y-%m-%d')} by stmviewer {stmviewer.__version__}",
        "Licence": info.licence,
    }
    write_card(models / f"{spec.name}.md", info, facts, log)
    report(Report("saved", training.counters.step, training.counters.seconds))
    return info


@contextmanager
def _folder(work: Path) -> Iterator[None]:
    """Makes the folder of a training; takes it away again, if empty, when what follows fails."""
    try:
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        cause = f"the folder cannot be made ({error.strerror or error})"
        raise FileError(work, cause, "Choose another --models-dir") from error
    try:
        yield
    except BaseException:
        with suppress(OSError):
            work.rmdir()
        raise


def degrader_for(device: torch.device) -> Degrader | None:
    """On a GPU the images of a batch are degraded together; on a CPU numpy does it one by one, in a thread, faster."""
    return BatchDegrader(device) if device.type == "cuda" else None


def _maker(
    spec: TrainSpec, degrader: Degrader | None, progress: Progress, *, waves: bool
) -> tuple[Maker, tuple[float, ...], str]:
    """What makes the samples, the range of pixel sizes (m; empty where unknown), and in words what they are made of."""
    first, pixels_m, made_of = _one_maker(spec, spec.source, degrader, progress, waves=waves)
    if spec.mixed_with is None:
        return first, pixels_m, made_of
    second, more, also = _one_maker(spec, spec.mixed_with, degrader, progress, waves=waves)
    # a model that was shown scans of unknown scale cannot tell what lies outside
    pixels_m = (min(pixels_m[0], more[0]), max(pixels_m[1], more[1])) if pixels_m and more else ()
    return Mixed(first, second, spec.mixed_share), pixels_m, f"{made_of}; {100 * spec.mixed_share:.0f} %: {also}"


def _one_maker(
    spec: TrainSpec, name: str, degrader: Degrader | None, progress: Progress, *, waves: bool
) -> tuple[SampleMaker, tuple[float, ...], str]:
    source, made_of = _source(spec, name, progress)
    simulated = name.startswith(SIMULATED)
    maker = SampleMaker(
        source,
        spec.crop,
        spec.repair_share,
        seed=spec.seed,
        noisy_targets=simulated,
        small_share=spec.small_share,
        widening=spec.widening if simulated and spec.start_from is None else 0,
        degrader=degrader,
        waves=waves,
    )
    if isinstance(source, FolderSource):
        known = source.pixel_range_m(spec.crop) if source.calibrated else ()
        return maker, known, made_of
    return maker, spec.pixel_range_m, made_of


def _source(spec: TrainSpec, name: str, progress: Progress) -> tuple[CropSource, str]:
    """The clean images of a source, and in words what they are."""
    if name.startswith(SIMULATED):
        surface = name.removeprefix(SIMULATED)
        stage = progress.part(0.05, "Simulating surfaces")
        bank = PristineBank(surface, spec.bank, spec.bank_size, spec.pixel_range_m, spec.seed, stage)
        low, high = (1e9 * p for p in spec.pixel_range_m)
        size = spec.bank_size
        return bank, f"{spec.bank} simulated {surface} surfaces, {size} x {size} pixels of {low:g} to {high:g} nm"
    folder = Path(name)
    listed = list(spec.listed) if spec.listed is not None else None
    found = read_folder(folder, spec.crop + 32, listed, progress.part(0.05), size_by_rows=spec.size_by_rows)
    left_out = f", {len(found.rejected)} left out" if found.rejected else ""
    scans = "1 scan" if len(found) == 1 else f"{len(found)} scans"
    return found, f"{scans} in the folder {folder.name}{left_out}"


@dataclass(frozen=True)
class _Start:
    """The model to start from: its weights, and the licence that its descendants inherit."""

    weights: Path
    licence: str


def _starts(spec: TrainSpec, models: Path) -> tuple[_Start | None, _Start | None]:
    """The models of --from and --mean, looked for in the library and beside the new one; None: from scratch."""
    if spec.start_from is None and spec.kind == "flow":
        raise RequestError("a flow starts from a regression model: name one with --from")
    if spec.start_from is None and spec.mean_from is None:
        return None, None
    found = {name: _Start(e.weights, e.info.licence) for name, e in library.entries().items()}
    for name, values in library.read_manifest(models).items():
        found[name] = _Start(models / f"{name}.safetensors", str(values.get("licence", "MIT")))
    for flag, wanted in (("--from", spec.start_from), ("--mean", spec.mean_from)):
        if wanted is not None and wanted not in found:
            raise RequestError(f"{flag}: there is no trained model '{wanted}'; there are {', '.join(found) or 'none'}")
    return found.get(spec.start_from or ""), found.get(spec.mean_from or "")


def _model(spec: TrainSpec, begin: _Start | None, mean_of: _Start | None) -> LearnedModel:
    """The untrained model, or the one to start from, with inputs for all that networks of today are told."""
    if begin is None:
        return build(spec.kind, UNetConfig(channels=spec.channels, guesses=2, told=True, waves=True))
    start = load_weights(begin.weights)
    mean = load_weights(mean_of.weights) if mean_of is not None else None
    if mean is not None and not (isinstance(start, FlowModel) and isinstance(mean, RegressionModel)):
        raise RequestError(
            f"--mean: a flow takes the mean of a regression, and --from a flow then; '{spec.mean_from}' is a "
            f"{mean.kind}, '{spec.start_from}' a {start.kind}"
        )
    match spec.kind, start:
        case "flow", FlowModel():
            return grown(start) if mean is None else with_mean(start, mean)
        case "flow", RegressionModel():
            inner = grown(start)
            return build("flow", UNetConfig(channels=spec.channels, guesses=2, told=True), inner)  # type: ignore[arg-type]
        case "cfm" | "diffusion", RegressionModel() | CfmModel():
            return sampler_from(spec.kind, start)
        case "regression", RegressionModel():
            larger = grown(start)
            assert isinstance(larger, RegressionModel)
            return with_waves(larger)
        case "autoencoder", AutoencoderModel():
            return grown(start)
    raise RequestError(f"--from: a {spec.kind} cannot start from '{spec.start_from}', which is a {start.kind}")


def _validation(spec: TrainSpec, maker: Maker, progress: Progress, *, waves: bool) -> Validation:
    sets: dict[str, Maker] = {}
    first = maker.first if isinstance(maker, Mixed) else maker
    if SIMULATED in (spec.source[: len(SIMULATED)], (spec.mixed_with or "")[: len(SIMULATED)]):
        name = spec.source if spec.source.startswith(SIMULATED) else str(spec.mixed_with)
        stage = progress.part(0.02, "Simulating surfaces")
        other = PristineBank(
            name.removeprefix(SIMULATED), 24, spec.bank_size, spec.pixel_range_m, spec.seed + 1_000_000, stage
        )
        sets["simulated"] = SampleMaker(other, 128, spec.repair_share, seed=1, waves=waves)
    if not spec.source.startswith(SIMULATED):
        assert isinstance(first, SampleMaker)
        # the same scans at places drawn with another seed: tells that it learns, not how it does elsewhere
        sets["own scans"] = replace(first, seed=1, widening=0)
    if spec.validation is not None:
        listed = list(spec.validation_listed) if spec.validation_listed is not None else None
        real = read_folder(spec.validation, 128, listed, progress.part(0.02), size_by_rows=spec.size_by_rows)
        sets["real"] = SampleMaker(real, 64, spec.repair_share, seed=2, noisy_targets=False, waves=waves)
    return Validation.of(sets, _VALIDATION_SAMPLES)


def _licence(spec: TrainSpec, *starts: _Start | None) -> str:
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
    which = "the last" if counters.best_step == counters.step else f"step {counters.best_step:,}"
    by = f"loss {-counters.best:.4f}" if spec.kind in _STEPS else f"SSIM {counters.best:.4f}"
    return f"the averaged weights of {which}, best in validation ({by})"


def _info(spec: TrainSpec, licence: str, pixels_m: tuple[float, ...], covered: Coverage) -> ModelInfo:
    kind, _, family = spec.name.partition("-")
    return ModelInfo(
        name=spec.name,
        kind=spec.kind,
        family=family if kind == spec.kind else spec.name,
        summary=_SUMMARY[spec.kind],
        tasks=("repair", "sparse"),
        learned=True,
        steps=_STEPS.get(spec.kind, ()),
        samples=spec.kind in _STEPS,
        licence=licence,
        pixels_m=pixels_m,
        noise=covered.noise,
        contrast_m=covered.contrast_m,
        periods_px=covered.periods_px,
    )
