"""Validation during training: fixed samples that are never trained on, scored beside plain interpolation.

Which weights are kept is decided by SSIM where a model predicts the best image at once. Samples have less of it the
more texture they have (a model that ignores its noise would be the best of all): for these the loss decides, at fixed
times and noise.
"""

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


@dataclass(frozen=True)
class Validation:
    """Samples with a name each for the set they belong to."""

    samples: tuple[tuple[str, Sample], ...]

    @classmethod
    def of(cls, sets: dict[str, Maker], count: int) -> "Validation":
        """`count` samples of each maker, split by task in the names (`sim repair`, `real sparse`)."""
        return cls(tuple((name, maker.make(i)) for name, maker in sets.items() for i in range(count)))

    def score(self, model: LearnedModel, device: torch.device, progress: Progress) -> dict[str, float]:
        """Mean SSIM of the model and of what it started from, by set and task, and its loss if it draws samples.

        SSIM of samples is of the first eight of each set and task, in four steps at most; their loss is of all.
        """
        scores: dict[str, list[float]] = {}
        for name, sample in self.samples:
            progress.check()
            key = f"{name} {sample.task}"
            if isinstance(model, SampledModel):
                scores.setdefault(f"{key} loss", []).append(loss_on_the_way(model, sample, device))
                if len(scores.get(f"{key} model", ())) >= _MOST_DRAWN:
                    continue
            image = predict(model, sample, device)
            if sample.task == "sparse":
                image = np.where(sample.measured, sample.filled, image)
            span = float(np.subtract(*np.percentile(sample.target, (99, 1)))) or 1.0
            for who, shown in (("model", image), ("start", sample.filled)):
                value = float(ssim_map(shown, sample.target, span).mean())
                scores.setdefault(f"{key} {who}", []).append(value)
        return {key: _mean(values, logarithmic=key.endswith(" loss")) for key, values in scores.items()}


def _mean(values: list[float], logarithmic: bool) -> float:
    """Losses differ by powers of ten, and a hopeless sample would outweigh the others: by their geometric mean."""
    return float(np.exp(np.mean(np.log(np.maximum(values, 1e-12)))) if logarithmic else np.mean(values))


def standing(values: dict[str, float]) -> float | None:
    """How good the scores of a validation are, higher is better; None when there are none.

    Real images that are not trained on decide where there are any, then the scans that are, then simulated ones; the
    tasks count alike.
    """
    ending = " loss" if any(key.endswith(" loss") for key in values) else " model"
    for name in (*_DECIDING, ""):
        found = [v for key, v in values.items() if key.startswith(name) and key.endswith(ending)]
        if found:
            return float(np.mean(found)) * (-1 if ending == " loss" else 1)
    return None


@torch.inference_mode()
def loss_on_the_way(model: SampledModel, sample: Sample, device: torch.device) -> float:
    """The loss of one sample, averaged over times from start to end, with a fixed seed."""
    one = [torch.from_numpy(a).to(device) for a in stacked([sample])]
    batch = [x.expand(len(_TIMES), *x.shape[1:]) for x in one]
    noise = torch.randn(len(_TIMES), *batch[2].shape[1:], generator=torch.Generator().manual_seed(1)).to(device)
    return float(sampled_loss(model, batch, torch.tensor(_TIMES, device=device), noise))


@torch.inference_mode()
def predict(model: LearnedModel, sample: Sample, device: torch.device) -> np.ndarray:
    """The model's image of one sample, (size, size); what draws samples draws one, with a fixed seed."""

    filled, measured, target, told = (torch.from_numpy(a).to(device) for a in stacked([sample]))
    if isinstance(model, SampledModel):
        mean, _ = model.mean(filled, measured, told)
        noise = torch.randn(target.shape, generator=torch.Generator().manual_seed(0)).to(device)
        image = sample_of(model, mean, filled, measured, told, noise, min(model.steps, _MOST_STEPS), lambda: None)
    else:
        image = model(filled, measured, told)[0]
    restored: np.ndarray = image[0, 0].float().cpu().numpy().astype(np.float64)
    return restored
