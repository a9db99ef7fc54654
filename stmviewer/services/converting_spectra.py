"""Converting spectra and grids of spectra to tables of numbers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stmviewer.files import read_grid, read_spectrum
from stmviewer.files.curves_csv import save_grid, save_spectrum
from stmviewer.scan import Direction, FileError, Grid, RequestError, Spectrum, Stack
from stmviewer.scan.model import find_channel

#: the formats that hold spectra
SPECTRA_FORMATS = ("csv",)


def convert_spectrum(
    file: Path, path: Path, channel: str | None, direction: Direction | None, facts: Mapping[str, Any]
) -> int:
    """Writes the spectrum in `file`, or the one channel asked for, to the .csv file `path`; returns the channels.

    Raises FileError for another format, and what reading and writing raise.
    """
    if path.suffix not in [f".{form}" for form in SPECTRA_FORMATS]:
        raise FileError(file, "is a spectrum, not an image", f"Spectra are written as {', '.join(SPECTRA_FORMATS)}")
    spectrum = read_spectrum(file)
    curves = [c for c in spectrum.channels if direction in (None, c.direction)]
    if channel is not None:
        asked = find_channel(spectrum.channels, channel, direction, spectrum.name)
        curves = [c for c in curves if c.name == asked.name]
    if not curves:
        raise RequestError(f"{spectrum.name} has no {direction} channel")
    chosen = Spectrum(**{**vars(spectrum), "channels": tuple(curves)})
    save_spectrum(chosen, path, {**facts, "format": spectrum.format})
    return len(curves)


def spectra_of_grid(file: Path, channel: str | None, direction: Direction | None) -> tuple[Grid, list[Stack]] | None:
    """The grid in `file` and the stacks asked for; None where an image of its parameters was asked for.

    Raises RequestError where it has neither.
    """
    grid = read_grid(file)
    stacks = [c for c in grid.channels if direction in (None, c.direction)]
    if channel is not None:
        wanted = channel.casefold()
        stacks = [c for c in stacks if c.name.casefold() == wanted]
        if not stacks and any(image.name.casefold() == wanted for image in grid.parameters):
            return None
    if not stacks:
        there = ", ".join([*(c.label for c in grid.channels), *(image.name for image in grid.parameters)])
        asked = " ".join(filter(None, (channel, direction)))
        raise RequestError(f"{grid.name} has no channel '{asked}'; it has: {there}")
    return grid, stacks


def convert_grid(grid: Grid, stacks: list[Stack], path: Path, facts: Mapping[str, Any]) -> int:
    """Writes the spectra of a grid to the .csv file `path`; returns the channels."""
    save_grid(grid, path, stacks, {**facts, "format": grid.format})
    return len(stacks)
