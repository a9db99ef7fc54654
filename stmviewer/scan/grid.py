"""Grid: a spectrum at every pixel of a raster."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stmviewer.scan.errors import RequestError
from stmviewer.scan.geometry import BoolArray, FloatArray, Geometry
from stmviewer.scan.model import Channel, Direction, find_channel
from stmviewer.scan.spectrum import Curve, Spectrum


class Stack:
    """One signal of a grid.

    `data` is a read-only float64 array (rows, columns, points) in SI `unit`, row 0 at the top as the microscopist sees
    it; NaN at points that were not measured. It is read when first asked for.
    """

    def __init__(
        self, name: str, unit: str, load: Callable[[], NDArray[Any]], direction: Direction = "forward"
    ) -> None:
        self.name = name
        self.unit = unit
        self.direction: Direction = direction
        self._load = load
        self._lock = threading.Lock()
        self._data: FloatArray | None = None

    @property
    def data(self) -> FloatArray:
        """The stack; read from the file at the first call, which may come from any thread."""
        with self._lock:
            if self._data is None:
                with np.errstate(invalid="ignore"):  # a signalling NaN of a damaged file is a NaN like others
                    data = np.array(self._load(), dtype=np.float64)
                if data.ndim != 3:
                    raise ValueError(f"stack {self.label} has {data.ndim} dimensions, not 3")
                data[~np.isfinite(data)] = np.nan
                data.flags.writeable = False
                self._data = data
            return self._data

    @property
    def label(self) -> str:
        return f"{self.name} {self.direction}"

    def image(self, point: int) -> FloatArray:
        """The image (rows, columns) at one point of the sweep."""
        result: FloatArray = self.data[:, :, point]
        return result

    def __repr__(self) -> str:
        return f"Stack({self.label!r}, {self.unit!r})"


@dataclass(frozen=True)
class Grid:
    """Spectra on a raster: `channels` are stacks over `sweep`, `parameters` images of what each spectrum began with.

    `measured` (rows, columns) is False where the grid was stopped before it came to that point. `bias_v`,
    `setpoint_a`, `header` and `notes` are as in Scan.
    """

    channels: Sequence[Stack]
    parameters: Sequence[Channel]
    sweep: Curve
    geometry: Geometry
    measured: BoolArray
    path: Path | None = None
    format: str = ""
    experiment: str = ""
    bias_v: float | None = None
    setpoint_a: float | None = None
    recorded: str = ""
    comment: str = ""
    header: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()

    @property
    def name(self) -> str:
        return self.path.name if self.path else "untitled"

    @property
    def shape(self) -> tuple[int, int, int]:
        """(rows, columns, points), the shape of the stacks."""
        return self.geometry.rows, self.geometry.columns, self.sweep.data.size

    def channel(self, name: str, direction: Direction | None = None) -> Stack:
        """The stack of that name (any case); forward where there is one and no direction is asked for.

        Raises RequestError that lists what there is.
        """
        return find_channel(self.channels, name, direction, self.name)

    def parameter(self, name: str) -> Channel:
        """The image of the parameter of that name (any case). Raises RequestError that lists what there is."""
        for image in self.parameters:
            if image.name.casefold() == name.casefold():
                return image
        there = ", ".join(c.name for c in self.parameters)
        raise RequestError(f"{self.name} has no parameter '{name}'; it has: {there}")

    def spectrum(self, row: int, column: int) -> Spectrum:
        """The spectrum at one pixel, counted from the top left."""
        there = {image.name: float(image.data[row, column]) for image in self.parameters}
        position = tuple(there.get(axis, float("nan")) for axis in "XYZ")
        return Spectrum(
            sweep=self.sweep,
            channels=tuple(Curve(c.name, c.unit, c.data[row, column], c.direction) for c in self.channels),
            position=(position[0], position[1], position[2]) if np.isfinite(position).all() else None,
            path=self.path,
            format=self.format,
            experiment=self.experiment,
            bias_v=self.bias_v,
            setpoint_a=self.setpoint_a,
            recorded=self.recorded,
            comment=self.comment,
            header=self.header,
        )
