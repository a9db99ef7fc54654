"""Scans that self-check and choice of a method are fitted on: every simulated surface, and such as no network knows.

A rule fitted on surfaces of the simulator would trust networks that know all of them too much: of those only
Si(001):H has a say in it, where networks have seen as much of the real surface (`choice_fit`). The others are
made of plain ingredients, in pixels and without a scale: lattices of any cell and motif, labyrinths, rough ground,
blobs on terraces. Through some go plane waves, as mains hum makes them, which hidden lines say something false of
(`stmviewer.restore.folding`). Real scans are of files that the benchmark does not read. None of these scans is in the
benchmark.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from stmviewer.evaluate.sets import Case, centre
from stmviewer.files import open_scan
from stmviewer.scan import Channel, FloatArray, Geometry, Scan
from stmviewer.simulate import simulate_scan, surface_names, to_scan

_SEED = 20_251_125
#: scans are small: several folds of them take the time of one
_SIDE = 112
#: pixel sizes (m), and white noise as a share of the clean image's deviation
_PIXELS_M, _NOISE = (0.04e-9, 0.28e-9), (0.03, 0.2)
_KINDS = ("lattice", "lattice", "labyrinth", "rough", "blobs")


#: unknown surfaces with waves through them are others than those without
_WAVES_FROM = 10_000
#: waves that gaps of so many lines can carry, but gaps twice as wide cannot, in periods a line
_GAPS, _FINE = (2, 4), (0.26, 0.48)
#: real scans below the folder of scans, of files that the benchmark does not read: channel, and the part and pixels of
#: each scan that is made of it (rows, columns; None: the middle)
_Part = tuple[slice, slice] | None
_SPARE: dict[str, tuple[tuple[str, str | None, _Part], ...]] = {
    "atomic lattice": (
        ("spmqt-createc/createc_scan_atomic_11nm.dat", None, None),
        ("spmqt-createc/createc_scan_atomic_11nm.dat", None, np.s_[:200, :200]),
        ("spmqt-createc/createc_scan_atomic_11nm.dat", None, np.s_[1::3, 1::3]),
    ),
    "steps, overview": (("spmqt-createc/A250320.191933.sxm", None, None),),
    "test image": (("gwyfile/test.gwy", None, None),),
    "landscape": (("topostats/file_landscape.gwy", None, None),),
    "molecule, constant height": (
        ("alexriss-spmimages/01581.sxm", "Current", None),
        ("alexriss-spmimages/01581.sxm", "Frequency_Shift", None),
    ),
}


def choice_sets(count: int, data: Path | None = None) -> dict[str, list[Case]]:
    """`count` scans of every simulated surface, ten times as many of unknown ones, four times as many of these with
    waves; always the same.

    And the spare real scans where they are in `data`, the folder that STMVIEWER_REAL_DATA names.
    """
    sets = {f"simulated {n}": [_simulated(n, i, k) for k in range(count)] for i, n in enumerate(surface_names())}
    for k in range(10 * count):
        kind, scan = unfamiliar(k, _SIDE)
        sets.setdefault(f"unknown {kind}", []).append(Case(scan, None, f"unknown {k}"))
    sets["unknown with waves"] = [Case(with_waves(k, _SIDE), None, f"waves {k}") for k in range(4 * count)]
    return sets if data is None else sets | spare(data / "scans")


def spare(folder: Path) -> dict[str, list[Case]]:
    """Real scans of files that the benchmark does not read, at most 256 pixels a side; empty where there are none."""
    sets: dict[str, list[Case]] = {}
    for surface, parts in _SPARE.items():
        for name, channel, part in parts:
            if not (folder / name).is_file():
                continue
            scan = open_scan(folder / name)
            image = scan.channel(channel)
            if part is not None:
                scan = _part_of(scan, image, part)
                image = scan.channel()
            sets.setdefault(f"real {surface}", []).append(Case(centre(scan, image), None, name))
    return sets


def _part_of(scan: Scan, channel: Channel, part: tuple[slice, slice]) -> Scan:
    data, g = np.array(channel.data[part]), scan.geometry
    height, width = (g.pixel_height * (part[0].step or 1), g.pixel_width * (part[1].step or 1))
    frame = Geometry(data.shape[1], data.shape[0], data.shape[1] * width, data.shape[0] * height, g.unit, g.angle_deg)
    return Scan([Channel(channel.name, channel.unit, data)], frame, path=scan.path)


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


def with_waves(number: int, side: int = _SIDE) -> Scan:
    """An unknown surface and a plane wave through it, as hum or vibration makes it; always the same one.

    By turns a wave of any period, not quite steady, and one that the gaps of a mask can just carry.
    """
    rng = np.random.default_rng([_SEED, _WAVES_FROM, number])
    scan = unfamiliar(_WAVES_FROM + number, side)[1]
    image = scan.channel().data
    y, x = np.mgrid[0:side, 0:side]
    if number % 2:
        gap = _GAPS[number // 2 % len(_GAPS)]
        across, along, strength, unsteady = (
            rng.uniform(*_FINE) / gap,
            rng.uniform(0.05, 0.45),
            rng.uniform(0.1, 0.5),
            0.0,
        )
    else:
        across, along, strength = rng.uniform(0.02, 0.48), rng.uniform(0, 0.48), rng.uniform(0.2, 0.9)
        unsteady = rng.uniform(0, 0.1)
    drift = unsteady * np.cumsum(rng.standard_normal(side))[:, None]
    wave = np.cos(2 * np.pi * (across * y + along * x + rng.random()) + drift)
    return Scan([Channel("Z", "", image + strength * float(image.std()) * wave)], scan.geometry)


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
