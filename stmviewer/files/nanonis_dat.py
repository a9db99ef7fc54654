"""Nanonis .dat spectra.

A text: lines `name TAB value TAB`, then `[DATA]`, a line of column titles and one line of numbers a point, all set
apart by tabs. The first column is the swept signal. Backward columns are in the order of the sweep signal, as the
forward ones are. LF and CRLF occur, UTF-8 and Latin-1, fields that are repeated or empty.
"""

import math
from array import array
from collections.abc import Iterator, Mapping
from io import BufferedReader

import numpy as np

from stmviewer.files.nanonis_header import decoded, recorded
from stmviewer.files.nanonis_signals import current_setpoint, number, parse_signal
from stmviewer.files.source import Source
from stmviewer.files.titles import Names
from stmviewer.scan import Curve, FileError, Spectrum

#: no line is longer in a spectrum of thousands of columns
_LONGEST_LINE = 2**20
#: real headers have some ten kilobytes
_LONGEST_HEADER = 8 * 2**20
_DATA = b"[DATA]"
#: what Nanonis writes for a value that is not there
_NO_NUMBER = ("", "n/a", "na", "-")


def read_dat(source: Source) -> Spectrum:
    """Opens a Nanonis spectrum.

    Raises FileError for a file without data, for a line whose cells are not numbers, and for one that has fewer or
    more of them than there are columns. A last line without its end may have been cut within a number: it is left
    out, and a note says so.
    """
    with source.open() as file:
        lines = _lines(source, file)
        header = _header(source, lines)
        titles = _titles(source, lines)
        table, notes = _table(source, lines, len(titles))
    signals = [parse_signal(title) for title in titles]
    names = Names()
    curves = [
        Curve(names.distinct(signal.name, signal.direction), signal.unit, column * signal.factor, signal.direction)
        for signal, column in zip(signals, table.T, strict=True)
    ]
    promised = number(header.get("Bias Spectroscopy>Num Pixel"))
    if promised is not None and promised > len(table):
        notes.append(f"unfinished spectrum: {len(table)} of {promised:.0f} points were measured")
    return Spectrum(
        sweep=curves[0],
        channels=tuple(curves[1:]),
        position=_position(header),
        path=source.path,
        format="Nanonis spectrum",
        experiment=header.get("Experiment", ""),
        bias_v=number(header.get("Bias>Bias (V)")) if "Bias>Bias (V)" in header else number(header.get("Bias (V)")),
        setpoint_a=current_setpoint(header),
        recorded=recorded(header.get("Date") or header.get("Saved Date", ""), ""),
        comment=(header.get("Comment01") or header.get("Comment", "")).strip(),
        header=header,
        notes=tuple(notes),
    )


def _lines(source: Source, file: BufferedReader) -> Iterator[tuple[int, bytes]]:
    """The lines of the file with their numbers from 1, line ends included."""
    number = 0
    while line := file.readline(_LONGEST_LINE):
        number += 1
        if len(line) == _LONGEST_LINE:
            raise FileError(source.path, f"line {number} is longer than {_LONGEST_LINE} bytes: no text of a spectrum")
        yield number, line


def _header(source: Source, lines: Iterator[tuple[int, bytes]]) -> dict[str, str]:
    """The fields before `[DATA]` by name; the first of two same names counts."""
    kept: list[bytes] = []
    length = 0
    for _, line in lines:
        if line.strip() == _DATA:
            fields: dict[str, str] = {}
            # not splitlines(): it also splits at bytes that are letters in Windows' code page
            for text in decoded(b"".join(kept)).split("\n"):
                name, tab, value = text.partition("\t")
                if tab and name.strip():
                    fields.setdefault(name.strip(), value.strip())
            return fields
        kept.append(line)
        length += len(line)
        if length > _LONGEST_HEADER:
            raise FileError(source.path, f"the header has no [DATA] in its first {length} bytes")
    raise FileError(source.path, f"the file is truncated: it ends after {source.size} bytes without [DATA]")


def _titles(source: Source, lines: Iterator[tuple[int, bytes]]) -> list[str]:
    for _, line in lines:
        if line.strip():
            if not line.endswith(b"\n"):
                break
            return [title.strip() for title in decoded(line).strip("\r\n").rstrip("\t").split("\t")]
    raise FileError(source.path, "the file is truncated: it ends before the first line of numbers")


def _table(
    source: Source, lines: Iterator[tuple[int, bytes]], columns: int
) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.float64]], list[str]]:
    """The numbers (points, columns), NaN where a cell is empty, and what to say about them."""
    values = array("d")
    notes = []
    for at, line in lines:
        text = line.decode("latin-1")
        if not text.strip():
            continue
        if not text.endswith("\n"):
            notes.append(f"line {at} has no end: it may be cut off, and was left out")
            break
        cells = text.strip("\r\n").split("\t")
        if len(cells) == columns + 1 and not cells[-1].strip():
            cells.pop()  # a tab after the last number
        if len(cells) != columns:
            raise FileError(source.path, f"line {at} has {len(cells)} values, not one for each of {columns} columns")
        for column, cell in enumerate(cells, start=1):
            values.append(_value(source, cell.strip(), at, column))
    if not values:
        raise FileError(source.path, "the spectrum has no complete point after [DATA]", *notes)
    return np.frombuffer(values).reshape(-1, columns), notes


def _value(source: Source, cell: str, line: int, column: int) -> float:
    try:
        return float(cell)
    except ValueError:
        if cell.casefold() in _NO_NUMBER:
            return math.nan
    try:
        return float(cell.replace(",", ".", 1))  # a computer set to German
    except ValueError:
        raise FileError(source.path, f"line {line}, column {column}: '{cell[:40]}' is not a number") from None


def _position(header: Mapping[str, str]) -> tuple[float, float, float] | None:
    x, y, z = (number(header.get(f"{axis} (m)")) for axis in "XYZ")
    return None if x is None or y is None or z is None else (x, y, z)
