"""What the tip is judged by: numbers of an image, and of each of its lines.

Four sources: pooled features of the first stages of EfficientNet-Lite0 (textures), how much they change from one
stretch of lines to the next (a tip change), numbers that a microscopist would name (jumps between lines, noise along
and across them, streaks, skew flanks), and the symmetry of the lattice's mean cell (`tip_lattice`). Lines stay
horizontal throughout: noise runs along them.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from stmviewer.evaluate.efficientnet import EfficientNetLite0
from stmviewer.evaluate.tip_lattice import lattice_numbers
from stmviewer.restore.normalise import normalisation
from stmviewer.scan import BoolArray, FloatArray

#: sides longer than this (px) are made coarser: the judge has seen 64 to 512 pixels, and it stays quick
MOST_SIDE = 384
LEAST_SIDE = 64
#: stages whose outputs are pooled (from 0), and their channels
_STAGES = (2, 3)
#: lines of the feature map (8 image lines each) on each side of a change
_REACH = (2, 6)
#: image lines on each side of a change
_LINES = (1, 4, 16)
_MAD = 1.4826


@dataclass(frozen=True)
class TipFeatures:
    """`values` (features,) of the whole image; `change` (rows,): how much differs between the lines before line k and
    those from k on, about 1 where nothing changes; `factor`: rows and columns per row and column that were judged."""

    values: FloatArray
    change: FloatArray
    factor: int


def coarser(image: FloatArray, factor: int) -> FloatArray:
    """As a faster scan would have it: averaged along the fast axis, of `factor` lines the middle one."""
    if factor == 1:
        return image
    rows, columns = (n // factor * factor for n in image.shape)
    lines = image[factor // 2 : rows : factor, :columns]
    return lines.reshape(rows // factor, columns // factor, factor).mean(axis=2)


def tip_features(
    image: FloatArray, measured: BoolArray, network: EfficientNetLite0, lattice: bool = False
) -> TipFeatures:
    """The numbers of an image (rows, columns) without NaN, 64 pixels a side at least.

    `lattice` appends those of `tip_lattice`, which judges of before were not trained on.
    """
    factor = max(1, -(-max(image.shape) // MOST_SIDE))
    factor = min(factor, min(image.shape) // LEAST_SIDE)
    small, known = coarser(image, factor), coarser(measured.astype(np.float64), factor) > 0.5
    detail = np.clip(normalisation(small, known).forward(small), -3, 3)
    grey = torch.from_numpy((0.45 + detail / 5).astype(np.float32))[None, None]
    with torch.inference_mode():
        maps = network.stages(grey, _STAGES[-1] + 1)
    pooled = torch.cat([_pooled(maps[k]) for k in _STAGES])
    textures = maps[_STAGES[0]][0].mean(dim=2).T.double().numpy()  # (lines, channels)
    numbers = np.concatenate([_named(detail), _texture_changes(textures)])
    values = np.concatenate([pooled.double().numpy(), numbers, lattice_numbers(detail) if lattice else []])
    return TipFeatures(values, _line_changes(detail, textures), factor)


def _pooled(features: Tensor) -> Tensor:
    """Mean, standard deviation and maximum of each channel, and how its line means vary."""
    x = features[0]
    return torch.cat([x.mean(dim=(1, 2)), x.std(dim=(1, 2)), x.amax(dim=(1, 2)), x.mean(dim=2).std(dim=1)])


def _difference(lines: FloatArray, reach: int) -> FloatArray:
    """|mean of the `reach` lines from k on - mean of those before k|, (lines, ...), 0 where there are too few."""
    total = np.concatenate([np.zeros((1, *lines.shape[1:])), np.cumsum(lines, axis=0)])
    result = np.zeros_like(lines)
    n = len(lines)
    if n > 2 * reach:
        k = np.arange(reach, n - reach + 1)
        result[k[k < n]] = np.abs(total[k + reach] - 2 * total[k] + total[k - reach])[k < n] / reach
    return result


def _texture_changes(textures: FloatArray) -> FloatArray:
    """For both reaches: largest change of each channel, and the largest of all channels together over the usual."""
    parts = []
    for reach in _REACH:
        change = _difference(textures, reach)
        whole = np.sqrt((change**2).mean(axis=1))
        parts += [change.max(axis=0), [np.log(whole.max() + 1e-3) - np.log(np.median(whole) + 1e-3)]]
    return np.concatenate(parts)


def _jump_profiles(detail: FloatArray) -> list[FloatArray]:
    """How much line k differs from the one before it, (rows,), in several ways: pixel by pixel, in its mean height,
    and averaged over more lines."""
    profiles = [np.append(0.0, np.abs(np.diff(detail, axis=0)).mean(axis=1))]
    profiles.append(np.append(0.0, np.abs(np.median(np.diff(detail, axis=0), axis=1))))
    for reach in _LINES[1:]:
        profiles.append(_difference(detail, reach).mean(axis=1))
        profiles.append(
            _difference(np.abs(detail - detail.mean(axis=1, keepdims=True)).mean(axis=1)[:, None], reach)[:, 0]
        )
    return profiles


def _relative(profile: FloatArray) -> FloatArray:
    """In units of what is usual in this image."""
    usual = max(float(np.median(profile)), 0.02)
    result: FloatArray = profile / usual
    return result


def _line_changes(detail: FloatArray, textures: FloatArray) -> FloatArray:
    """How much changes between the lines before k and those from k on, (rows,); see `TipFeatures.change`."""
    rows = len(detail)
    lines = [np.log(np.maximum(_relative(p), 1)) for p in _jump_profiles(detail)]
    step = 8
    for reach in _REACH:
        whole = np.log(np.maximum(_relative(np.sqrt((_difference(textures, reach) ** 2).mean(axis=1))), 1))
        lines.append(np.interp(np.arange(rows), step * np.arange(len(whole)), whole))
    result: FloatArray = np.exp(np.mean(lines, axis=0))
    return result


def _named(detail: FloatArray) -> FloatArray:
    """Logarithms of jumps, noise, streaks; skewness of slopes; correlation of neighbours."""
    numbers = []
    for profile in _jump_profiles(detail):
        relative = np.sort(_relative(profile))
        numbers += [np.log(max(float(relative[-1]), 0.1)), np.log(max(float(relative[-3]), 0.1))]
    for axis in (0, 1):
        second = np.diff(detail, n=2, axis=axis)
        first = np.diff(detail, axis=axis)
        robust = max(float(_MAD * np.median(np.abs(first))), 1e-3)
        skew = np.clip(first / robust, -6, 6)
        skew = skew - skew.mean()
        numbers += [
            np.log(_MAD * float(np.median(np.abs(second))) + 1e-3),
            float((skew**3).mean() / ((skew**2).mean() ** 1.5 + 1e-6)),
        ]
        for lag in (1, 2, 4, 8):
            a = np.moveaxis(detail, axis, 0)
            numbers.append(np.log(float(np.mean((a[lag:] - a[:-lag]) ** 2) / (2 * detail.var() + 1e-6)) + 1e-3))
    above, below = detail[1:-1] - detail[:-2], detail[1:-1] - detail[2:]
    off = (np.minimum(np.abs(above), np.abs(below)) > 0.8) & (np.sign(above) == np.sign(below))
    centred = detail - detail.mean()
    spread = max(float(centred.std()), 1e-6)
    numbers += [
        np.log(float(off.mean()) + 1e-4),
        float((centred**3).mean() / spread**3),
        np.log(spread),
        float(np.mean(np.abs(detail) >= 2.9)),
    ]
    return np.array(numbers)
