"""Validation during training: fixed samples that are never trained on, scored beside plain interpolation.

Which weights are kept (`keeping.py`) is decided by SSIM where a model predicts the best image at once. Samples have
less of it the more texture they have (a model that ignores its noise would be the best of all): for these the loss
decides, at fixed times and noise.
"""

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from stmviewer.restore.models import LearnedModel, SampledModel
from stmviewer.restore.sampling import sample as sample_of
from stmviewer.scan import Progress
from stmviewer.scan.metrics import ssim_map
from stmviewer.train.dataset import Maker, Sample, stacked
from stmviewer.train.losses import sampled_loss

#: the sets that decide what is kept, the first that there is
_DECIDING = ("real ", "own scans ", "simulated ")
_TIMES = (0.0, 0.25, 0.5, 0.75)
#: a sampler's many steps took longer than the training between two validations: fewer images, and fewer steps
_MOST_DRAWN, _MOST_STEPS = 8, 4
_LEAST_LOSS = 1e-12


@dataclass(frozen=True)
class Scored:
    """What a validation found.

    `means` are the mean SSIM of the model and of what it started from, by set and task, and its loss if it draws
    samples. `judged` has a number for each sample of the set that decides which weights are kept, higher is better;
    empty without any.
    """

    means: dict[str, float]
    judged: tuple[float, ...] = ()


@dataclass(frozen=True)
class Validation:
    """Samples with a name each for the set they belong to."""

    samples: tuple[tuple[str, Sample], ...]

    @classmethod
    def of(cls, sets: dict[str, Maker], count: int, progress: Progress | None = None) -> "Validation":
        """`count` samples of each maker, split by task in the names (`sim repair`, `real sparse`)."""
        progress = progress or Progress()
        found = []
        for name, maker in sets.items():
            for i in range(count):
                progress.check()
                found.append((name, maker.make(i)))
        return cls(tuple(found))

    @property
    def fingerprint(self) -> str:
        """Of the samples: what is scored on others cannot be compared."""
        found = 0
        for name, sample in self.samples:
            found = zlib.crc32(name.encode() + sample.target.tobytes(), found)
        return f"{found:08x}"

    def score(self, model: LearnedModel, device: torch.device, progress: Progress) -> Scored:
        """SSIM of samples is of the first eight of each set and task, in four steps at most; their loss is of all."""
        scores: dict[str, list[float]] = {}
        for name, sample in self.samples:
            progress.check()
            key = f"{name} {sample.task}"
            if isinstance(model, SampledModel):
                scores.setdefault(f"{key} loss", []).append(loss_on_the_way(model, sample, device))
                if len(scores.get(f"{key} model", ())) >= _MOST_DRAWN:
                    continue
            image = predict(model, sample, device, progress)
            if sample.task == "sparse":
                image = np.where(sample.measured, sample.filled, image)
            span = float(np.subtract(*np.percentile(sample.target, (99, 1)))) or 1.0
            for who, shown in (("model", image), ("start", sample.filled)):
                value = float(ssim_map(shown, sample.target, span).mean())
                scores.setdefault(f"{key} {who}", []).append(value)
        means = {key: _mean(values, logarithmic=key.endswith(" loss")) for key, values in scores.items()}
        return Scored(means, judged(scores))


def _mean(values: list[float], logarithmic: bool) -> float:
    """Losses differ by powers of ten, and a hopeless sample would outweigh the others: by their geometric mean."""
    return float(np.exp(np.mean(np.log(np.maximum(values, _LEAST_LOSS)))) if logarithmic else np.mean(values))


def judged(scores: Mapping[str, Sequence[float]]) -> tuple[float, ...]:
    """How good each sample of the set that decides is, higher is better; `scores` by set, task and what is scored.

    Real images that are not trained on decide where there are any, then the scans that are, then simulated ones. Every
    sample counts alike, so that a task counts by its share of the samples, which is that of the training. Losses differ
    by powers of ten: what counts is by which factor they differ.
    """
    ending = " loss" if any(key.endswith(" loss") for key in scores) else " model"
    for name in (*_DECIDING, ""):
        found = [v for k in sorted(scores) if k.startswith(name) and k.endswith(ending) for v in scores[k]]
        if found:
            return tuple(-math.log(max(v, _LEAST_LOSS)) if ending == " loss" else v for v in found)
    return ()


@torch.inference_mode()
def loss_on_the_way(model: SampledModel, sample: Sample, device: torch.device) -> float:
    """The loss of one sample, averaged over times from start to end, with a fixed seed."""
    one = [torch.from_numpy(a).to(device) for a in stacked([sample])]
    batch = [x.expand(len(_TIMES), *x.shape[1:]) for x in one]
    noise = torch.randn(len(_TIMES), *batch[2].shape[1:], generator=torch.Generator().manual_seed(1)).to(device)
    return float(sampled_loss(model, batch, torch.tensor(_TIMES, device=device), noise))


@torch.inference_mode()
def predict(model: LearnedModel, sample: Sample, device: torch.device, progress: Progress) -> np.ndarray:
    """The model's image of one sample, (size, size); what draws samples draws one, with a fixed seed."""
    filled, measured, target, told = (torch.from_numpy(a).to(device) for a in stacked([sample]))
    if isinstance(model, SampledModel):
        mean, _ = model.mean(filled, measured, told)
        noise = torch.randn(target.shape, generator=torch.Generator().manual_seed(0)).to(device)
        image = sample_of(model, mean, filled, measured, told, noise, min(model.steps, _MOST_STEPS), progress.check)
    else:
        image = model(filled, measured, told)[0]
    restored: np.ndarray = image[0, 0].float().cpu().numpy().astype(np.float64)
    return restored
