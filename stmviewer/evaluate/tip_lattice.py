"""Numbers of the lattice that tell an asymmetric tip: whether the mean unit cell of the dimer rows is its own mirror.

Seen by a round tip the cell of H:Si(100) has two mirrors. A tip that is longer on one side, or has a second end within
a cell, shows dimers with one side brighter, doubled rows, cells drawn out aslant. Folding the image by its lattice
would blur, since scans drift and creep. So each wave of the lattice is demodulated by itself, to a field of amplitude
and phase as it varies slowly over the image. In the product of two waves and the conjugate of their sum the phases of
drift cancel: what remains, the bispectrum (Brillinger, Ann. Math. Stat. 36, 1351 (1965)), is real where the cell is its
own mirror.
"""

from collections.abc import Mapping

import numpy as np

from stmviewer.scan import FloatArray
from stmviewer.scan.corrugation import Corrugation, find_rows

Order = tuple[int, int]
#: waves by their order across the rows and along them (the dimers)
_ORDERS: tuple[Order, ...] = ((1, 0), (2, 0), (3, 0), (0, 1), (0, 2), (1, 1), (1, -1), (2, 1), (2, -1))
#: two waves and the one whose order is their sum
_PRODUCTS: tuple[tuple[Order, Order, Order], ...] = (
    ((1, 0), (1, 0), (2, 0)),
    ((1, 0), (2, 0), (3, 0)),
    ((1, 0), (0, 1), (1, 1)),
    ((1, 0), (0, -1), (1, -1)),
    ((1, 1), (1, -1), (2, 0)),
    ((1, 1), (-1, 1), (0, 2)),
    ((1, 0), (1, 1), (2, 1)),
    ((1, 0), (1, -1), (2, -1)),
    ((2, 0), (0, 1), (2, 1)),
    ((2, 0), (0, -1), (2, -1)),
)
#: the fields are averages over so many row spacings (sigma of a Gaussian)
_REACHES = (1.0, 0.5)
#: points a side on which fields are kept
_POINTS = 48
#: beyond this frequency (1/px) waves are not looked for
_HIGHEST = 0.48
#: logarithm of a wave that is not there
_NONE = -8.0
_FAINT = 3e-4
LATTICE_NUMBERS = len(_REACHES) * (2 + 2 * len(_ORDERS) + 3 * len(_PRODUCTS) + 8)

#: the complex field of a wave (`_POINTS` a side at most), and how far its peak stands out (ln of power)
_Wave = tuple[np.ndarray, float]


def lattice_numbers(detail: FloatArray) -> FloatArray:
    """The numbers of a normalised image (rows, columns), 64 pixels a side at least; 0 where no rows can be found."""
    rows = find_rows(detail)
    if rows is None:
        return np.zeros(LATTICE_NUMBERS)
    found = np.concatenate([_numbers(detail, rows, reach) for reach in _REACHES])
    return np.nan_to_num(found)


def _numbers(detail: FloatArray, rows: Corrugation, reach: float) -> FloatArray:
    waves = _waves(detail, rows, reach)
    variance = float(detail.var()) + 1e-12
    power = {o: float((np.abs(w[0]) ** 2).mean()) for o, w in waves.items()}
    log = {o: float(np.log(power[o] / variance + _FAINT)) if o in power else _NONE for o in _ORDERS}
    numbers = [rows.strength, float(np.log(rows.period_px))]
    for order in _ORDERS:
        numbers += [log[order], waves[order][1] if order in waves else 0.0]
    for a, b, both in _PRODUCTS:
        numbers += _mirror(*(_field(waves, o) for o in (a, b, both)))
    aslant = np.logaddexp(log[1, 1], log[1, -1])
    numbers += [
        abs(log[1, 1] - log[1, -1]), abs(log[2, 1] - log[2, -1]), log[2, 0] - log[1, 0], log[3, 0] - log[1, 0],
        log[0, 1] - log[1, 0], float(aslant) - log[0, 1], max(log[1, 1], log[1, -1]) - log[1, 0],
        float(np.log((sum(power.values()) + 1e-12) / variance + 1e-3)),
    ]  # fmt: skip
    return np.array(numbers)


def _mirror(a: np.ndarray | None, b: np.ndarray | None, both: np.ndarray | None) -> list[float]:
    """Of the normalised mean product: its size (1 where the three phases hold together), its real part, and the size
    of its imaginary part, which a mirror forbids."""
    if a is None or b is None or both is None:
        return [0.0, 0.0, 0.0]
    pair = a * b
    scale = np.sqrt(float((np.abs(pair) ** 2).mean() * (np.abs(both) ** 2).mean()) + 1e-18)
    mean = complex((pair * both.conj()).mean()) / float(scale)
    return [abs(mean), mean.real, abs(mean.imag)]


def _field(waves: Mapping[Order, _Wave], order: Order) -> np.ndarray | None:
    if order in waves:
        return waves[order][0]
    other = (-order[0], -order[1])
    return waves[other][0].conj() if other in waves else None


def _waves(detail: FloatArray, rows: Corrugation, reach: float) -> dict[Order, _Wave]:
    """The waves of the lattice below the sampling's limit, all on the same points."""
    height, width = detail.shape
    taper = np.outer(np.hanning(height + 2)[1:-1] ** 0.5, np.hanning(width + 2)[1:-1] ** 0.5)
    spectrum = np.fft.fft2((detail - detail.mean()) * taper)
    angle = np.deg2rad(rows.angle_deg)
    across = np.array([np.sin(angle), np.cos(angle)]) / rows.period_px  # (y, x), 1/px
    along = 2 * np.array([across[1], -across[0]])
    slack = max(0.08 / rows.period_px, 1 / height)
    across, along = _peak(spectrum, across, slack), _peak(spectrum, along, 2 * slack)
    band = 1 / (2 * np.pi * reach * rows.period_px)
    found = {}
    for order in _ORDERS:
        place = order[0] * across + order[1] * along
        if np.abs(place).max() <= _HIGHEST:
            found[order] = _wave(spectrum, place, band)
    return found


def _peak(spectrum: np.ndarray, near: FloatArray, slack: float) -> FloatArray:
    """The frequency (y, x) of the highest point within `slack` of `near`: drift and creep shear lattices."""
    if np.abs(near).max() > _HIGHEST - 0.01:
        return near
    at = []
    for frequency, count in zip(near, spectrum.shape, strict=True):
        low, high = np.round((frequency + np.array([-slack, slack])) * count).astype(int)
        at.append(np.arange(low, high + 1))
    part = np.abs(spectrum[np.ix_(at[0] % spectrum.shape[0], at[1] % spectrum.shape[1])]) ** 2
    row, column = np.unravel_index(int(part.argmax()), part.shape)
    return np.array([at[0][row] / spectrum.shape[0], at[1][column] / spectrum.shape[1]])


def _wave(spectrum: np.ndarray, place: FloatArray, band: float) -> _Wave:
    """The field of the wave at frequency `place` (y, x), from a Gaussian band around it, without its carrier."""
    height, width = spectrum.shape
    points = min(_POINTS, height, width)
    centre = [round(float(f) * n) for f, n in zip(place, spectrum.shape, strict=True)]
    y, x = (np.arange(c - points // 2, c - points // 2 + points) for c in centre)
    dy, dx = (y / height - place[0])[:, None], (x / width - place[1])[None]
    part = spectrum[np.ix_(y % height, x % width)]
    window = np.exp(-(dy**2 + dx**2) / (2 * band**2))
    field = np.fft.ifft2(np.fft.ifftshift(part * window)) * (points * points) / (height * width)
    # the centre of the block lies on a whole number of periods, the wave does not
    rest = [c / n - float(f) for c, n, f in zip(centre, spectrum.shape, place, strict=True)]
    down, right = np.arange(points) * height / points, np.arange(points) * width / points
    field = field * np.exp(2j * np.pi * (rest[0] * down[:, None] + rest[1] * right[None]))
    power, distance = np.abs(part) ** 2, np.hypot(dy, dx)
    around = (distance > 2 * band) & (distance < 4 * band) & (distance > 0.3 / max(height, width))
    near = distance <= 1.5 * band
    if around.sum() <= 4 or not near.any():
        return field, 0.0
    top = power[near].max()
    return field, float(np.log((top + 1e-9) / (np.median(power[around]) + 1e-9)))
