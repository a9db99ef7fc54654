"""Scans that the choice of a method is fitted on: every simulated surface, and surfaces that no network knows.

A rule fitted on surfaces of the simulator alone would trust networks that know all of them too much. The others are
made of plain ingredients, in pixels and without a scale: lattices of any cell and motif, labyrinths, rough ground,
blobs on terraces. None of these scans is in the benchmark.
"""

from collections.abc import Callable

import numpy as np

from stmviewer.evaluate.sets import Case
from stmviewer.scan import Channel, FloatArray, Geometry, Scan
from stmviewer.simulate import simulate_scan, surface_names, to_scan

_SEED = 20_251_125
#: scans are small: several folds of them take the time of one
_SIDE = 112
#: pixel sizes (m), and white noise as a share of the clean image's deviation
_PIXELS_M, _NOISE = (0.04e-9, 0.28e-9), (0.03, 0.2)
_KINDS = ("lattice", "lattice", "labyrinth", "rough", "blobs")


def choice_sets(count: int) -> dict[str, list[Case]]:
    """`count` scans of every simulated surface, and ten times as many of unknown ones; always the same."""
    sets = {f"simulated {n}": [_simulated(n, i, k) for k in range(count)] for i, n in enumerate(surface_names())}
    for k in range(10 * count):
        kind, scan = unfamiliar(k, _SIDE)
        sets.setdefault(f"unknown {kind}", []).append(Case(scan, None, f"unknown {k}"))
    return sets


def _simulated(name: str, surface: int, number: int) -> Case:
    """By turns what a good tip would have scanned, with white noise, and what a real one has."""
    rng = np.random.default_rng([_SEED, surface, number])
    pixel_m = float(np.exp(rng.uniform(*np.log(_PIXELS_M))))
    pair = simulate_scan(name, _SIDE, _SIDE, pixel_m, "realistic", (_SEED + number, surface))
    data = pair.degraded
    if number % 2 == 0:
        noise = rng.uniform(*_NOISE) * float(pair.clean.std())
        data = pair.clean + noise * rng.standard_normal(data.shape)
    return Case(Scan([Channel("Z", "m", data)], to_scan(pair).geometry), None, f"{name} {number}")


def unfamiliar(number: int, side: int = _SIDE) -> tuple[str, Scan]:
    """Scan `number` of the series, `side` x `side` pixels, always the same one; the name of what it shows before it."""
    rng = np.random.default_rng([_SEED, number])
    kind = _KINDS[number % len(_KINDS)]
    makers: dict[str, Callable[[int, np.random.Generator], FloatArray]] = {
        "lattice": _lattice,
        "labyrinth": _labyrinth,
        "rough": _rough,
        "blobs": _blobs,
    }
    image = makers[kind](side, rng)
    return kind, Scan([Channel("Z", "", image + _noise(image, rng))], Geometry.of_pixels(side, side))


def _noise(image: FloatArray, rng: np.random.Generator) -> FloatArray:
    """White noise, and offsets of whole lines, as a share of the image's deviation."""
    white, lines = rng.uniform(0.02, 0.25), rng.uniform(0, 0.12)
    rows = image.shape[0]
    return float(image.std()) * (white * rng.standard_normal(image.shape) + lines * rng.standard_normal((rows, 1)))


def _lattice(side: int, rng: np.random.Generator) -> FloatArray:
    """A cell of any shape with some spots, a few of its sites changed, slightly bent and modulated."""
    y, x = np.mgrid[0:side, 0:side].astype(float)
    bend = 2.0 * _field(side, side / 3, rng)
    length, ratio = rng.uniform(3.5, 20), rng.uniform(1, 2)
    first, between = rng.uniform(0, np.pi), rng.uniform(np.pi / 3, 2 * np.pi / 3)
    a = length * np.array([np.cos(first), np.sin(first)])
    b = length * ratio * np.array([np.cos(first + between), np.sin(first + between)])
    # fractional coordinates in the cell, and the number of the cell
    u, v = np.tensordot(np.linalg.inv(np.stack([a, b], axis=1)), np.stack([x + bend, y - bend]), axes=1)
    image = np.zeros((side, side))
    for _ in range(int(rng.integers(1, 5))):
        at, width, height = rng.random(2), rng.uniform(0.12, 0.3), rng.uniform(0.3, 1) * rng.choice((-1, 1, 1))
        du, dv = (u - at[0] + 0.5) % 1 - 0.5, (v - at[1] + 0.5) % 1 - 0.5
        far = np.hypot(du * a[0] + dv * b[0], du * a[1] + dv * b[1])
        image += height * np.exp(-0.5 * (far / (width * length)) ** 2)
    image /= image.std()
    # some cells lack their spots, some have more
    cells = 1 + rng.choice((-0.8, 0.8), (997,)) * (rng.random(997) < rng.uniform(0, 0.08))
    number = (np.floor(u) * 31 + np.floor(v) * 57).astype(int) % 997
    result: FloatArray = image * cells[number] + rng.uniform(0, 1.0) * _field(side, side / 5, rng)
    return result


def _labyrinth(side: int, rng: np.random.Generator) -> FloatArray:
    """Waves of one length in all directions, the crests flattened."""
    length = rng.uniform(4.5, 25)
    fy, fx = np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)[None, :]
    ring = np.exp(-0.5 * ((np.hypot(fy, fx) * length - 1) / rng.uniform(0.08, 0.3)) ** 2)
    wave = np.fft.ifft2(np.fft.fft2(rng.standard_normal((side, side))) * ring).real
    result: FloatArray = np.tanh(rng.uniform(0.5, 2) * wave / wave.std())
    return result


def _rough(side: int, rng: np.random.Generator) -> FloatArray:
    """Ground whose power falls with a power of the frequency."""
    fy, fx = np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)[None, :]
    fall = np.maximum(np.hypot(fy, fx), 1 / side) ** -rng.uniform(1.0, 2.2)
    result: FloatArray = np.fft.ifft2(np.fft.fft2(rng.standard_normal((side, side))) * fall).real
    return result / float(result.std())


def _blobs(side: int, rng: np.random.Generator) -> FloatArray:
    """Blobs of several sizes at random places on terraces."""
    from scipy.ndimage import gaussian_filter

    image = rng.uniform(0, 2) * (_field(side, side / 4, rng) > rng.uniform(-0.5, 1.5))
    for _ in range(int(rng.integers(1, 4))):
        spots = (rng.random((side, side)) < rng.uniform(0.002, 0.03)) * rng.uniform(0.3, 1.0, (side, side))
        spots = gaussian_filter(spots, (rng.uniform(0.8, 4), rng.uniform(0.8, 4)))
        image = image + rng.uniform(0.5, 1.5) * spots / max(float(spots.std()), 1e-12)
    return gaussian_filter(image, 0.7)


def _field(side: int, length: float, rng: np.random.Generator) -> FloatArray:
    """A smooth random field of deviation 1, its features `length` pixels wide."""
    from scipy.ndimage import gaussian_filter

    field = gaussian_filter(rng.standard_normal((side, side)), length / 2, mode="wrap")
    result: FloatArray = (field - field.mean()) / field.std()
    return result
