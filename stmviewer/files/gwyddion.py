"""Reads Gwyddion .gwy files.

A file holds numbered data blocks, `/N/data`, each with a size of its own, a title, a mask and metadata. A Scan has one
geometry: blocks that share a frame are the channels of one scan, and a file with several frames holds several scans.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stmviewer.files import gwy_keys as keys
from stmviewer.files.gwy_format import GwyObject, StoredArray, read_tree, strings
from stmviewer.files.nanonis_header import recorded
from stmviewer.files.notes import SIZE_UNKNOWN, on_pixels
from stmviewer.files.provenance import from_json
from stmviewer.files.source import Source
from stmviewer.files.titles import Names, as_direction, as_role, parse_title
from stmviewer.files.units import quantity_in, si_unit
from stmviewer.scan import Channel, FileError, Geometry, Part, Scan

_DATA = re.compile(r"/(\d{1,9})/data")


def read_gwy(source: Source) -> tuple[Scan, ...]:
    """Opens a .gwy file: the scans in it, the one with the first block first; data are read when first asked for.

    Raises FileError for a damaged file and for one that holds no image. Masks count as unmeasured pixels only where
    stmviewer wrote them: a mask that somebody drew in Gwyddion marks whatever they wanted it to.
    """
    root = read_tree(source)
    numbers = sorted({int(m[1]) for key in root.items if (m := _DATA.fullmatch(key))})
    if not numbers:
        raise FileError(source.path, "the Gwyddion file holds no image")
    groups: dict[tuple[Any, ...], list[_Block]] = {}
    frames: dict[tuple[Any, ...], list[Geometry]] = {}
    for number in numbers:
        block = _Block(source, root, number)
        # few blocks share a number of pixels, so that of many few are compared
        coarse = (block.geometry.shape, block.geometry.unit, block.meta.get(keys.PART, ""))
        known = frames.setdefault(coarse, [])
        frame = next((k for k, one in enumerate(known) if _same_frame(one, block.geometry)), len(known))
        if frame == len(known):
            known.append(block.geometry)
        groups.setdefault((*coarse, frame), []).append(block)
    return tuple(_scan(source, blocks, k, len(groups)) for k, blocks in enumerate(groups.values(), start=1))


def _scan(source: Source, blocks: list["_Block"], number: int, count: int) -> Scan:
    """The scan of blocks that share a frame; the metadata of the first one count."""
    first = blocks[0]
    names = Names()
    channels = [block.channel(names) for block in blocks]
    notes = [first.size_note] if first.size_note else on_pixels(first.geometry)
    if masked := [c.label for c, block in zip(channels, blocks, strict=True) if block.has_foreign_mask]:
        notes.append(f"masks from Gwyddion do not count as unmeasured pixels: {_listed(masked)}")
    meta = first.meta
    header = {key.removeprefix(keys.HEADER): text for key, text in meta.items() if key.startswith(keys.HEADER)}
    return Scan(
        channels=tuple(channels),
        geometry=replace(first.geometry, angle_deg=quantity_in(meta.get(keys.ANGLE, ""), "deg") or 0.0),
        path=source.path,
        format="Gwyddion",
        scan_direction="up" if meta.get(keys.SCAN_DIRECTION) == "up" else "down",
        bias_v=quantity_in(meta.get(keys.BIAS, ""), "V"),
        setpoint_a=quantity_in(meta.get(keys.SETPOINT, ""), "A"),
        line_time_s=_line_time(meta),
        recorded=meta.get(keys.RECORDED) or recorded(meta.get("Date", ""), meta.get("Time", "")),
        comment=meta.get(keys.COMMENT, ""),
        header=header or {key: text for key, text in meta.items() if not key.startswith(keys.OWN)},
        notes=tuple(notes),
        provenance=next(filter(None, (from_json(block.meta.get(keys.PROVENANCE)) for block in blocks)), None),
        part=Part(number, count, meta.get(keys.PART) or f"{channels[0].name}, {first.geometry.in_words()}"),
    )


class _Block:
    """One numbered data block of a file."""

    def __init__(self, source: Source, root: GwyObject, number: int) -> None:
        self._source = source
        key = f"/{number}/data"
        self._field = self._field_at(root, key)
        mask_key = f"/{number}/mask"
        self._mask = self._field_at(root, mask_key) if isinstance(root.items.get(mask_key), GwyObject) else None
        title = root.items.get(f"{key}/title")
        self.title = title if isinstance(title, str) else ""
        meta = root.items.get(f"/{number}/meta")
        self.meta = strings(meta.items) if isinstance(meta, GwyObject) else {}
        self.rows, self.columns, self._values = self._stored(key, self._field)
        self.geometry, self.size_note = self._frame()

    @property
    def has_foreign_mask(self) -> bool:
        return self._mask is not None and self.meta.get(keys.MASK) != keys.UNMEASURED

    def channel(self, names: Names) -> Channel:
        """The image as a channel; what stmviewer wrote about it counts before what its title says."""
        name, direction, role = parse_title(self.title)
        name = self.meta.get(keys.NAME, name)
        direction = as_direction(self.meta.get(keys.DIRECTION)) or direction
        role = as_role(self.meta.get(keys.ROLE)) or role
        unit, factor = si_unit(_unit(self._field, "si_unit_z"))
        unmeasured: StoredArray | None = None
        if self._mask is not None and not self.has_foreign_mask:
            rows, columns, unmeasured = self._stored("its mask", self._mask)
            if (rows, columns) != (self.rows, self.columns):
                raise FileError(self._source.path, f"the mask of '{self.title}' has another size than its image")

        def load() -> NDArray[Any]:
            image = self._read(self._values) * factor if factor != 1.0 else self._read(self._values)
            if unmeasured is not None:
                image = np.where(self._read(unmeasured) > 0.5, np.nan, image)
            return image

        def load_lines(which: range) -> NDArray[Any]:
            image = self._read_lines(self._values, which) * factor
            if unmeasured is not None:
                image = np.where(self._read_lines(unmeasured, which) > 0.5, np.nan, image)
            return image

        return Channel(names.distinct(name, direction, role), unit, load, direction, role, load_lines)

    def _read_lines(self, stored: StoredArray, which: range) -> NDArray[Any]:
        return self._source.lines(stored.offset, stored.dtype, self.columns, which)

    def _read(self, stored: StoredArray) -> NDArray[Any]:
        return self._source.array(stored.offset, stored.dtype, stored.count).reshape(self.rows, self.columns)

    def _field_at(self, root: GwyObject, key: str) -> GwyObject:
        field = root.items[key]
        if not isinstance(field, GwyObject) or field.type_name != "GwyDataField":
            raise FileError(self._source.path, f"the Gwyddion file is damaged: {key} is not an image")
        return field

    def _stored(self, key: str, field: GwyObject) -> tuple[int, int, StoredArray]:
        columns, rows, values = (field.items.get(name) for name in ("xres", "yres", "data"))
        if not (isinstance(columns, int) and isinstance(rows, int) and columns > 0 and rows > 0):
            raise FileError(self._source.path, f"the Gwyddion file is damaged: {key} has no pixels")
        if not isinstance(values, StoredArray) or values.dtype != "<f8" or values.count != rows * columns:
            there = values.count if isinstance(values, StoredArray) else 0
            cause = f"{key} has {there} values for {columns} x {rows} pixels"
            raise FileError(self._source.path, f"the Gwyddion file is damaged: {cause}")
        return rows, columns, values

    def _frame(self) -> tuple[Geometry, str]:
        """The frame, and what to tell the user about it. Gwyddion keeps the corner, centre less half the size."""
        in_pixels = Geometry.of_pixels(self.rows, self.columns)
        unit, factor = si_unit(_unit(self._field, "si_unit_xy"))
        values = [self._field.items.get(name, 0.0) for name in ("xreal", "yreal", "xoff", "yoff")]
        width, height, left, top = (float(v) * factor if isinstance(v, float | int) else math.nan for v in values)
        if unit != "m":
            known = unit in ("", "px") and (width, height) in ((self.columns, self.rows), (1.0, 1.0))
            no_length = f"its size is not a length (unit '{unit}'); lengths are in pixels"
            return in_pixels, SIZE_UNKNOWN if known else no_length
        if not (math.isfinite(width) and math.isfinite(height) and width > 0 and height > 0):
            return in_pixels, SIZE_UNKNOWN
        centre = (left + width / 2, top + height / 2)
        if not (math.isfinite(centre[0]) and math.isfinite(centre[1])):
            centre = (0.0, 0.0)
        return Geometry(self.columns, self.rows, width, height, centre=centre), ""


def _unit(field: GwyObject, key: str) -> str:
    unit = field.items.get(key)
    text = unit.items.get("unitstr") if isinstance(unit, GwyObject) else None
    return text if isinstance(text, str) else ""


def _line_time(meta: Mapping[str, str]) -> tuple[float, float] | None:
    forward, backward = (quantity_in(meta.get(key, ""), "s") for key in keys.LINE_TIMES)
    return None if forward is None or backward is None else (forward, backward)


def _same_frame(one: Geometry, other: Geometry) -> bool:
    """Whether two images lie pixel on pixel, to a hundredth of one."""
    if (one.shape, one.unit) != (other.shape, other.unit):
        return False
    across, down = one.pixel_width / 100, one.pixel_height / 100
    return (
        abs(one.width - other.width) < across
        and abs(one.height - other.height) < down
        and abs(one.centre[0] - other.centre[0]) < across
        and abs(one.centre[1] - other.centre[1]) < down
    )


def _listed(names: Sequence[str], most: int = 6) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
