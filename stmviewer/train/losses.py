"""Losses on the normalised scale; every image is (batch, 1, rows, columns)."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from stmviewer.restore.models import SampledModel


def _window(device: torch.device, dtype: torch.dtype, sigma: float = 1.5, radius: int = 5) -> Tensor:
    x = torch.arange(-radius, radius + 1, device=device, dtype=dtype)
    weight = torch.exp(-0.5 * (x / sigma) ** 2)
    return weight / weight.sum()


def _blur(image: Tensor, window: Tensor) -> Tensor:
    image = F.conv2d(image, window.view(1, 1, -1, 1))
    return F.conv2d(image, window.view(1, 1, 1, -1))


def ssim(image: Tensor, truth: Tensor) -> Tensor:
    """Mean SSIM (Wang et al. 2004, eq. 13; Gaussian window of sigma 1.5) over valid pixels.

    The range is the 2 to 98 % range of each truth. It has no terraces in it, unlike the range that reports use: the
    lattice counts for more.
    """
    window = _window(image.device, torch.float32)
    x, y = image.float(), truth.float()
    ends = torch.quantile(y.flatten(1), torch.tensor([0.02, 0.98], device=y.device), dim=1)
    span = (ends[1] - ends[0]).clamp_min(1e-3)[:, None, None, None]
    c1, c2 = (0.01 * span) ** 2, (0.03 * span) ** 2
    mx, my = _blur(x, window), _blur(y, window)
    xx, yy, xy = _blur(x * x, window) - mx * mx, _blur(y * y, window) - my * my, _blur(x * y, window) - mx * my
    return (((2 * mx * my + c1) * (2 * xy + c2)) / ((mx * mx + my * my + c1) * (xx + yy + c2))).mean()


def keep_measured(image: Tensor, filled: Tensor, measured: Tensor, told: Tensor) -> Tensor:
    """Sparse samples get their measured pixels back, as in use: the loss then counts hidden pixels alone."""
    known = (measured > 0.5) & (told[:, :1, None, None] > 0.5)
    return torch.where(known, filled[:, :1], image)


def restoration_loss(image: Tensor, target: Tensor) -> Tensor:
    """L1 + (1 - SSIM) / 2."""
    return (image.float() - target.float()).abs().mean() + 0.5 * (1 - ssim(image, target))


def laplace_loss(log_scale: Tensor, error: Tensor) -> Tensor:
    """Negative log likelihood of |error| under Laplace(0, b), log b + |e| / b; the error is detached."""
    size = error.detach().abs()
    return (log_scale + size * torch.exp(-log_scale)).mean()


def path_loss(clean: Tensor, target: Tensor, noise_share: Tensor) -> Tensor:
    """|x1_hat - x1|^2 / s(t)^2, capped at a weight of 10, for the share s of the noise in the state (batch,).

    On the straight way that is the velocity's squared error, on the cosine schedule that of v (Salimans and Ho,
    arXiv 2202.00512). Uncapped, the last moments before the clean image would count for all the others.
    """
    weight = (1 / noise_share.clamp_min(1e-3) ** 2).clamp_max(10.0)[:, None, None, None]
    return (weight * (clean.float() - target.float()) ** 2).mean()


def sampled_loss(
    model: SampledModel, batch: Sequence[Tensor], time: Tensor, noise: Tensor, scale_weight: float = 0.0
) -> Tensor:
    """The loss of a model that draws samples, for given times (batch,) and white noise: what it predicts on the way.

    `batch` is filled, measured, target and told; `scale_weight` that of the likelihood of its error scale, if it has
    one.
    """
    filled, measured, target, told = batch
    mean = filled[:, :1] if model.starts_at_mean else model.mean(filled, measured, told)[0].float()
    state = model.trajectory.state(model.source(mean, noise), target, time[:, None, None, None])
    clean, log_scale = model.predict(state, time, mean, filled, measured, told)
    noise_share = model.trajectory.shares(time)[1]
    loss = path_loss(keep_measured(clean.float(), filled, measured, told), target, noise_share)
    if log_scale is not None and scale_weight:
        loss = loss + scale_weight * laplace_loss(log_scale.float(), target - clean.float())
    return loss
