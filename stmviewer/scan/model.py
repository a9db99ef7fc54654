"""Scan and Channel: what everything else speaks about."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray

from stmviewer.scan.errors import RequestError
from stmviewer.scan.geometry import BoolArray, FloatArray, Geometry

Direction = Literal["forward", "backward"]
ScanDirection = Literal["down", "up"]
#: raw is what the microscope measured; the others are what stmviewer made: processed by steps, restored by a method
Role = Literal["raw", "processed", "mask", "restored", "deviation", "residual"]
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
#: what `Channel.why_not_restorable` says of a channel that shows nothing
SAME_VALUE = "every measured pixel has the same value (a constant channel)"


class Channel:
    """One image of a scan.

    `data` is a read-only float64 array (rows, columns) in SI `unit`, row 0 at the top as the microscopist sees it,
    backward channels already mirrored; NaN where the file has no value. It is read when first asked for: a reader
    passes `load`, and a file of twelve channels costs no more than the one that is shown. Where a reader can read
    single lines, it passes `load_lines` too: from line numbers (0 at the top) to these lines, for thumbnails.
    """

    def __init__(
        self,
        name: str,
        unit: str,
        load: Callable[[], NDArray[Any]] | NDArray[Any],
        direction: Direction = "forward",
        role: Role = "raw",
        load_lines: Callable[[range], NDArray[Any]] | None = None,
    ) -> None:
        self.name = name
        self.unit = unit
        self.direction: Direction = direction
        self.role: Role = role
        self._load = load
        self._load_lines = load_lines
        # a lock of its own: that of functools.cached_property is shared by all channels before Python 3.12, and the
        # window would wait for a file that a worker reads
        self._lock = threading.Lock()
        self._data: FloatArray | None = None
        self._measured: BoolArray | None = None

    @property
    def data(self) -> FloatArray:
        """The image; read from the file at the first call, which may come from any thread."""
        with self._lock:
            if self._data is None:
                load = self._load
                self._data = self._checked(load if callable(load) else lambda: load)
            return self._data

    def lines(self, step: int, rows: int) -> FloatArray:
        """Every `step`-th of the `rows` lines, from the middle of the first `step` on; read-only, NaN unmeasured.

        Reads no other lines where the format allows that and the image is not in memory anyway.
        """
        wanted = range(min(step // 2, rows - 1), rows, step)
        with self._lock:
            in_memory = self._data is not None
        if in_memory or self._load_lines is None or step == 1:
            return self.data[wanted.start :: step]
        load_lines = self._load_lines
        return self._checked(lambda: load_lines(wanted))

    def _checked(self, load: Callable[[], NDArray[Any]]) -> FloatArray:
        # a copy: rule 1, nobody else's array is touched or trusted; a signalling NaN is no fault of ours, nor is a
        # value of a damaged file that its factor makes infinite
        with np.errstate(invalid="ignore", over="ignore"):
            given = np.asarray(load())
            # what nobody can write to any more needs no copy: a restored 4096 x 4096 scan has several such images
            shared = given.dtype == np.float64 and given.flags.owndata and not given.flags.writeable
            data = given if shared and not np.isinf(given).any() else np.array(given, dtype=np.float64)
        if data.ndim != 2:
            raise ValueError(f"channel {self.label} has {data.ndim} dimensions, not 2")
        if data.flags.writeable:
            # an overflowed ADC is no measurement either
            data[~np.isfinite(data)] = np.nan
            data.flags.writeable = False
        return data

    @property
    def measured(self) -> BoolArray:
        """True where the file has a value; shape (rows, columns), read-only."""
        if self._measured is None:
            measured = np.isfinite(self.data)
            measured.flags.writeable = False
            self._measured = measured
        return self._measured

    @property
    def label(self) -> str:
        return f"{self.name} {self.direction}"

    @property
    def measured_fraction(self) -> float:
        return float(self.measured.mean())

    def why_not_restorable(self) -> str | None:
        """The reason in plain words when there is nothing to restore in this channel, else None."""
        if not self.measured.any():
            return "no pixel was measured (the scan never ran)"
        if min(self.data.shape) < 8:
            return f"{self.data.shape[1]} x {self.data.shape[0]} pixels are too few to restore; 8 x 8 is the least"
        values = self.data[self.measured]
        if values.size < 16:
            return f"only {values.size} pixels were measured; 16 is the least"
        if float(np.ptp(values)) <= 4 * np.finfo(np.float64).eps * float(np.abs(values).max()):
            return SAME_VALUE
        return None

    def __repr__(self) -> str:
        return f"Channel({self.label!r}, {self.unit!r}, {self.role})"


class Named(Protocol):
    """What is found by name and direction: an image, a stack of images, a curve."""

    @property
    def name(self) -> str: ...

    @property
    def direction(self) -> Direction: ...

    @property
    def label(self) -> str: ...


_Found = TypeVar("_Found", bound=Named)


def find_channel(channels: Sequence[_Found], name: str, direction: Direction | None, owner: str) -> _Found:
    """The one of that name (any case); forward where there is one and no direction is asked for.

    Raises RequestError that lists what `owner` has.
    """
    for wanted in (direction,) if direction else DIRECTIONS:
        for channel in channels:
            if channel.name.casefold() == name.casefold() and channel.direction == wanted:
                return channel
    there = ", ".join(c.label for c in channels)
    asked = " ".join(filter(None, (name, direction)))
    raise RequestError(f"{owner} has no channel '{asked}'; it has: {there}")


@dataclass(frozen=True)
class Part:
    """Which scan of its file this is: `number` of `count`, from 1; `name` is what tells it from the others."""

    number: int = 1
    count: int = 1
    name: str = ""

    @property
    def alone(self) -> bool:
        return self.count == 1

    @property
    def label(self) -> str:
        return f"{self.number}: {self.name}" if self.name else f"{self.number}"


@dataclass(frozen=True)
class Scan:
    """One measurement: channels on one geometry. Most files hold one; `part` says which one of a file with more.

    `bias_v` is the sample bias (negative: filled states), `setpoint_a` the current setpoint, `line_time_s` the time of
    one line forward and backward in seconds; each None where the file does not say. `header` is the file's own, as
    read. `notes` are things about this file that the user should see. `calibration` is what a user said about an image
    that brings no size or unit (see stmviewer.files.calibration); None where all that is known is from the file.
    """

    channels: Sequence[Channel]
    geometry: Geometry
    path: Path | None = None
    format: str = ""
    scan_direction: ScanDirection = "down"
    bias_v: float | None = None
    setpoint_a: float | None = None
    line_time_s: tuple[float, float] | None = None
    recorded: str = ""
    comment: str = ""
    header: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()
    provenance: Mapping[str, Any] | None = None
    part: Part = Part()
    calibration: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if not self.channels:
            raise ValueError("a scan needs at least one channel")

    @property
    def name(self) -> str:
        if self.path:
            return self.path.name
        return "simulated scan" if self.format == "simulated" else "untitled"

    def origin(self) -> dict[str, Any]:
        """For provenance: which scan of its file this is, and what of its size is from the user. Mostly nothing."""
        facts: dict[str, Any] = {} if self.part.alone else {"part": self.part.number, "part_name": self.part.name}
        return facts if self.calibration is None else facts | {"calibration": dict(self.calibration)}

    @property
    def channel_names(self) -> list[str]:
        """Channel names in the file's order, each once."""
        return list(dict.fromkeys(c.name for c in self.channels))

    def directions(self, name: str) -> list[Direction]:
        return [c.direction for c in self.channels if c.name == name]

    def channel(self, name: str | None = None, direction: Direction | None = None) -> Channel:
        """The channel of that name (any case) and direction. Without a name: the topography, or else the first one.

        Without a direction: forward where there is one. Raises RequestError that lists what there is.
        """
        return find_channel(self.channels, self.default_channel_name() if name is None else name, direction, self.name)

    def default_channel_name(self) -> str:
        """The topography: a channel in metres that shows the surface, one called Z first; else the first channel."""
        heights = [c for c in self.channels if c.unit == "m" and c.role in ("raw", "processed", "restored")]
        preferred = [c for c in heights if c.name.casefold() in ("z", "topography", "height")] or heights
        return (preferred or list(self.channels))[0].name
