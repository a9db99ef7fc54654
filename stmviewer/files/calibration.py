"""What a user says about an image that brings no size or no unit: a picture, a plain array, a table of numbers."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stmviewer.files.notes import SIZE_UNKNOWN
from stmviewer.files.units import si_unit
from stmviewer.scan import Channel, Geometry, RequestError, Scan

#: wider than any scanner, finer than any pixel: what is beyond was typed in another unit
_LEAST_PIXEL_M, _LARGEST_M = 1e-15, 1.0
_MASK_ROLE = "mask"


@dataclass(frozen=True)
class Calibration:
    """Pixel size or whole size, each (across, down), in nm as they are typed; unit of the values.

    A stored value v means `v * scale` of `unit`: grey values of 0.004 nm each are unit nm, scale 0.004.
    Raises RequestError for what no image can have.
    """

    pixel_nm: tuple[float, float] | None = None
    size_nm: tuple[float, float] | None = None
    unit: str = ""
    scale: float = 1.0

    def __post_init__(self) -> None:
        if self.pixel_nm is not None and self.size_nm is not None:
            raise RequestError("give the pixel size or the whole size, not both")
        for name, least, pair in (
            ("pixel size", _LEAST_PIXEL_M, self.pixel_nm),
            ("size", _LEAST_PIXEL_M, self.size_nm),
        ):
            if pair is not None and not all(math.isfinite(v) and least <= v * 1e-9 <= _LARGEST_M for v in pair):
                limits = f"{_LEAST_PIXEL_M * 1e9:g} to {_LARGEST_M * 1e9:g}"
                raise RequestError(
                    f"the {name} must be a positive length in nm, {limits}, not {pair[0]:g} x {pair[1]:g}"
                )
        if not (math.isfinite(self.scale) and self.scale != 0):
            raise RequestError(f"the value scale must be a number other than zero, not {self.scale:g}")
        if self.scale != 1 and not self.unit:
            raise RequestError("a value scale needs the unit that it leads to")
        if len(self.unit) > 20 or not self.unit.isprintable() or any(c.isdigit() or c.isspace() for c in self.unit):
            raise RequestError(f"'{self.unit[:40]}' is not a unit, such as nm, pA or V")

    @property
    def sizes(self) -> bool:
        return self.pixel_nm is not None or self.size_nm is not None

    def __bool__(self) -> bool:
        """Whether it says anything."""
        return self.sizes or bool(self.unit)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Calibration | None":
        """What `to_json` wrote; None for anything else."""
        try:
            found = json.loads(text)
            pairs = {key: _pair(found.get(key)) for key in ("pixel_nm", "size_nm")}
            return cls(**pairs, unit=str(found.get("unit", "")), scale=float(found.get("scale", 1.0)))
        except (ValueError, TypeError, AttributeError, RequestError):
            return None

    def flags(self) -> list[str]:
        """The words of a command line that say the same."""
        words = []
        for flag, pair in (("--pixel-nm", self.pixel_nm), ("--size-nm", self.size_nm)):
            if pair is not None:
                words += [flag, f"{pair[0]!r}x{pair[1]!r}"]
        if self.unit:
            words += ["--unit", self.unit]
        if self.scale != 1:
            words.append(f"--value-scale={self.scale!r}")  # with =, since it may be negative
        return words

    def facts(self) -> dict[str, Any]:
        """For provenance: what was said, and by whom."""
        said = {key: value for key, value in asdict(self).items() if value not in (None, "", 1.0)}
        return {"said_by": "user", **said}


def lacks_size(scan: Scan) -> bool:
    return not scan.geometry.calibrated


def lacks_unit(scan: Scan) -> bool:
    return any(_without_unit(channel) for channel in scan.channels)


def calibrated(scan: Scan, said: Calibration) -> Scan:
    """`scan` with the size and the unit that the user gives it; its data, not read yet, are scaled when they are.

    Raises RequestError where the scan has a size, or units, of its own: those are never overruled.
    """
    if said.sizes and not lacks_size(scan):
        raise RequestError(
            f"{scan.name} says its size itself ({scan.geometry.in_words()}): a pixel size is for images without one"
        )
    if said.unit and not lacks_unit(scan):
        units = ", ".join(dict.fromkeys(c.unit for c in scan.channels if c.unit))
        raise RequestError(f"the values of {scan.name} have a unit ({units}): --unit is for those without one")
    return filled_in(scan, said)


def filled_in(scan: Scan, said: Calibration) -> Scan:
    """`scan` with what it lacks and the user gives; what it says itself stays."""
    sizes, units = said.sizes and lacks_size(scan), bool(said.unit) and lacks_unit(scan)
    if not (sizes or units):
        return scan
    notes = list(scan.notes)
    if sizes:
        notes = [note for note in notes if not note.startswith(SIZE_UNKNOWN)]
        given = said.pixel_nm or said.size_nm
        assert given is not None
        what = "pixel size" if said.pixel_nm is not None else "size"
        notes.insert(0, f"the file has no size: the {what} of {given[0]:g} x {given[1]:g} nm was given by hand")
    if units:
        times = f", {said.scale:g} {said.unit} a step" if said.scale != 1 else ""
        notes.insert(int(sizes), f"the values have no unit: {said.unit} was given by hand{times}")
    used = replace(
        said,
        pixel_nm=said.pixel_nm if sizes else None,
        size_nm=said.size_nm if sizes else None,
        unit=said.unit if units else "",
        scale=said.scale if units else 1.0,
    )
    return replace(
        scan,
        geometry=_sized(scan.geometry, said) if sizes else scan.geometry,
        channels=tuple(_with_unit(c, said) if units and _without_unit(c) else c for c in scan.channels),
        notes=tuple(notes),
        calibration=used.facts(),
    )


def all_calibrated(parts: Sequence[Scan], said: Calibration) -> tuple[Scan, ...]:
    """The scans of one file with what they lack. RequestError as for `calibrated` where none of them lacks it."""
    sized, unitless = not any(map(lacks_size, parts)), any(map(lacks_unit, parts))
    if (said.sizes and sized) or (said.unit and not unitless):
        calibrated(parts[0], said)  # which says why not
    return tuple(filled_in(part, said) for part in parts)


def _sized(frame: Geometry, said: Calibration) -> Geometry:
    if said.pixel_nm is not None:
        width, height = said.pixel_nm[0] * frame.columns * 1e-9, said.pixel_nm[1] * frame.rows * 1e-9
    else:
        assert said.size_nm is not None
        width, height = said.size_nm[0] * 1e-9, said.size_nm[1] * 1e-9
    return replace(frame, width=width, height=height, unit="m", centre=(0.0, 0.0))


def _without_unit(channel: Channel) -> bool:
    return not channel.unit and channel.role != _MASK_ROLE


def _with_unit(channel: Channel, said: Calibration) -> Channel:
    unit, factor = si_unit(said.unit)
    scale = said.scale * factor

    def load() -> NDArray[np.float64]:
        return channel.data * scale if scale != 1 else channel.data

    return Channel(channel.name, unit, load, channel.direction, channel.role)


def _pair(value: Any) -> tuple[float, float] | None:
    if value is None:
        return None
    across, down = value
    return float(across), float(down)


def of_facts(facts: Mapping[str, Any] | None) -> Calibration | None:
    """The calibration that a scan carries, from its `calibration`; None where it has none."""
    return None if facts is None else Calibration.from_json(json.dumps(dict(facts)))


def key_of(path: Path, whole_folder: bool) -> str:
    """Under which a calibration is remembered: the file, or its folder."""
    there = path.absolute()
    return str(there.parent if whole_folder else there)
