"""Degrades a batch of images at once in torch, for a GPU: what `degrade` makes of each, to rounding.

What is random is drawn by each image's own generator on the CPU, in the order in which `degrade` draws it, so a sample
is the same whatever it shares a batch with and whatever made it. What moves or blurs along the axes is a matrix for
rows and one for columns. Degradations that happen at single places (streaks, tip changes, spikes) and the warp of a
drift are left to numpy. Tried on a CPU only.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import linalg, signal
from torch import Tensor

from stmviewer.scan import FloatArray
from stmviewer.simulate import degradations as d
from stmviewer.simulate.degradations.degradation import Degradation
from stmviewer.simulate.degradations.feedback import Loop
from stmviewer.simulate.presets import Pair, Plan
from stmviewer.train.separable import gaussian_matrices, neighbours, separable, shift_matrices, shifted_rows

#: images (batch, rows, columns), one degradation of the same class and one generator for each
Operation = Callable[[Tensor, Sequence, Sequence[np.random.Generator]], Tensor]


class BatchDegrader:
    """Makes the pairs of many plans; images live on `device` in between."""

    def __init__(self, device: torch.device, dtype: torch.dtype = torch.float32) -> None:
        self.device, self.dtype = device, dtype

    def __call__(self, plans: Sequence[Plan]) -> list[Pair]:
        rngs = [plan.rng for plan in plans]
        seen = self._degraded([p.clean for p in plans], [p.damage.before_crop for p in plans], rngs)
        crops = [image[plan.window] for image, plan in zip(seen, plans, strict=True)]
        done = self._degraded(crops, [p.damage.after_crop for p in plans], rngs)
        return [plan.pair(_array(image)) for plan, image in zip(plans, done, strict=True)]

    def _degraded(
        self,
        images: Sequence[FloatArray | Tensor],
        chains: Sequence[Sequence[Degradation]],
        rngs: Sequence[np.random.Generator],
    ) -> list[Tensor]:
        """The images with their chains of degradations applied; those of one size go together."""
        done: list[Tensor] = [torch.empty(0)] * len(images)
        for shape in {tuple(image.shape) for image in images}:
            at = [i for i, image in enumerate(images) if tuple(image.shape) == shape]
            stack = torch.stack([torch.as_tensor(images[i]).to(self.device, self.dtype) for i in at])
            self._run(stack, [chains[i] for i in at], [rngs[i] for i in at])
            for image, i in zip(stack, at, strict=True):
                done[i] = image
        return done

    def _run(self, x: Tensor, chains: Sequence[Sequence[Degradation]], rngs: Sequence[np.random.Generator]) -> None:
        """Applies the chains to `x` in place: again and again the class that is next for some, to all of these."""
        place = [0] * len(chains)
        while waiting := [i for i, chain in enumerate(chains) if place[i] < len(chain)]:
            heads = {i: chains[i][place[i]] for i in waiting}
            kind = min({type(one) for one in heads.values()}, key=_turn)
            at = [i for i, one in heads.items() if type(one) is kind]
            operation = OPERATIONS.get(kind, _by_numpy)
            x[at] = operation(x[at], [heads[i] for i in at], [rngs[i] for i in at])
            for i in at:
                place[i] += 1


def _turn(kind: type) -> tuple[int, str]:
    """What numpy does first, then the classes in the order of the presets, so that as many as can be go together."""
    return list(OPERATIONS).index(kind) + 1 if kind in OPERATIONS else 0, kind.__name__


def _array(image: Tensor) -> FloatArray:
    return image.cpu().numpy().astype(np.float64)


def _by_numpy(x: Tensor, ones: Sequence[Degradation], rngs: Sequence[np.random.Generator]) -> Tensor:
    made = [one.apply(_array(image), rng) for image, one, rng in zip(x, ones, rngs, strict=True)]
    return _like(x, np.array(made))


def _like(x: Tensor, values: NDArray | Sequence) -> Tensor:
    return torch.as_tensor(np.asarray(values), dtype=x.dtype, device=x.device)


def _each(x: Tensor, values: Sequence[float]) -> Tensor:
    """One number an image, to be broadcast over it: (batch, 1, 1)."""
    return _like(x, values)[:, None, None]


def _several_tips(x: Tensor, ones: Sequence[d.SeveralTips], _: Sequence[np.random.Generator]) -> Tensor:
    of = [k for k, one in enumerate(ones) for _ in one.x_px]
    rows = shift_matrices(x, x.shape[1], [y for one in ones for y in one.y_px])
    columns = shift_matrices(x, x.shape[2], [v for one in ones for v in one.x_px])
    shorter = _each(x, [s for one in ones for s in one.shorter_m])
    twice = _each(x, [2 * one.kappa_per_m for one in ones])
    own = x[of]
    # beyond exp(80) single precision ends: a second end that much higher is seen alone anyway
    currents = torch.exp((twice[of] * (separable(rows, own, columns) - own - shorter)).clamp(max=80))
    total = torch.ones_like(x).index_add_(0, torch.tensor(of, device=x.device), currents)
    return x + torch.log(total) / twice


def _multi_tip(x: Tensor, ones: Sequence[d.MultiTip], _: Sequence[np.random.Generator]) -> Tensor:
    tips = [tip for one in ones for tip in one.tips]
    of = [k for k, one in enumerate(ones) for _ in one.tips]
    low, high = x.amin((1, 2), keepdim=True), x.amax((1, 2), keepdim=True)
    span = torch.where(high > low, high - low, 1)
    h = (x - low) / span
    rows = shift_matrices(x, x.shape[1], [tip.y_px for tip in tips])
    columns = shift_matrices(x, x.shape[2], [tip.x_px for tip in tips])
    amplitude, c, steep = (_each(x, [getattr(tip, name) for tip in tips]) for name in ("amplitude", "c", "d"))
    answers = amplitude / (1 + torch.exp(c - steep * separable(rows, h[of], columns)))
    around = neighbours(answers, 2)  # (tips, 5, 5, rows, columns)
    kernels = np.zeros((len(tips), 5, 5))
    for kernel, tip in zip(kernels, tips, strict=True):
        if tip.kernel:
            edge = (5 - tip.kernel_px) // 2
            kernel[edge : 5 - edge, edge : 5 - edge] = tip.kernel
    blurred = torch.einsum("tyxrc,tyx->trc", around, _like(x, kernels))
    middle = around[:, 1:4, 1:4].flatten(1, 2).median(dim=1).values
    is_median = torch.tensor([tip.kind == "median" for tip in tips], device=x.device)[:, None, None]
    f = h.index_add(0, torch.tensor(of, device=x.device), torch.where(is_median, middle, blurred))
    return torch.where(high > low, low + span * f, x)


def _blunt(x: Tensor, ones: Sequence[d.BluntTip], _: Sequence[np.random.Generator]) -> Tensor:
    sigmas = [one.sigma_px for one in ones]
    return separable(gaussian_matrices(x, x.shape[1], sigmas), x, gaussian_matrices(x, x.shape[2], sigmas))


def _misaligned(x: Tensor, ones: Sequence[d.LineMisalignment], rngs: Sequence[np.random.Generator]) -> Tensor:
    shifts = np.array([one.shifts_px(x.shape[1], rng) for one, rng in zip(ones, rngs, strict=True)])
    return shifted_rows(x, shifts)


def _loop(x: Tensor, ones: Sequence[Loop], _: Sequence[np.random.Generator]) -> Tensor:
    columns = x.shape[2]
    matrices = np.zeros((len(ones), columns, columns))
    for matrix, one in zip(matrices, ones, strict=True):
        lead = min(int(np.ceil(one.memory_px)), columns)
        answer = signal.lfilter(*one.filter(), np.eye(1, lead + columns)[0])
        whole = np.tril(linalg.toeplitz(answer))
        whole[:, 0] += 1 - np.cumsum(answer)  # the loop has followed the first pixel for ever
        matrix[:] = whole[lead:, lead:]
        matrix[:, :lead] += whole[lead:, :lead][:, ::-1]
    return x @ _like(x, matrices).transpose(1, 2)


def _plane(x: Tensor, ones: Sequence[d.PlaneTilt], _: Sequence[np.random.Generator]) -> Tensor:
    across, down = _from_centre(x)
    return x + _each(x, [o.slope_x_m for o in ones]) * across + _each(x, [o.slope_y_m for o in ones]) * down


def _bow(x: Tensor, ones: Sequence[d.Bow], _: Sequence[np.random.Generator]) -> Tensor:
    across, down = _from_centre(x)
    return x + _each(x, [o.x_m for o in ones]) * across**2 + _each(x, [o.y_m for o in ones]) * down**2


def _from_centre(x: Tensor) -> tuple[Tensor, Tensor]:
    rows, columns = x.shape[1:]
    return _like(x, np.arange(columns) - (columns - 1) / 2)[None, :], _like(x, np.arange(rows) - (rows - 1) / 2)[
        :, None
    ]


def _offsets(x: Tensor, ones: Sequence[d.LineOffsets], rngs: Sequence[np.random.Generator]) -> Tensor:
    offsets = [one.offsets_m(x.shape[1], rng) for one, rng in zip(ones, rngs, strict=True)]
    return x + _like(x, np.array(offsets))[:, :, None]


def _slopes(x: Tensor, ones: Sequence[d.LineSlopes], rngs: Sequence[np.random.Generator]) -> Tensor:
    rises = [rng.normal(0, one.rise_m, (x.shape[1], 1)) for one, rng in zip(ones, rngs, strict=True)]
    return x + _like(x, np.array(rises)) * (_from_centre(x)[0] / x.shape[2])


def _line_noise(x: Tensor, ones: Sequence[d.LineNoise], rngs: Sequence[np.random.Generator]) -> Tensor:
    batch, rows, columns = x.shape
    count = rows * 2 * columns
    half = count // 2 + 1
    drawn = _like(x, np.array([[rng.standard_normal(half), rng.standard_normal(half)] for rng in rngs]))
    frequency = torch.arange(1, half, device=x.device, dtype=x.dtype)
    amplitude = torch.zeros(batch, half, device=x.device, dtype=x.dtype)
    amplitude[:, 1:] = frequency ** (-_like(x, [one.exponent for one in ones])[:, None] / 2)
    drawn[:, 1, -1] = 0  # the highest wave has no sine
    noise = torch.fft.irfft(torch.complex(amplitude * drawn[:, 0], amplitude * drawn[:, 1]), count)
    scale = count / torch.sqrt(4 * (amplitude**2).sum(1))
    rms = _like(x, [one.rms_m for one in ones])
    return x + (rms * scale)[:, None, None] * noise.reshape(batch, rows, 2 * columns)[:, :, :columns]


def _loop_noise(x: Tensor, ones: Sequence[d.LoopNoise], rngs: Sequence[np.random.Generator]) -> Tensor:
    rows, columns = x.shape[1:]
    white = _like(x, np.array([rng.standard_normal((rows, columns)) for rng in rngs]))
    before = _like(x, np.array([rng.standard_normal((rows, 1)) for rng in rngs]))
    memory = _each(x, [np.exp(-1 / one.correlation_px) for one in ones])
    steps = torch.arange(columns, device=x.device)
    apart = steps[:, None] - steps[None, :]
    kept = torch.where(apart >= 0, memory ** apart.clamp(min=0), 0)  # (batch, columns, columns)
    noise = torch.sqrt(1 - memory**2) * (white @ kept.transpose(1, 2)) + memory ** (steps + 1) * before
    return x + _each(x, [one.rms_m for one in ones]) * noise


def _white_noise(x: Tensor, ones: Sequence[d.WhiteNoise], rngs: Sequence[np.random.Generator]) -> Tensor:
    drawn = np.array([rng.standard_normal(tuple(x.shape[1:])) for rng in rngs])
    return x + _each(x, [one.rms_m for one in ones]) * _like(x, drawn)


def _hum(x: Tensor, ones: Sequence[d.MainsHum], _: Sequence[np.random.Generator]) -> Tensor:
    rows, columns = x.shape[1:]
    # whole turns are taken off in double precision: there are thousands of them in a scan
    turns = np.array([one.frequency_hz * one.line_time_s for one in ones])[:, None]
    phase = np.array([one.phase for one in ones])[:, None] + 2 * np.pi * (turns * np.arange(rows) % 1)
    along = 2 * np.pi * (turns * np.arange(columns) / (2 * columns) % 1)
    amplitude = _each(x, [one.amplitude_m for one in ones])
    return x + amplitude * torch.sin(_like(x, phase)[:, :, None] + _like(x, along)[:, None, :])


def _quantised(x: Tensor, ones: Sequence[d.Quantisation], _: Sequence[np.random.Generator]) -> Tensor:
    step = _each(x, [one.step_m for one in ones])
    return step * torch.round(x / step)


OPERATIONS: dict[type, Operation] = {
    d.SeveralTips: _several_tips,
    d.MultiTip: _multi_tip,
    d.DullTip: _blunt,
    d.LineMisalignment: _misaligned,
    d.BluntTip: _blunt,
    d.FeedbackLag: _loop,
    d.FeedbackOvershoot: _loop,
    d.PlaneTilt: _plane,
    d.Bow: _bow,
    d.LineOffsets: _offsets,
    d.LineSlopes: _slopes,
    d.LineNoise: _line_noise,
    d.LoopNoise: _loop_noise,
    d.WhiteNoise: _white_noise,
    d.MainsHum: _hum,
    d.Quantisation: _quantised,
}
