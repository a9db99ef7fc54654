"""What lists of files say of one file, filter by and sort by: size, bias, date, channels."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from stmviewer.scan import Direction, Scan


@dataclass(frozen=True)
class FileFacts:
    """Facts of the first scan of a file.

    `width_m` and `height_m` are None where the file does not say them; `day` is the day of the recording as
    YYYY-MM-DD, that of the last change where the file has none; `channels` are (name, direction) of what was measured.
    """

    width_m: float | None
    height_m: float | None
    columns: int
    rows: int
    bias_v: float | None
    day: str
    recorded: str
    channels: tuple[tuple[str, Direction], ...]
    parts: int = 1

    @classmethod
    def of(cls, scan: Scan) -> "FileFacts":
        geometry = scan.geometry
        return cls(
            geometry.width if geometry.calibrated else None,
            geometry.height if geometry.calibrated else None,
            geometry.columns,
            geometry.rows,
            scan.bias_v,
            _day(scan),
            scan.recorded,
            tuple((c.name, c.direction) for c in scan.channels if c.role == "raw"),
            scan.part.count,
        )

    @property
    def larger_side_m(self) -> float | None:
        if self.width_m is None or self.height_m is None:
            return None
        return max(self.width_m, self.height_m)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> "FileFacts":
        """Reads what `to_dict` wrote. Raises KeyError, TypeError or ValueError for anything else."""
        channels = tuple((str(name), direction) for name, direction in said["channels"])
        return cls(**{**said, "channels": channels})


def _day(scan: Scan) -> str:
    try:
        return datetime.fromisoformat(scan.recorded).date().isoformat()
    except ValueError:
        return _changed_on(scan.path)


def _changed_on(path: Path | None) -> str:
    try:
        return date.fromtimestamp(path.stat().st_mtime).isoformat() if path is not None else ""
    except (OSError, OverflowError, ValueError):
        return ""
