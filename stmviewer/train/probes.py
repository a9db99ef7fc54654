"""The same few crops restored at every validation, to be looked at while a training runs."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from stmviewer.restore.models import LearnedModel
from stmviewer.restore.networks import STRIDE
from stmviewer.scan import FileError, Progress
from stmviewer.train.dataset import Maker, Mixed, Sample, SampleMaker
from stmviewer.train.validation import predict
from stmviewer.train.work import whole

#: of each task
_COUNT = 2
#: samples that are looked through for them
_TRIED = 40
_SIDE = 96


def probes_of(maker: Maker, progress: Progress) -> list[Sample]:
    """Up to two repairs and two sparse samples of a maker, always the same ones; as large as its images allow."""
    if isinstance(maker, Mixed):
        maker = maker.first
    assert isinstance(maker, SampleMaker)
    smallest = min(maker.source.side(i) for i in range(len(maker.source)))
    side = max(maker.size, min(_SIDE, smallest // STRIDE * STRIDE))
    fixed = replace(maker, size=side, seed=4, widening=0, degrader=None)
    found: dict[str, list[Sample]] = {"repair": [], "sparse": []}
    for index in range(_TRIED):
        progress.check()
        sample = fixed.make(index)
        if len(found[sample.task]) < _COUNT:
            found[sample.task].append(sample)
        if all(len(samples) == _COUNT for samples in found.values()):
            break
    return [*found["repair"], *found["sparse"]]


def write_probes(
    path: Path, samples: Sequence[Sample], model: LearnedModel, device: torch.device, progress: Progress
) -> None:
    """Writes raw, measured, restored and truth, each (n, size, size), on the normalised scale.

    `raw` is the degraded image, or the sparse one with plain interpolation at the pixels that were not `measured`.
    """
    restored = []
    for sample in samples:
        progress.check()
        image = predict(model, sample, device, progress)
        restored.append(np.where(sample.measured, sample.filled, image) if sample.task == "sparse" else image)
    arrays = {
        "raw": np.stack([s.filled for s in samples]).astype(np.float32),
        "measured": np.stack([s.measured for s in samples]),
        "restored": np.stack(restored).astype(np.float32),
        "truth": np.stack([s.target for s in samples]).astype(np.float32),
    }
    temporary = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(temporary):
            with temporary.open("wb") as file:
                np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
            temporary.replace(path)
    except OSError as error:
        cause = f"cannot be written ({error.strerror or error})"
        raise FileError(path, cause, "Is the disk full? Go on later with --resume") from error
