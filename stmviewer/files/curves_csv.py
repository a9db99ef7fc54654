"""CSV files of spectra: a table that spreadsheets and `pandas.read_csv(file, comment="#")` read.

The lines at the top begin with `#` and say what it is; then the titles of the columns, then one line a point of the
sweep, all in SI units, empty where the file has no value. The first column is the swept signal. A grid is one table
too, spectrum after spectrum from the top left, with row, column and place of the tip before each point.
"""

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

import stmviewer
from stmviewer.files.provenance import to_json
from stmviewer.files.units import shown_quantity
from stmviewer.files.writing import Origin, export
from stmviewer.scan import Curve, FileError, Grid, Spectrum, Stack

#: a spreadsheet takes a million lines; what is far beyond no editor opens and takes minutes to write
_MOST_LINES = 20_000_000


def save_spectrum(spectrum: Spectrum, path: Path, provenance: Mapping[str, Any] | None = None) -> Path:
    """Writes every curve of a spectrum; returns the file written. Raises FileError as `save_scan` does."""

    def write(file: BinaryIO) -> None:
        _comment(file, spectrum, provenance)
        curves = (spectrum.sweep, *spectrum.channels)
        _lines(file, [_titles(spectrum.sweep, spectrum.channels)])
        _lines(file, zip(*(map(_number, curve.data.tolist()) for curve in curves), strict=True))

    return export(Origin(spectrum.path, provenance), path, write)


def save_grid(grid: Grid, path: Path, stacks: Sequence[Stack], provenance: Mapping[str, Any] | None = None) -> Path:
    """Writes the spectra of `stacks` of a grid, point after point; returns the file written.

    Spectra that were not measured are left out. Raises FileError as `save_scan` does, and for a grid of over 20
    million points.
    """
    lines = int(grid.measured.sum()) * grid.sweep.data.size
    if lines > _MOST_LINES:
        raise FileError(path, f"the grid would become {lines} lines of text; {_MOST_LINES} are the most")

    def write(file: BinaryIO) -> None:
        _comment(file, grid, provenance)
        _lines(file, [["row", "column", "x (m)", "y (m)", *_titles(grid.sweep, stacks)]])
        _lines(file, _grid_lines(grid, stacks))

    return export(Origin(grid.path, provenance), path, write)


def _grid_lines(grid: Grid, stacks: Sequence[Stack]) -> Iterator[list[str]]:
    sweep = list(map(_number, grid.sweep.data.tolist()))
    x, y = _places(grid)
    for row, column in np.argwhere(grid.measured).tolist():
        before = [str(row), str(column), _number(x[row, column]), _number(y[row, column])]
        curves = [map(_number, stack.data[row, column].tolist()) for stack in stacks]
        for swept, *values in zip(sweep, *curves, strict=True):
            yield [*before, swept, *values]


def _places(grid: Grid) -> tuple[Any, Any]:
    """Where the tip stood, (rows, columns) each: as the file says, or else NaN."""
    by_name = {image.name.casefold(): image.data for image in grid.parameters}
    unknown = np.full(grid.geometry.shape, np.nan)
    return by_name.get("x", unknown), by_name.get("y", unknown)


def _comment(file: BinaryIO, measured: Spectrum | Grid, provenance: Mapping[str, Any] | None) -> None:
    said = [
        f"stmviewer {stmviewer.__version__}",
        f"file: {measured.name}",
        f"experiment: {measured.experiment}" if measured.experiment else "",
        f"recorded: {measured.recorded}" if measured.recorded else "",
    ]
    if isinstance(measured, Spectrum) and measured.position is not None:
        said.append(f"position_m: {' '.join(map(_number, measured.position))}")
    if measured.bias_v is not None:
        said.append(f"bias: {shown_quantity(measured.bias_v, 'V', 6)}")
    if measured.setpoint_a is not None:
        said.append(f"setpoint: {shown_quantity(measured.setpoint_a, 'A', 6)}")
    said += [f"note: {note}" for note in measured.notes]
    if provenance is not None:
        said.append(f"provenance: {to_json(provenance, ascii_only=True)}")
    for line in filter(None, said):
        # a line end in a name or comment would begin a line of numbers
        file.write(f"# {' '.join(line.splitlines())}\n".encode(errors="replace"))


def _titles(sweep: Curve, channels: Sequence[Curve | Stack]) -> list[str]:
    return [_title(sweep.name, sweep.unit), *(_title(channel.label, channel.unit) for channel in channels)]


def _title(label: str, unit: str) -> str:
    return f"{' '.join(label.split())} ({unit})" if unit else " ".join(label.split())


def _number(value: float) -> str:
    """The shortest text that reads back the same; empty for what was not measured."""
    return repr(float(value)) if math.isfinite(value) else ""


def _lines(file: BinaryIO, rows: Iterable[Iterable[str]]) -> None:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    for row in rows:
        table.writerow(row)
        if text.tell() > 2**20:
            file.write(text.getvalue().encode(errors="replace"))
            text.seek(0)
            text.truncate()
    file.write(text.getvalue().encode(errors="replace"))
