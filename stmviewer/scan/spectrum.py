"""Spectrum: curves over one swept signal at one place of the sample, such as current over bias."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from stmviewer.scan.geometry import FloatArray
from stmviewer.scan.model import Direction, find_channel


@dataclass(frozen=True)
class Curve:
    """One signal of a spectrum.

    `data` (points,) is a read-only float64 array in the SI `unit`, NaN where the file has no value. A backward curve
    is in the order of the sweep signal too, as the microscope writes it: its value i belongs to value i of the sweep.
    """

    name: str
    unit: str
    data: FloatArray
    direction: Direction = "forward"

    def __post_init__(self) -> None:
        data = np.array(self.data, dtype=np.float64)  # a copy: nobody else's array is touched or trusted
        if data.ndim != 1:
            raise ValueError(f"curve {self.name} has {data.ndim} dimensions, not 1")
        # an overflowed ADC is no measurement either
        data[~np.isfinite(data)] = np.nan
        data.flags.writeable = False
        object.__setattr__(self, "data", data)

    @property
    def label(self) -> str:
        return f"{self.name} {self.direction}"


@dataclass(frozen=True)
class Spectrum:
    """Curves over one sweep, all of the same number of points.

    `position` is where the tip stood, (x, y, z) in metres; None where the file does not say. `bias_v` (sample bias)
    and `setpoint_a` are those before the sweep. `header` is the file's own, as read; `notes` are things about the
    file that the user should see.
    """

    sweep: Curve
    channels: Sequence[Curve]
    position: tuple[float, float, float] | None = None
    path: Path | None = None
    format: str = ""
    experiment: str = ""
    bias_v: float | None = None
    setpoint_a: float | None = None
    recorded: str = ""
    comment: str = ""
    header: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()

    def __post_init__(self) -> None:
        for curve in self.channels:
            if curve.data.shape != self.sweep.data.shape:
                raise ValueError(f"curve {curve.label} has {curve.data.size} points, its sweep {self.sweep.data.size}")

    @property
    def name(self) -> str:
        return self.path.name if self.path else "untitled"

    @property
    def points(self) -> int:
        return self.sweep.data.size

    def channel(self, name: str, direction: Direction | None = None) -> Curve:
        """The curve of that name (any case); forward where there is one and no direction is asked for.

        Raises RequestError that lists what there is.
        """
        return find_channel(self.channels, name, direction, self.name)
