"""What makes the samples of a training: simulated surfaces, a folder of good scans, or both in turn."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from stmviewer.scan import Progress
from stmviewer.simulate import PristineBank
from stmviewer.train.batched import BatchDegrader
from stmviewer.train.dataset import CropSource, Degrader, Maker, Mixed, SampleMaker
from stmviewer.train.folder import FolderSource, read_folder
from stmviewer.train.spec import SIMULATED, TrainSpec
from stmviewer.train.validation import Validation

#: of each set
VALIDATION_SAMPLES = 48


@dataclass(frozen=True)
class Made:
    """What makes the samples, the range of pixel sizes (m; empty where unknown), in words what they are made of, and
    how many images that is."""

    maker: Maker
    pixels_m: tuple[float, ...]
    made_of: str
    images: int


def degrader_for(device: torch.device) -> Degrader | None:
    """On a GPU the images of a batch are degraded together; on a CPU numpy does it one by one, in a thread, faster."""
    return BatchDegrader(device) if device.type == "cuda" else None


def maker_of(spec: TrainSpec, degrader: Degrader | None, progress: Progress, *, waves: bool) -> Made:
    """Reads or simulates the sources of a training; `waves` as in a SampleMaker."""
    first = _one_maker(spec, spec.source, degrader, progress, waves=waves)
    if spec.mixed_with is None:
        return first
    second = _one_maker(spec, spec.mixed_with, degrader, progress, waves=waves)
    # a model that was shown scans of unknown scale cannot tell what lies outside
    both = first.pixels_m and second.pixels_m
    pixels_m = (min(first.pixels_m[0], second.pixels_m[0]), max(first.pixels_m[1], second.pixels_m[1])) if both else ()
    assert isinstance(first.maker, SampleMaker)
    assert isinstance(second.maker, SampleMaker)
    mixed = Mixed(first.maker, second.maker, spec.mixed_share)
    made_of = f"{first.made_of}; {100 * spec.mixed_share:.0f} %: {second.made_of}"
    return Made(mixed, pixels_m, made_of, first.images + second.images)


def _one_maker(spec: TrainSpec, name: str, degrader: Degrader | None, progress: Progress, *, waves: bool) -> Made:
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
    pixels_m: tuple[float, ...] = spec.pixel_range_m
    if isinstance(source, FolderSource):
        pixels_m = source.pixel_range_m(spec.crop) if source.calibrated else ()
    return Made(maker, pixels_m, made_of, len(source))


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
    stage = progress.part(0.05)
    found = read_folder(
        folder,
        spec.crop + 32,
        listed,
        stage,
        size_by_rows=spec.size_by_rows,
        image_pixel_m=spec.image_pixel_m,
        training=True,
    )
    left_out = f", {len(found.rejected)} left out" if found.rejected else ""
    scans = "1 scan" if len(found) == 1 else f"{len(found)} scans"
    return found, f"{scans} in the folder {folder.name}{left_out}"


def validation_of(spec: TrainSpec, maker: Maker, progress: Progress, *, waves: bool) -> Validation:
    """The samples that the training is judged by as it goes."""
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
        real = read_folder(
            spec.validation,
            min(128, spec.crop + 32),
            listed,
            progress.part(0.02),
            size_by_rows=spec.size_by_rows,
            image_pixel_m=spec.image_pixel_m,
        )
        sets["real"] = SampleMaker(real, 64, spec.repair_share, seed=2, noisy_targets=False, waves=waves)
    return Validation.of(sets, VALIDATION_SAMPLES, progress)
