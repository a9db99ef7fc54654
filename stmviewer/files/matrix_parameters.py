"""The parameter files of Omicron Matrix: settings, scales and marks of a whole session, in a chain NAME_0001.mtrx, ...

They are a journal: blocks of settings, changes, scales and, whenever an image was stored, its file name. What counts
for an image is the state at its name. The package access2theMatrix (0.4.4) reads the blocks; what it leaves out is
looked after here: it takes the end of the journal for the state of an image whose name it does not find, and answers
any fault with one text.
"""

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stmviewer.files.source import Source
from stmviewer.scan import FileError, FloatArray

MAGIC = b"ONTMATRX0101"
#: the first block of a file of results, and of a file of parameters
RESULT_TAG, PARAMETER_TAG = b"TLKB", b"ATEM"
#: a session of a long day has some ten megabytes
_MOST_BYTES = 256 * 2**20
_MOST_FILES = 9999
#: the deepest that real files nest blocks is two
_DEEPEST = 8


class Parameters:
    """The state of the microscope when an image was stored."""

    def __init__(self, source: Source, reader: Any) -> None:
        self._source = source
        self._reader = reader

    @property
    def fields(self) -> dict[str, str]:
        """Settings as text, such as `GapVoltageControl.Voltage`: `-1.5 Volt`."""
        found = {}
        for key, value in sorted(self._reader.param.items()):
            if key.startswith("EEPA::") and isinstance(value, list) and len(value) == 2:
                found[key.removeprefix("EEPA::")] = f"{value[0]} {value[1]}".rstrip(" -")
            elif key.startswith("MARK::") and isinstance(value, str):
                found[key.removeprefix("MARK::MTRX.")] = value
        return found

    def _setting(self, name: str) -> Any:
        value = self._reader.param.get(f"EEPA::{name}")
        return value[0] if isinstance(value, list) and value else None

    def number(self, name: str, unit: str = "") -> float | None:
        """A setting that is a finite number, in `unit` where one is given; None otherwise."""
        value, entry = self._setting(name), self._reader.param.get(f"EEPA::{name}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return None
        return None if unit and entry[1] not in (unit, "") else float(value)

    def flag(self, name: str) -> bool:
        """A setting that is on or off; FileError where it is missing."""
        value = self._setting(name)
        if not isinstance(value, bool):
            raise FileError(self._source.path, f"its parameter file does not say {name}")
        return value

    def count(self, name: str, newer: str) -> int:
        """A setting that is a positive count, under the name that newer programs give it too; FileError where not."""
        value = self._setting(name)
        value = self._setting(newer) if value is None else value
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            said = "does not say" if value is None else f"says {str(value)[:20]} for"
            raise FileError(self._source.path, f"its parameter file {said} {name}, a count of pixels")
        return value

    def mark(self, name: str) -> str:
        """What the user has noted, such as SAMPLE_NAME."""
        value = self._reader.param.get(f"MARK::MTRX.{name}")
        return value.strip() if isinstance(value, str) else ""

    def scaled(self, raw: NDArray[Any]) -> FloatArray:
        """Values of the converters (any shape) in the unit of the channel."""
        with np.errstate(all="ignore"):
            values: FloatArray = np.asarray(self._reader._transfer(raw.astype(np.float64)), dtype=np.float64)
        return values

    def channel_unit(self) -> tuple[str, str]:
        """Name and unit of the channel; FileError where nothing says how its values are scaled."""
        channel = self._reader.channel_name
        try:
            probe = self.scaled(np.array([0.0, 1.0]))
            name, unit = (str(text) for text in self._reader.channel_name_and_unit)
        # the package says KeyError, IndexError, TypeError, ValueError, ...
        except Exception as error:
            cause = f"its parameter file does not say how values of channel {channel[:40]} are scaled"
            raise FileError(self._source.path, cause) from error
        if not np.isfinite(probe).all() or probe[0] == probe[1]:
            raise FileError(
                self._source.path, f"the scale of channel {channel[:40]} in its parameter file is no number"
            )
        return name or channel, unit


def read_parameters(source: Source, base: str, channel: str) -> Parameters:
    """The state at the image of `source`, called `BASE--RUN_CYCLE.CHANNEL_mtrx`.

    Raises FileError for files that are missing, damaged, or of another session.
    """
    reader = _reader(channel)
    journal = _journal(source, base)
    at = len(MAGIC)
    wanted = source.path.name.casefold()
    while at < len(journal):
        try:
            at = reader._scan_raw_param(at, journal)
        # the package reads on where a block says it should, and fails in many ways
        except Exception as error:
            cause = f"its parameter file {base}_0001.mtrx is damaged or cut off at byte {at}"
            raise FileError(source.path, cause, "Copy it again from the microscope") from error
        if str(reader.param["BREF"]).casefold() == wanted:
            return Parameters(source, reader)
    raise FileError(
        source.path,
        f"its parameter file {base}_0001.mtrx does not mention it: it is cut off, or of another session, or the image "
        "has another name than it was given",
        "Copy the files of the session together, under their own names",
    )


def _journal(source: Source, base: str) -> bytes:
    """The parameter files of a session, one after the other."""
    pieces: list[bytes] = []
    total = 0
    for number in range(1, _MOST_FILES + 1):
        path = source.path.with_name(f"{base}_{number:04d}.mtrx")
        if not path.is_file():
            break
        try:
            part = Source.of(path)
            total += part.size
            content = part.head(part.size) if total <= _MOST_BYTES else b""
        except FileError as error:
            raise FileError(source.path, f"its parameter file {path.name}: {error.cause}", error.advice) from error
        if total > _MOST_BYTES:
            raise FileError(source.path, f"its parameter files are larger than {_MOST_BYTES} bytes")
        if not content.startswith(MAGIC) or content[len(MAGIC) :].startswith(RESULT_TAG):
            raise FileError(source.path, f"{path.name} beside it is not a parameter file of Omicron Matrix")
        pieces.append(content if number == 1 else content[len(MAGIC) :])
    if not pieces:
        raise FileError(
            source.path,
            f"its parameter file {base}_0001.mtrx is not in the same folder",
            "Copy it there: it holds the size of the image and the scale of its values",
        )
    return b"".join(pieces)


def _reader(channel: str) -> Any:
    """The parser of access2theMatrix, that does not go as deep as damaged blocks ask it to."""
    from access2thematrix import MtrxData

    class Reader(MtrxData):  # type: ignore[misc]
        depth = 0

        def _scan_raw_param(self, dp: int, data: bytes) -> int:
            self.depth += 1
            if self.depth > _DEEPEST:
                raise ValueError("blocks are nested too deeply")
            try:
                return int(super()._scan_raw_param(dp, data))
            finally:
                self.depth -= 1

    reader = Reader()
    reader.channel_name = channel
    return reader


def package_version() -> str:
    """The version of the package that reads the blocks."""
    import access2thematrix

    return str(access2thematrix.__version__)


def moment(seconds: int) -> str:
    """A time in seconds since 1970 as ISO 8601, in UTC; nothing for what is no time."""
    try:
        return (
            datetime.fromtimestamp(seconds, UTC).isoformat(sep=" ").removesuffix("+00:00") + " UTC" if seconds else ""
        )
    except (ValueError, OverflowError, OSError):
        return ""


def parameter_neighbours(path: Path) -> list[str]:
    """Images beside a parameter file, to name in an error."""
    base = path.name.rpartition("_")[0].casefold()
    try:
        names = sorted(p.name for p in path.parent.iterdir() if p.name.casefold().startswith(f"{base}--"))
    except OSError:
        return []
    return [name for name in names if "(" not in name][:3]
