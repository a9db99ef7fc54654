"""Which scans of a folder show the same place: by where the scanner was, and by what is seen.

Images of one place on both sides of a split would praise a model for what it has learned by heart.
"""

import hashlib
import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmviewer.scan import FloatArray, Geometry

if TYPE_CHECKING:
    from stmviewer.evaluate.registration import Match, Spectrum

#: images are compared at about this many pixels a side: 2 ms a pair in place of 6
_SIDE = 128
#: each is compared with so many of its session before it: a series of one place is scanned in a row
_BACK = 10
#: what counts as the same place by sight: height and lead of the peak, and how well one image then lies on the other.
#: Of 3,394 pairs of different sessions of si100h 6 pass, of 392 pairs of one session 86
_HEIGHT, _LEAD, _AGREEMENT = 12.0, 1.2, 0.5
#: fewer shared pixels a side tell nothing
_LEAST_SHARED = 24
#: shared part of the smaller frame from which on two scans are of one place
_OVERLAP = 0.5


@dataclass(frozen=True, eq=False)
class Seen:
    """What is kept of a scan to compare it with others. `exact` is a hash of its values."""

    name: str
    session: str
    geometry: Geometry
    exact: str
    image: FloatArray
    spectrum: "Spectrum"

    @classmethod
    def of(cls, name: str, session: str, geometry: Geometry, data: FloatArray) -> "Seen":
        """Takes the spectrum of a fully measured image, made smaller."""
        from stmviewer.evaluate.registration import prepared, spectrum

        exact = hashlib.sha256(np.ascontiguousarray(data, dtype=np.float32).tobytes()).hexdigest()
        image = prepared(_small(data))
        return cls(name, session, geometry, exact, image, spectrum(image))


@dataclass(frozen=True)
class Link:
    """Two scans of one place, and how that is known: `copy`, `frame` (offset and size) or `sight`."""

    first: str
    second: str
    how: str


class LinkFinder:
    """Finds scans of one place as they are read, one after the other; keeps no more than it has to compare with."""

    def __init__(self) -> None:
        self.links: list[Link] = []
        self._exact: dict[str, str] = {}
        self._before: dict[str, deque[Seen]] = {}

    def add(self, one: Seen) -> None:
        """Compares a scan with the ones of its session before it."""
        from stmviewer.evaluate.registration import match

        if one.exact in self._exact:
            self.links.append(Link(self._exact[one.exact], one.name, "copy"))
            return
        self._exact[one.exact] = one.name
        before = self._before.setdefault(one.session, deque(maxlen=_BACK))
        for other in reversed(before):
            if overlap(one.geometry, other.geometry) >= _OVERLAP:
                self.links.append(Link(other.name, one.name, "frame"))
            elif one.spectrum.shape == other.spectrum.shape and _same_scale(one.geometry, other.geometry):
                found = match(other.spectrum, one.spectrum)
                alike = found.height >= _HEIGHT and found.lead >= _LEAD
                if alike and _shifted_agreement(other.image, one.image, found) >= _AGREEMENT:
                    self.links.append(Link(other.name, one.name, "sight"))
        before.append(one)


def _shifted_agreement(first: FloatArray, second: FloatArray, found: "Match") -> float:
    """Correlation of what two images of one shape share when the second is laid upon the first; -1 where too little."""
    rows, columns = first.shape
    down, right = found.rows, found.columns
    a = first[max(-down, 0) : rows - max(down, 0), max(-right, 0) : columns - max(right, 0)]
    b = second[max(down, 0) : rows - max(-down, 0), max(right, 0) : columns - max(-right, 0)]
    if min(a.shape) < _LEAST_SHARED:
        return -1.0
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum()) / size if size > 0 else -1.0


def overlap(one: Geometry, other: Geometry) -> float:
    """Shared part of the smaller of two frames that say where they lie; 0 where they do not, or are turned."""
    placed = one.calibrated and other.calibrated and any((*one.centre, *other.centre))
    if not placed or not math.isclose(one.angle_deg, other.angle_deg, abs_tol=5.0):
        return 0.0
    angle = math.radians(one.angle_deg)
    dx, dy = (a - b for a, b in zip(one.centre, other.centre, strict=True))
    across, along = dx * math.cos(angle) - dy * math.sin(angle), dx * math.sin(angle) + dy * math.cos(angle)
    width = min(one.width, other.width, (one.width + other.width) / 2 - abs(across))
    height = min(one.height, other.height, (one.height + other.height) / 2 - abs(along))
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / min(one.width * one.height, other.width * other.height)


def _same_scale(one: Geometry, other: Geometry) -> bool:
    """Whether a shift can lay one upon the other; images without a size may."""
    if one.calibrated and other.calibrated:
        return math.isclose(one.width, other.width, rel_tol=0.02) and math.isclose(
            one.height, other.height, rel_tol=0.02
        )
    return one.shape == other.shape


def _small(data: FloatArray) -> FloatArray:
    factor = max(1, min(data.shape) // _SIDE)
    rows, columns = (n // factor * factor for n in data.shape)
    blocks = data[:rows, :columns].reshape(rows // factor, factor, columns // factor, factor)
    small: FloatArray = blocks.mean(axis=(1, 3))
    return small
