"""Validation during training: fixed samples that are never trained on, scored beside plain interpolation."""

from dataclasses import dataclass

import numpy as np
import torch

from stmviewer.restore.models import LearnedModel, SampledModel
from stmviewer.restore.sampling import sample as sample_of
from stmviewer.scan import Progress
from stmviewer.scan.metrics import ssim_map
from stmviewer.train.dataset import Maker, Sample, stacked


@dataclass(frozen=True)
class Validation:
    """Samples with a name each for the set they belong to."""

    samples: tuple[tuple[str, Sample], ...]

    @classmethod
    def of(cls, sets: dict[str, Maker], count: int) -> "Validation":
        """`count` samples of each maker, split by task in the names (`sim repair`, `real sparse`)."""
        return cls(tuple((name, maker.make(i)) for name, maker in sets.items() for i in range(count)))

    def score(self, model: LearnedModel, device: torch.device, progress: Progress) -> dict[str, float]:
        """Mean SSIM of the model and of what it started from, by set and task; a few seconds."""
        scores: dict[str, list[float]] = {}
        for name, sample in self.samples:
            progress.check()
            image = predict(model, sample, device)
            if sample.task == "sparse":
                image = np.where(sample.measured, sample.filled, image)
            span = float(np.subtract(*np.percentile(sample.target, (99, 1)))) or 1.0
            for who, shown in (("model", image), ("start", sample.filled)):
                value = float(ssim_map(shown, sample.target, span).mean())
                scores.setdefault(f"{name} {sample.task} {who}", []).append(value)
        return {key: float(np.mean(values)) for key, values in scores.items()}


@torch.inference_mode()
def predict(model: LearnedModel, sample: Sample, device: torch.device) -> np.ndarray:
    """The model's image of one sample, (size, size); what draws samples draws one, with a fixed seed."""

    filled, measured, target, told = (torch.from_numpy(a).to(device) for a in stacked([sample]))
    if isinstance(model, SampledModel):
        mean, _ = model.mean(filled, measured, told)
        noise = torch.randn(target.shape, generator=torch.Generator().manual_seed(0)).to(device)
        image = sample_of(model, mean, filled, measured, told, noise, model.steps, lambda: None)
    else:
        image = model(filled, measured, told)[0]
    restored: np.ndarray = image[0, 0].float().cpu().numpy().astype(np.float64)
    return restored
