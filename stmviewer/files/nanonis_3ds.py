"""Nanonis .3ds grids.

A text header of lines `name=value` or `name="value"`, closed by `:HEADER_END:`; then, point after point, big-endian
float32: the parameters of the point, and its channels one after the other. The points come line by line, the first
line at the bottom of the frame (its Y is the smallest), each at the centre of its cell. A grid that was stopped ends
after its last point.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stmviewer.files.nanonis_header import decoded, recorded
from stmviewer.files.nanonis_signals import current_setpoint, number, parse_signal
from stmviewer.files.notes import SIZE_UNKNOWN, on_pixels
from stmviewer.files.source import Source
from stmviewer.files.titles import Names
from stmviewer.scan import Channel, Curve, FileError, Geometry, Grid, Scan, Stack

#: real headers have some ten kilobytes
_LONGEST = 8 * 2**20
_END = re.compile(rb"^:HEADER_END:[ \t]*\r?\n", re.MULTILINE)
_DIMENSIONS = re.compile(r"\s*(\d{1,9})\s*[xX]\s*(\d{1,9})\s*")
#: bytes up to which a point is read whole, and that are read at once
_SHORT_POINT, _BLOCK = 64 * 1024, 2**20
#: float64 values that a grid may claim beyond those that its file holds: what is not measured is NaN in memory
_UNMEASURED_FREELY = 16 * 2**20


@dataclass(frozen=True)
class _Layout:
    """Where in the file the points are. `complete` points are whole in it, of rows x columns."""

    source: Source
    start: int
    rows: int
    columns: int
    points: int
    parameters: int
    channels: int
    stride: int

    @property
    def complete(self) -> int:
        return min((self.source.size - self.start) // self.stride, self.rows * self.columns)

    def read(self, skip: int, count: int) -> NDArray[np.float32]:
        """`count` values of each point, after its first `skip`; (rows, columns, count), top line first, NaN unmeasured.

        Short points are read whole, many at once: on a share every seek costs as much as a hundred kilobytes.
        """
        values = np.full((self.rows * self.columns, count), np.nan, dtype=np.float32)
        whole = self.stride <= _SHORT_POINT
        together = _BLOCK // self.stride if whole else 1
        begin, length = (4 * skip, 4 * count)
        block = np.empty((min(together, max(self.complete, 1)), self.stride if whole else length), dtype=np.uint8)
        with self.source.open() as file:
            for point in range(0, self.complete, together):
                piece = block[: min(together, self.complete - point)]
                file.seek(self.start + point * self.stride + (0 if whole else begin))
                if file.readinto(piece.data) != piece.nbytes:
                    raise FileError(self.source.path, f"the file ended early while point {point} was read")
                wanted = piece[:, begin : begin + length] if whole else piece
                values[point : point + len(piece)] = np.ascontiguousarray(wanted).view(">f4")
        return values.reshape(self.rows, self.columns, count)[::-1]


def read_3ds(source: Source) -> Grid:
    """Opens a grid; parameters are read at once, the stack of a channel when it is first asked for.

    Raises FileError for a header that does not say what the data are. A grid that was stopped, or cut, is NaN from
    its first incomplete point on.
    """
    header, start = _read_header(source)
    layout, signals, names = _layout(source, header, start)
    notes = _completeness(layout)
    geometry = _geometry(layout, header, notes)
    values = layout.read(0, layout.parameters)
    measured = np.zeros(layout.rows * layout.columns, dtype=np.bool_)
    measured[: layout.complete] = True
    return Grid(
        channels=_stacks(layout, signals),
        parameters=_parameter_images(names, values),
        sweep=_sweep(layout, header, names, values, notes),
        geometry=geometry,
        measured=measured.reshape(layout.rows, layout.columns)[::-1],
        path=source.path,
        format="Nanonis grid",
        experiment=header.get("Experiment", ""),
        bias_v=number(header.get("Bias>Bias (V)")),
        setpoint_a=current_setpoint(header),
        recorded=recorded(header.get("Start time", ""), ""),
        comment=header.get("Comment", "").strip(),
        header=header,
        notes=tuple(notes),
    )


def parameter_scan(grid: Grid) -> Scan:
    """A grid as a scan: its topography, and what else was measured before each spectrum.

    Settings that are the same at every point, and the position in the plane, are no images of the surface: they are
    left out where others remain.
    """
    if not grid.parameters:
        raise FileError(grid.path or "grid", "the grid has no parameters (field Experiment parameters): no image in it")
    return Scan(
        channels=[c for c in grid.parameters if _shows_the_surface(c)] or grid.parameters,
        geometry=grid.geometry,
        path=grid.path,
        format=grid.format,
        scan_direction="up",
        bias_v=grid.bias_v,
        setpoint_a=grid.setpoint_a,
        recorded=grid.recorded,
        comment=grid.comment,
        header=grid.header,
        notes=(f"images of a grid of spectra, {grid.sweep.data.size} points each", *grid.notes),
    )


def _shows_the_surface(image: Channel) -> bool:
    if image.name in ("X", "Y") or not image.measured.any():
        return False
    return image.name == "Z" or float(np.ptp(image.data[image.measured])) > 0


def _read_header(source: Source) -> tuple[dict[str, str], int]:
    head = source.head(_LONGEST)
    end = _END.search(head)
    if end is None:
        if len(head) < source.size:
            raise FileError(source.path, f"the header has no :HEADER_END: in its first {len(head)} bytes")
        raise FileError(source.path, f"the file is truncated: it ends within its header, after {source.size} bytes")
    fields: dict[str, str] = {}
    for line in decoded(head[: end.start()]).split("\n"):
        name, equals, value = line.partition("=")
        if equals and name.strip():
            fields.setdefault(name.strip(), value.strip().removeprefix('"').removesuffix('"'))
    return fields, end.end()


def _layout(source: Source, header: Mapping[str, str], start: int) -> tuple[_Layout, list[str], list[str]]:
    """The layout, the names of the channels and those of the parameters. Compared with the size of the file."""
    match = _DIMENSIONS.fullmatch(header.get("Grid dim", ""))
    columns, rows = (int(match[1]), int(match[2])) if match else (0, 0)
    if columns < 1 or rows < 1:
        said = header.get("Grid dim")
        raise FileError(source.path, f"field Grid dim says '{(said or '')[:40]}', not columns x rows")
    points = _count(source, header, "Points", least=1)
    parameters = _count(source, header, "# Parameters (4 byte)", least=0)
    size = _count(source, header, "Experiment size (bytes)", least=4)
    signals = _list(header, "Channels")
    if not signals:
        raise FileError(source.path, "the header lists no channels (field Channels)")
    if len(signals) * points * 4 > size:
        raise FileError(
            source.path,
            f"field Experiment size (bytes) says {size}, but {len(signals)} channels of {points} points need "
            f"{len(signals) * points * 4}",
        )
    layout = _Layout(source, start, rows, columns, points, parameters, len(signals), 4 * parameters + size)
    claimed = rows * columns * max(points, parameters)
    if claimed > _UNMEASURED_FREELY + source.size // 4:
        raise FileError(
            source.path,
            f"field Grid dim claims {columns} x {rows} points, of which the file holds {layout.complete}",
            "It is damaged",
        )
    names = _list(header, "Fixed parameters") + _list(header, "Experiment parameters")
    names = names[:parameters] + [f"Parameter {i + 1}" for i in range(len(names), parameters)]
    return layout, signals, names


def _count(source: Source, header: Mapping[str, str], name: str, least: int) -> int:
    text = header.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) >= least):
        said = f"says '{text[:40]}'" if text else "is missing"
        raise FileError(source.path, f"field {name} {said}, not a count of {least} or more")
    return int(text)


def _list(header: Mapping[str, str], name: str) -> list[str]:
    return [word.strip() for word in header.get(name, "").split(";") if word.strip()]


def _completeness(layout: _Layout) -> list[str]:
    total, there = layout.rows * layout.columns, layout.complete
    if there < total:
        return [f"unfinished grid: {there} of {total} points were measured"]
    rest = layout.source.size - layout.start - total * layout.stride
    return [f"{rest} bytes after the last point were ignored"] if rest else []


def _geometry(layout: _Layout, header: Mapping[str, str], notes: list[str]) -> Geometry:
    try:
        numbers = [float(word) for word in header.get("Grid settings", "").split(";")]
    except ValueError:
        numbers = []
    if len(numbers) < 4 or not (np.isfinite(numbers).all() and min(numbers[2:4]) > 0):
        notes.append(f"{SIZE_UNKNOWN} (field Grid settings)")
        return Geometry.of_pixels(layout.rows, layout.columns)
    x, y, width, height = numbers[:4]
    angle = numbers[4] if len(numbers) > 4 else 0.0
    geometry = Geometry(layout.columns, layout.rows, width, height, angle_deg=angle, centre=(x, y))
    notes += on_pixels(geometry)
    return geometry


def _stacks(layout: _Layout, signals: list[str]) -> tuple[Stack, ...]:
    def loader(index: int, factor: float) -> Callable[[], NDArray[Any]]:
        def load() -> NDArray[Any]:
            values = layout.read(layout.parameters + index * layout.points, layout.points)
            return values if factor == 1.0 else values.astype(np.float64) * factor

        return load

    stacks = []
    names = Names()
    for index, text in enumerate(signals):
        signal = parse_signal(text)
        name = names.distinct(signal.name, signal.direction)
        stacks.append(Stack(name, signal.unit, loader(index, signal.factor), signal.direction))
    return tuple(stacks)


def _parameter_images(names: list[str], values: NDArray[np.float32]) -> tuple[Channel, ...]:
    images = []
    distinct = Names()
    for index, text in enumerate(names):
        signal = parse_signal(text)
        with np.errstate(invalid="ignore"):  # a signalling NaN of a damaged file is a NaN like others
            data = values[:, :, index].astype(np.float64) * signal.factor
        images.append(Channel(distinct.distinct(signal.name, "forward"), signal.unit, data))
    return tuple(images)


def _sweep(
    layout: _Layout, header: Mapping[str, str], names: list[str], values: NDArray[np.float32], notes: list[str]
) -> Curve:
    """The swept signal: evenly spaced between the start and end of the first point, or else the number of the point."""
    signal = parse_signal(header.get("Sweep Signal", "") or "Sweep")
    by_name = {name: float(values[-1, 0, i]) for i, name in enumerate(names)}
    start, end = by_name.get("Sweep Start", np.nan), by_name.get("Sweep End", np.nan)
    linear = header.get("Filetype", "Linear").casefold() == "linear"
    if linear and np.isfinite([start, end]).all():
        return Curve(signal.name, signal.unit, np.linspace(start, end, layout.points) * signal.factor)
    why = "start and end of the sweep are unknown" if linear else "the sweep is not evenly spaced"
    notes.append(f"{why}: the sweep counts points")
    return Curve("Point", "", np.arange(layout.points, dtype=np.float64))
