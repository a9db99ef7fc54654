"""Learned models as restorers: tiles, samples, determinism."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from stmviewer.restore.compressed import waves_guess
from stmviewer.restore.devices import arithmetic, fast_bf16, free_threads
from stmviewer.restore.exactness import with_exact_head
from stmviewer.restore.filling import kind_of_mask, separable
from stmviewer.restore.info import ModelInfo
from stmviewer.restore.memory import in_smaller_tiles, release
from stmviewer.restore.models import LearnedModel, SampledModel
from stmviewer.restore.networks import STRIDE, condition
from stmviewer.restore.problem import Answer, Options, Problem
from stmviewer.restore.sampling import sample
from stmviewer.restore.tiling import DEFAULT_TILE, Tile, blend_window, tiles
from stmviewer.scan import Progress
from stmviewer.scan.errors import out_of_memory

#: standard deviation of a Laplace distribution of scale b is sqrt(2) b
_LAPLACE = 2**0.5


@dataclass(frozen=True)
class LearnedRestorer:
    """A learned model, evaluated tile by tile, the overlaps blended.

    The noise of samples is drawn once for the whole image, so that a tile boundary is no boundary of the noise, and on
    the CPU, so that a seed means the same image on every device.
    """

    info: ModelInfo
    model: LearnedModel
    device: torch.device

    @property
    def precision(self) -> str:
        """The number format of the network's arithmetic here: results differ by 0.3 % between the two.

        With bfloat16, the parts of flows that would show seams compute in float32 in large scans (`exactness`).
        """
        return "bfloat16" if fast_bf16(self.device) else "float32"

    def restore(self, problem: Problem, options: Options, progress: Progress) -> Answer:
        return self.restore_together([problem], options, progress)[0]

    def restore_together(self, problems: Sequence[Problem], options: Options, progress: Progress) -> list[Answer]:
        """Images of one shape, in one batch. Where memory is too small: one by one, and in smaller tiles.

        Each answer is that of the image alone, but for rounding of float32.
        """
        if self.device.type == "cpu":
            torch.set_num_threads(free_threads())
        if len(problems) > 1:
            try:
                return self._restore(problems, options, options.tile or DEFAULT_TILE, progress)
            except (MemoryError, RuntimeError) as error:
                if not out_of_memory(error):
                    raise
            release()
        return [self._one(problem, options, progress) for problem in problems]

    def _one(self, problem: Problem, options: Options, progress: Progress) -> Answer:
        (answer,), tile = in_smaller_tiles(
            lambda tile: self._restore([problem], options, tile, progress),
            options.tile or DEFAULT_TILE,
            max(problem.image.shape),
        )
        return replace(answer, smaller_tile=tile)

    def _restore(
        self, problems: Sequence[Problem], options: Options, tile_side: int, progress: Progress
    ) -> list[Answer]:
        problems = [self._in_waves(problem, progress) for problem in problems]
        batch, shape = len(problems), problems[0].image.shape
        sampled = isinstance(self.model, SampledModel)
        steps = (options.steps or self.model.steps) if isinstance(self.model, SampledModel) else 1
        samples = options.samples if sampled else 1
        layout = tiles(shape[0], shape[1], tile_side)
        progress = progress.part(1.0, "Restoring", len(layout) * samples * (steps + 1))
        # the sums of what float32 networks say need no more digits; large scans need the memory
        means, deviations = (np.zeros((batch, *shape), dtype=np.float32) for _ in range(2))
        spread = np.zeros((batch, *shape), dtype=np.float32) if samples > 1 else None
        weights = np.zeros(shape, dtype=np.float32)
        noise = [_noise(shape, options.seed, k) for k in range(samples)] if sampled else []
        # a scan in one usual tile has no seams, and keeps its speed; larger ones are the same image in any tiles
        exact = len(layout) > 1 or max(shape) > DEFAULT_TILE
        for tile in layout:
            mean, deviation, between = self._tile(problems, tile, noise, steps, exact, progress)
            window = blend_window(tile).astype(np.float32)
            area = np.s_[:, *tile.slices]
            means[area] += window * mean
            deviations[area] += window * deviation
            if spread is not None:
                spread[area] += window * between
            weights[tile.slices] += window
        if spread is not None:
            # both estimate the same uncertainty, and a few samples see too little of it
            np.maximum(deviations, spread, out=deviations)
        scales = dict(self.info.deviation_scale)
        means /= weights
        for problem, deviation in zip(problems, deviations, strict=True):
            deviation *= scales.get(family_of(problem.task, kind_of_mask(problem.measured)), 1.0) / weights
        del weights, spread, noise
        exact_means = means.astype(np.float64)
        del means  # one after the other, since large scans fit into memory few times
        return [Answer(*pair) for pair in zip(exact_means, deviations.astype(np.float64), strict=True)]

    def _in_waves(self, problem: Problem, progress: Progress) -> Problem:
        """The problem with the sharper guess that the network was trained on, where pixels are scattered."""
        scattered = problem.task == "sparse" and separable(problem.measured) is None
        if not (self.model.config.waves and scattered):
            return problem
        return replace(problem, sharp=waves_guess(problem.image, problem.measured, progress))

    @cached_property
    def _exact(self) -> LearnedModel:
        return with_exact_head(self.model) if isinstance(self.model, SampledModel) else self.model

    def _tile(
        self,
        problems: Sequence[Problem],
        tile: Tile,
        noise: list[np.ndarray],
        steps: int,
        exact: bool,
        progress: Progress,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        fast = fast_bf16(self.device)
        with torch.inference_mode(), torch.autocast(self.device.type, torch.bfloat16, enabled=fast):
            return self._evaluate(problems, tile, noise, steps, exact and fast, progress)

    def _evaluate(
        self,
        problems: Sequence[Problem],
        tile: Tile,
        noise: list[np.ndarray],
        steps: int,
        exact: bool,
        progress: Progress,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mean, predicted deviation and deviation between samples on one tile, each (batch, rows, columns)."""
        progress.check()
        guesses = ([p.image for p in problems], [p.image if p.sharp is None else p.sharp for p in problems])
        filled = torch.cat([self._tensor(images, tile) for images in guesses], dim=1)
        measured = self._tensor([p.measured for p in problems], tile)
        told = torch.tensor([told_of(p) for p in problems], device=self.device)
        model = self._exact if exact else self.model
        if not isinstance(model, SampledModel):
            mean, log_scale = model(filled, measured, told)
            progress.tick(2)
            found = _crop(mean, tile)
            return found, _crop(_LAPLACE * log_scale.float().exp(), tile), np.zeros_like(found)
        with torch.autocast(self.device.type, enabled=False) if exact else nullcontext():
            posterior, log_scale = model.mean(filled, measured, told)
        images = []
        for drawn in noise:
            start = self._tensor([drawn] * len(problems), tile)
            progress.tick()
            image = sample(model, posterior, filled, measured, told, start, steps, progress.tick)
            images.append(_crop(image, tile))
        stack = np.stack(images)
        between = stack.std(axis=0, ddof=1) if len(images) > 1 else np.zeros_like(stack[0])
        return stack.mean(axis=0), _crop(_LAPLACE * log_scale.float().exp(), tile), between

    def _tensor(self, images: Sequence[np.ndarray], tile: Tile) -> Tensor:
        """The tile of each image as (batch, 1, rows, columns) float32, padded at its far edges to the stride."""
        part = torch.from_numpy(np.stack([image[tile.slices].astype(np.float32) for image in images]))[:, None]
        rows, columns = part.shape[2:]
        pad = (0, -columns % STRIDE, 0, -rows % STRIDE)
        if any(pad):
            part = F.pad(part, pad, mode="reflect" if min(rows, columns) > STRIDE else "replicate")
        return part.to(self.device).contiguous(memory_format=arithmetic(self.device).layout)


def told_of(problem: Problem) -> list[float]:
    """What a network is told of a problem; of the whole image, so that every tile is told the same."""
    return condition(problem.task == "sparse", float(problem.measured.mean()), problem.pixel_m)


def family_of(task: str, kind: str) -> str:
    """The task family that deviations are calibrated in: repair, lines, grid or scattered (gaps among these)."""
    return task if task == "repair" else {"gaps": "scattered"}.get(kind, kind)


def _noise(shape: tuple[int, ...], seed: int, sample: int) -> np.ndarray:
    """Standard normal noise, float32; the samples of one seed share nothing with those of the next."""
    return np.random.default_rng([seed, sample]).standard_normal(shape, dtype=np.float32)


def _crop(image: Tensor, tile: Tile) -> np.ndarray:
    """(batch, 1, rows, columns) without its padding, as (batch, rows, columns) float32."""
    rows, columns = tile.shape
    return image[:, 0, :rows, :columns].float().cpu().numpy()
