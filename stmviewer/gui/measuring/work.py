"""What is measured, worked out in jobs: pure functions, no Qt."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from stmviewer.gui.display import FLAT, Frame, Plane, frame_of
from stmviewer.gui.shown import Restored, Shown
from stmviewer.scan import Channel, FloatArray, Geometry, RequestError, Scan, Spectrum
from stmviewer.scan.profiles import line_profile
from stmviewer.scan.statistics import Histogram, Statistics, statistics_of, terraces_of
from stmviewer.scan.waves import PowerSpectrum, Wave, autocorrelation, lattice_waves, spectrum_of

Mode = Literal["profile", "region", "spectrum", "autocorrelation", "steps"]
Rect = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Source:
    """An image that is measured: its scan with that one channel, where it lies, and the plane that levelling for view
    takes away. `wide` is the restored one."""

    name: str
    scan: Scan
    frame: Frame
    plane: Plane
    wide: bool = False

    @property
    def channel(self) -> Channel:
        return self.scan.channels[0]

    @property
    def geometry(self) -> Geometry:
        return self.scan.geometry

    @property
    def lateral(self) -> tuple[str, float]:
        """The unit of distances, and what those of the geometry are to be multiplied with for it."""
        return ("nm", 1e9) if self.geometry.calibrated else ("px", 1.0)

    def part(self, rect: Rect | None) -> tuple[FloatArray, Geometry]:
        """The pixels in `rect` (x, y, width, height in nm or px) as seen, without the plane of the view.

        Raises RequestError where there are none.
        """
        data = self.channel.data
        if self.plane is not FLAT:
            data = data - self.plane.on(self.frame, data.shape)
        if rect is None:
            return data, self.geometry
        rows, columns = data.shape
        left, right = (round((x - self.frame.x) / self.frame.width * columns) for x in (rect[0], rect[0] + rect[2]))
        top, bottom = (round((y - self.frame.y) / self.frame.height * rows) for y in (rect[1], rect[1] + rect[3]))
        left, top, right, bottom = max(left, 0), max(top, 0), min(right, columns), min(bottom, rows)
        if right <= left or bottom <= top:
            raise RequestError("the rectangle holds no pixel of this image")
        g = self.geometry
        size = (right - left) * g.pixel_width, (bottom - top) * g.pixel_height
        return data[top:bottom, left:right], Geometry(right - left, bottom - top, *size, g.unit)


def sources_of(shown: Shown, restored: Restored | None, *, levelled: bool) -> list[Source]:
    """What is on show and, where there is one, its restoration."""
    plane = shown.plane if levelled else FLAT
    name = "raw" if shown.channel.role == "raw" else shown.channel.role
    one = Scan([shown.channel], shown.scan.geometry, path=shown.raw.scan.path, bias_v=shown.scan.bias_v)
    found = [Source(name, one, shown.picture.frame, plane)]
    if restored is not None:
        result = restored.restoration
        channel = Channel(shown.channel.name, result.unit, result.mean, shown.channel.direction, "restored")
        frame = frame_of(result.geometry, shown.scan.geometry)
        found.append(Source("restored", Scan([channel], result.geometry), frame, plane, wide=True))
    return found


def profile_of(source: Source, start: tuple[float, float], end: tuple[float, float], width: float) -> Spectrum:
    """The profile between two places (nm or px), less the plane of the view; distances in metres (or pixels).

    Raises RequestError as `line_profile` does.
    """
    unit = 1e-9 if source.geometry.calibrated else 1.0
    frame = source.frame
    (ax, ay), (bx, by) = ((((x - frame.x) * unit), ((y - frame.y) * unit)) for x, y in (start, end))
    found = line_profile(source.scan, [source.channel], (ax, ay), (bx, by), width=width * unit)
    if source.plane is FLAT:
        return found
    from dataclasses import replace

    (curve,) = found.channels
    t = found.sweep.data / found.sweep.data[-1]
    x, y = start[0] + t * (end[0] - start[0]), start[1] + t * (end[1] - start[1])
    plane = source.plane.offset + source.plane.slope_x * x + source.plane.slope_y * y
    return replace(
        found,
        channels=(replace(curve, data=curve.data - plane),),
        experiment=f"{found.experiment}, levelled for view",
    )


@dataclass(frozen=True, eq=False)
class Waves:
    """A spectrum and its peaks."""

    spectrum: PowerSpectrum
    waves: list[Wave]
    geometry: Geometry


@dataclass(frozen=True, eq=False)
class Likeness:
    """An autocorrelation and the frame of its moves."""

    values: FloatArray
    geometry: Geometry


Result = Statistics | Waves | Likeness | Histogram


def measured(mode: Mode, source: Source, rect: Rect | None) -> Result:
    """Raises RequestError where the region is too small or has nothing measured."""
    data, geometry = source.part(rect)
    match mode:
        case "spectrum":
            return Waves(spectrum_of(data, geometry), lattice_waves(data, geometry, 8), geometry)
        case "autocorrelation":
            return Likeness(autocorrelation(data), geometry)
        case "steps":
            return terraces_of(data)
        case _:
            return statistics_of(data)


def measured_all(mode: Mode, sources: Sequence[Source], rect: Rect | None) -> list[tuple[Source, Result]]:
    return [(source, measured(mode, source, rect)) for source in sources]


def likeness_frame(result: Likeness) -> Frame:
    """Moves in nm or px, none in the middle."""
    rows, columns = result.values.shape
    factor = 1e9 if result.geometry.calibrated else 1.0
    dx, dy = result.geometry.pixel_width * factor, result.geometry.pixel_height * factor
    return Frame(-columns / 2 * dx, -rows / 2 * dy, columns * dx, rows * dy, "nm" if factor > 1 else "px")


def finite_range(values: FloatArray) -> tuple[float, float]:
    """Colour limits of an autocorrelation: its middle is left out, which is 1 and outshines the rest."""
    middle = tuple(n // 2 for n in values.shape)
    kept = values.copy()
    kept[middle[0] - 1 : middle[0] + 2, middle[1] - 1 : middle[1] + 2] = np.nan
    kept = kept[np.isfinite(kept)]
    if not kept.size:
        return -1.0, 1.0
    low, high = (float(v) for v in np.percentile(kept, (1, 99.9)))
    return (low, high) if high > low else (-1.0, 1.0)
