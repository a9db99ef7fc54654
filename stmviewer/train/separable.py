"""Shifts, blurs and neighbourhoods of a batch of images in torch, with the edges that the simulator has.

Each is the twin of a function in numpy or scipy: see `simulate.degradations.shifts` and `scipy.ndimage`.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from stmviewer.scan import FloatArray
from stmviewer.simulate.degradations.shifts import TAPS, lanczos_weights, mirrored


def separable(rows: Tensor, images: Tensor, columns: Tensor) -> Tensor:
    """rows @ image @ columns^T, each (batch, ...): a matrix (rows, rows), an image and a matrix (columns, columns)."""
    return rows @ images @ columns.transpose(1, 2)


def shift_matrices(like: Tensor, size: int, shifts_px: Sequence[float]) -> Tensor:
    """(shifts, size, size): moves a line of `size` pixels on by each shift, linear between pixels, mirrored edges.

    As `shifted` does along one axis.
    """
    position = np.arange(size)[None, :] - np.asarray(shifts_px, dtype=np.float64)[:, None]
    low = np.floor(position).astype(np.int64)
    weight = (position[:, :1] - low[:, :1]).repeat(size, axis=1)
    matrices = torch.zeros(len(shifts_px), size, size, dtype=like.dtype, device=like.device)
    for places, share in ((low, 1 - weight), (low + 1, weight)):
        at = torch.as_tensor(mirrored(places, size), device=like.device)[:, :, None]
        matrices.scatter_add_(2, at, torch.as_tensor(share, dtype=like.dtype, device=like.device)[:, :, None])
    return matrices


def gaussian_matrices(like: Tensor, size: int, sigmas_px: Sequence[float]) -> Tensor:
    """(sigmas, size, size): blurs a line as `scipy.ndimage.gaussian_filter` does, cut at 4 sigma, edges reflected."""
    radii = np.array([int(4 * sigma + 0.5) for sigma in sigmas_px])
    reach = np.arange(-radii.max(), radii.max() + 1)
    weights = np.exp(-0.5 * (reach[None, :] / np.asarray(sigmas_px)[:, None]) ** 2)
    weights *= np.abs(reach)[None, :] <= radii[:, None]
    weights /= weights.sum(axis=1, keepdims=True)
    at = torch.as_tensor(_reflected(np.arange(size)[:, None] + reach[None, :], size), device=like.device)
    shares = torch.as_tensor(weights, dtype=like.dtype, device=like.device)
    matrices = torch.zeros(len(radii), size, size, dtype=like.dtype, device=like.device)
    return matrices.scatter_add_(2, at.expand(len(radii), -1, -1), shares[:, None, :].expand(-1, size, -1))


def shifted_rows(images: Tensor, shifts_px: FloatArray) -> Tensor:
    """Each row of each image (batch, rows, columns) moved right by its shift (batch, rows), as `shift_rows` does."""
    columns = images.shape[2]
    whole = np.floor(-shifts_px)
    taps = np.moveaxis(lanczos_weights(-shifts_px - whole), -1, 0)
    weights = [torch.as_tensor(w, dtype=images.dtype, device=images.device) for w in taps]
    along = torch.arange(TAPS[0], columns + TAPS[-1], device=images.device)
    start = torch.as_tensor(whole.astype(np.int64), device=images.device)
    around = images.gather(2, (along + start[:, :, None]).clamp(0, columns - 1))
    return sum(w[:, :, None] * around[:, :, k : k + columns] for k, w in enumerate(weights))  # type: ignore[return-value]


def neighbours(images: Tensor, reach: int) -> Tensor:
    """(batch, 2 reach + 1, 2 reach + 1, rows, columns): every pixel's neighbours down and across, edges reflected."""
    rows, columns = images.shape[1:]
    steps = np.arange(-reach, reach + 1)[:, None]
    down = torch.as_tensor(_reflected(np.arange(rows)[None, :] + steps, rows), device=images.device)
    across = torch.as_tensor(_reflected(np.arange(columns)[None, :] + steps, columns), device=images.device)
    return images[:, down[:, None, :, None], across[None, :, None, :]]


def _reflected(index: np.ndarray, size: int) -> np.ndarray:
    """Indices folded back as scipy's mode "reflect": d c b a | a b c d | d c b a."""
    folded = index % (2 * size)
    return np.minimum(folded, 2 * size - 1 - folded)
