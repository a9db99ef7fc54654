"""From a scan and a request to the image that is restored: which pixels are given, which are hidden, on what frame."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from stmviewer.restore.filling import fill, sharp_fill
from stmviewer.restore.request import FILE_MASK, RestoreRequest
from stmviewer.scan import BoolArray, Channel, FileError, FloatArray, Geometry, Mask, RequestError, Scan, make_mask
from stmviewer.scan.levelling import Plane, find_plane
from stmviewer.scan.lines import LinePlacement, looks_line_sparse, place_lines


@dataclass(frozen=True)
class Case:
    """What is given to a restoration, in the channel's unit; arrays (rows, columns) on `geometry`.

    `raw` is NaN where nothing is given; `truth` is the whole channel when part of it was hidden on purpose.
    `placement` and `lines` are set for scans with fewer lines, whose lines may lie between rows.
    """

    raw: FloatArray
    mask: Mask
    geometry: Geometry
    truth: FloatArray | None = None
    placement: LinePlacement | None = None
    lines: FloatArray | None = None

    def guess(self) -> FloatArray:
        """`raw` with its gaps filled by interpolation, lines from their true positions; always a new array."""
        if self.placement is not None and self.lines is not None and np.isfinite(self.lines).all():
            return self.placement.between_lines(self.lines)
        return self._levelled(fill)

    def sharp_guess(self) -> FloatArray:
        """The same by cubic splines where the mask allows it."""
        if self.placement is not None and self.lines is not None and np.isfinite(self.lines).all():
            return self.placement.between_lines(self.lines, cubic=True)
        return self._levelled(sharp_fill)

    @cached_property
    def _plane(self) -> Plane:
        return find_plane(self.raw, self.mask.measured)

    def _levelled(self, method: Callable[[FloatArray, BoolArray], FloatArray]) -> FloatArray:
        # averages of scattered pixels do not follow a slope: a tilted sample would be filled with noise
        if self.mask.measured.all():
            return np.array(self.raw)
        filled = method(self._plane.taken_from(self.raw), self.mask.measured)
        self._plane.add_to(filled)
        np.copyto(filled, self.raw, where=self.mask.measured)
        return filled

    def residual(self, image: FloatArray) -> FloatArray:
        """image - measurement where there is one, NaN elsewhere; lines between rows are compared where they lie."""
        if self.placement is None or self.lines is None:
            found: FloatArray = image - self.raw
            np.copyto(found, np.nan, where=~self.mask.measured)
            return found
        return self.placement.spread(self.placement.at_lines(image) - self.lines)


def load_mask(path: Path, shape: tuple[int, int]) -> Mask:
    """A mask from `mask.npz` (key `measured`) or a boolean `.npy`; raises FileError when it does not fit.

    Arrays of numbers are masks too: measured is what is neither zero nor NaN.
    """
    try:
        with path.open("rb") as file:
            content = np.load(file, allow_pickle=False)
            if isinstance(content, np.ndarray):
                measured, pattern, seed = content, path.name, 0
            else:
                measured = content["measured"]
                pattern = str(content["pattern"]) if "pattern" in content else path.name
                seed = int(content["seed"]) if "seed" in content else 0
    except FileNotFoundError as error:
        raise FileError(path, "there is no such file", "Give a pattern such as lines:4, or a mask.npz") from error
    except KeyError as error:
        raise FileError(path, "there is no array 'measured' in it", "Make one with stmviewer mask") from error
    except Exception as error:  # damaged files fail in many ways: in zipfile, zlib, tokenize, ast and numpy
        cause = (str(error) or type(error).__name__).splitlines()[0]
        raise FileError(
            path, f"this is not a mask ({cause})", "Give a pattern such as lines:4, or a mask.npz"
        ) from error
    if measured.dtype.kind not in "biuf":
        raise FileError(path, f"the mask holds {measured.dtype}, not true and false", "Make one with stmviewer mask")
    if measured.shape != shape:
        have = " x ".join(map(str, measured.shape[::-1]))
        raise FileError(path, f"the mask has {have} pixels, the scan {shape[1]} x {shape[0]}", "Make one of that size")
    mask = Mask(np.nan_to_num(measured).astype(np.bool_), pattern, seed)
    if not mask.measured.any():
        raise FileError(path, "the mask measures nothing", "At least a few pixels must be measured")
    return mask


def prepare(scan: Scan, channel: Channel, request: RestoreRequest) -> Case:
    """The case of a request. Raises RequestError when the channel cannot be restored or the mask does not fit."""
    reason = channel.why_not_restorable()
    if reason:
        others = ", ".join(n for n in scan.channel_names if n != channel.name)
        advice = f". Other channels of this scan: {others}" if others else ""
        raise RequestError(f"{scan.name}: {channel.label} cannot be restored: {reason}{advice}")
    if request.task == "repair":
        return Case(channel.data, Mask(channel.measured, "as measured"), scan.geometry)
    if request.mask is None:
        if channel.measured.all() and not looks_line_sparse(scan.geometry):
            raise RequestError(
                f"{scan.name}: {channel.label} is fully measured: choose a mask such as lines:4 to hide a part "
                "of it and test, or the task repair"
            )
        return _own_gaps(scan, channel)
    if request.mask == FILE_MASK:
        return _own_gaps(scan, channel)
    return _hidden(scan, channel, request.mask, request.seed)


def _own_gaps(scan: Scan, channel: Channel) -> Case:
    if looks_line_sparse(scan.geometry):
        placement = place_lines(scan.geometry)
        raw = placement.spread(channel.data)
        measured = np.isfinite(raw)
        mask = Mask(measured, f"{scan.geometry.rows} lines of the file")
        return Case(raw, mask, placement.geometry, placement=placement, lines=channel.data)
    if channel.measured.all():
        raise RequestError(
            f"{scan.name}: {channel.label} has neither unmeasured pixels nor fewer lines than its range: "
            "the mask 'file' leaves nothing to restore"
        )
    return Case(channel.data, Mask(channel.measured, "unmeasured pixels of the file"), scan.geometry)


def _hidden(scan: Scan, channel: Channel, mask: str, seed: int) -> Case:
    shape = scan.geometry.shape
    is_file = mask.lower().endswith((".npz", ".npy"))
    try:
        chosen = load_mask(Path(mask), shape) if is_file else make_mask(mask, *shape, seed)
    except RequestError as error:
        raise RequestError(f"{error}; or 'file' for the scan's own gaps, or a mask.npz") from error
    given: BoolArray = chosen.measured & channel.measured
    if given.sum() < 16:
        raise RequestError(f"{scan.name}: mask '{mask}' leaves {int(given.sum())} measured pixels; 16 is the least")
    raw = np.where(given, channel.data, np.nan)
    return Case(raw, replace(chosen, measured=given), scan.geometry, truth=channel.data)
