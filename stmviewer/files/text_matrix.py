"""Text files with a matrix of numbers: CSV of any separator, what `convert` writes, ASCII exports of Gwyddion.

One line of the file is one line of the image, from the top down. Lines that begin with `#` are comments. Our own
(see `csv_text`) say everything; those of Gwyddion ("Data matrix" with the comment box ticked) are four lines, in the
language of its user: title, width, height, unit of the values, such as

    # Channel: Z (Forward)
    # Width: 50.00 nm
    # Height: 50.00 nm
    # Value units: m
"""

import io
from array import array
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import BinaryIO

import numpy as np

from stmviewer.files.nanonis_header import decoded
from stmviewer.files.notes import SIZE_UNKNOWN, on_pixels
from stmviewer.files.number_lines import FEWEST_COLUMNS, Dialect, dialect_of
from stmviewer.files.plain import UNCALIBRATED_NAME, check_image
from stmviewer.files.provenance import from_json
from stmviewer.files.source import Source
from stmviewer.files.titles import parse_title
from stmviewer.files.units import parse_quantity, quantity_in, si_unit
from stmviewer.scan import Channel, FileError, FloatArray, Geometry, Scan

#: a line of an image of 16384 pixels in full precision, and more than that
_LONGEST_LINE = 2**20
_MOST_COMMENTS = 10_000
#: what `write_csv` begins with
_OWN = "stmviewer "


def read_text(source: Source) -> Scan:
    """Opens a matrix of numbers; empty cells and `nan` are not measured.

    Raises FileError that names the line for cells that are no numbers and for lines of unequal length, and for a
    table that is a curve or a list of points.
    """
    comments: list[str] = []
    with source.open() as file:
        values, columns, first = _numbers(source, file, comments)
    rows = len(values) // columns
    check_image(source, (rows, columns), np.dtype(np.float64))
    if columns < FEWEST_COLUMNS and rows > columns:
        raise FileError(
            source.path,
            f"is a table of {columns} columns and {rows} lines, from line {first} on: a curve or a list of points, "
            "not an image",
            "A list of x, y and z can be made an image with Gwyddion (Data > Regularization)" if columns == 3 else "",
        )
    image = np.frombuffer(values).reshape(rows, columns)
    fields = _own_fields(comments)
    return _own_scan(source, image, fields) if fields is not None else _foreign_scan(source, image, comments)


def is_ours(source: Source) -> bool:
    """Whether stmviewer wrote the file."""
    return source.head(64).startswith(f"# {_OWN}".encode())


def _lines(source: Source, file: BinaryIO) -> Iterator[tuple[int, str]]:
    """The lines of the file with their numbers from 1; UTF-16 where its mark says so, else bytes as they are."""
    mark = file.read(2)
    file.seek(0)
    encoding = "utf-16" if mark in (b"\xff\xfe", b"\xfe\xff") else "latin-1"
    text = io.TextIOWrapper(file, encoding=encoding, errors="replace", newline=None)
    try:
        number = 0
        while line := text.readline(_LONGEST_LINE):
            number += 1
            if len(line) == _LONGEST_LINE:
                raise FileError(source.path, f"line {number} is longer than {_LONGEST_LINE} characters: no image")
            yield number, line
    finally:
        text.detach()  # the file is closed by who opened it


def _numbers(source: Source, file: BinaryIO, comments: list[str]) -> tuple["array[float]", int, int]:
    """All numbers one after the other, how many a line has, and the line that they begin in."""
    values = array("d")
    dialect: Dialect | None = None
    columns = first = 0
    for number, line in _lines(source, file):
        start = line.lstrip("\ufeff \t").removeprefix("\xef\xbb\xbf")
        if start.startswith("#"):
            if len(comments) < _MOST_COMMENTS:
                comments.append(_utf8(start[1:].strip()))
        elif start.strip():
            if dialect is None:
                dialect, first = dialect_of(start), number
                if dialect is None:
                    raise FileError(source.path, f"line {number} is not a line of numbers: '{start.strip()[:40]}'")
                columns = len(dialect.cells(start))
            _append(source, values, dialect, start, number, columns)
    if not values:
        raise FileError(source.path, "the text holds no line of numbers")
    return values, columns, first


def _append(source: Source, values: "array[float]", dialect: Dialect, line: str, number: int, columns: int) -> None:
    cells = dialect.cells(line)
    if len(cells) != columns:
        raise FileError(
            source.path,
            f"line {number} has {len(cells)} values, not {columns} as the first one (set apart by {dialect.in_words}): "
            "no image, or a file that is cut off",
        )
    try:
        values.extend(map(float, cells))  # most files; the general way takes three times as long
        return
    except ValueError:
        del values[len(values) - len(values) % columns :]
    for column, cell in enumerate(cells, start=1):
        try:
            values.append(dialect.value(cell))
        except ValueError:
            cause = f"line {number}, column {column}: '{cell.strip()[:40]}' is not a number"
            raise FileError(source.path, cause) from None


def _utf8(text: str) -> str:
    """A comment that was read as Latin-1, in UTF-8 where it is that."""
    try:
        return decoded(text.encode("latin-1"))
    except UnicodeEncodeError:  # it was UTF-16
        return text


def _own_fields(comments: list[str]) -> dict[str, str] | None:
    """The fields of a file that `convert` wrote; None for a file from elsewhere."""
    if not comments or not comments[0].startswith(_OWN):
        return None
    fields: dict[str, str] = {}
    for line in comments[1:]:
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name.strip(), value.strip())
    return fields if "columns" in fields and "rows" in fields else None


def _own_scan(source: Source, image: FloatArray, fields: Mapping[str, str]) -> Scan:
    rows, columns = image.shape
    if (fields["rows"], fields["columns"]) != (str(rows), str(columns)):
        said = f"{fields['columns'][:20]} x {fields['rows'][:20]}"
        raise FileError(
            source.path, f"it says that it has {said} pixels, but there are {columns} x {rows}", "Is it cut?"
        )
    name, direction, role = parse_title(fields.get("channel", UNCALIBRATED_NAME))
    unit = fields.get("unit", "")
    geometry, notes = _own_geometry(rows, columns, fields)
    return Scan(
        channels=(Channel(name, "" if unit == "none" else unit, image, direction, role),),
        geometry=geometry,
        path=source.path,
        format="stmviewer CSV",
        bias_v=quantity_in(fields.get("bias", ""), "V"),
        setpoint_a=quantity_in(fields.get("setpoint", ""), "A"),
        notes=notes,
        provenance=from_json(fields.get("provenance")),
    )


def _own_geometry(rows: int, columns: int, fields: Mapping[str, str]) -> tuple[Geometry, tuple[str, ...]]:
    def number(text: str) -> float:
        try:
            return float(text)
        except ValueError:
            return np.nan

    width, height = number(fields.get("width_m", "")), number(fields.get("height_m", ""))
    if not (np.isfinite([width, height]).all() and min(width, height) > 0):
        return Geometry.of_pixels(rows, columns), (SIZE_UNKNOWN,)
    centre = [number(text) for text in fields.get("centre_m", "").split()]
    x, y = centre if len(centre) == 2 and np.isfinite(centre).all() else (0.0, 0.0)
    angle = number(fields.get("angle_deg", "0"))
    angle = angle if np.isfinite(angle) else 0.0
    geometry = Geometry(columns, rows, width, height, angle_deg=angle, centre=(x, y))
    return geometry, tuple(on_pixels(geometry))


def _foreign_scan(source: Source, image: FloatArray, comments: list[str]) -> Scan:
    rows, columns = image.shape
    said = _gwyddion(comments)
    if said is None:
        geometry, name, unit, notes = Geometry.of_pixels(rows, columns), UNCALIBRATED_NAME, "", [SIZE_UNKNOWN]
        direction, role = parse_title(name)[1:]
    else:
        title, width, height, unit = said
        geometry = Geometry(columns, rows, width, height)
        name, direction, role = parse_title(title or UNCALIBRATED_NAME)
        notes = on_pixels(geometry)
    unit, factor = si_unit(unit)
    return Scan(
        channels=(Channel(name, unit, image * factor if factor != 1 else image, direction, role),),
        geometry=geometry,
        path=source.path,
        format="text" if said is None else "text by Gwyddion",
        comment="\n".join(comments[:20]) if said is None else "",
        notes=tuple(notes),
    )


def _gwyddion(comments: list[str]) -> tuple[str, float, float, str] | None:
    """Title, width, height in m and unit, as Gwyddion writes them: known by two lengths in a row."""
    texts = [line.partition(":")[2].strip() for line in comments]
    lengths = [parse_quantity(text) for text in texts]
    for k, (width, height) in enumerate(pairwise(lengths)):
        if width and height and width[1] == height[1] == "m" and min(width[0], height[0]) > 0:
            unit = texts[k + 2] if k + 2 < len(texts) else ""
            return texts[k - 1] if k else "", width[0], height[0], unit if len(unit) < 20 else ""
    return None
