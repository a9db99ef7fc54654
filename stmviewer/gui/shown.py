"""What the window holds of a scan, a mask and a restoration. Prepared inside the jobs, without Qt."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from stmviewer.gui.display import FLAT, SAMPLE_SIDE, Frame, Picture, Plane, display_plane, frame_of, value_range
from stmviewer.gui.mask_words import mask_words
from stmviewer.gui.quantities import duration
from stmviewer.restore import FILE_MASK, Restoration, RestoreRequest, title
from stmviewer.scan import (
    Channel,
    Direction,
    Geometry,
    History,
    Mask,
    Progress,
    RequestError,
    Role,
    Scan,
    make_mask,
)
from stmviewer.scan.levelling import is_levelled
from stmviewer.scan.lines import line_factor, looks_line_sparse, place_lines
from stmviewer.scan.processing.scans import processed
from stmviewer.scan.steps import StepError

_AS_MEASURED, _OWN_GAPS = "as measured", "unmeasured pixels of the file"


@dataclass(frozen=True, eq=False)
class Shown:
    """The channel on show: its picture, the plane that levelling for view takes away, both colour ranges.

    `obstacle` is why it cannot be restored, None when it can.
    """

    scan: Scan
    channel: Channel
    picture: Picture
    plane: Plane
    levelled_limits: tuple[float, float]
    raw_limits: tuple[float, float]
    obstacle: str | None
    #: the steps that made it of what was measured, and that; no steps and None where it was measured so
    history: History = field(default_factory=History)
    measured: "Shown | None" = None

    @property
    def raw(self) -> "Shown":
        """What was measured: itself, or what it was processed from."""
        return self.measured or self

    @classmethod
    def of(cls, scan: Scan, channel: Channel) -> "Shown":
        """Reads the channel if need be; takes up to seconds for the largest, so it belongs into a job."""
        picture = Picture(channel.data, frame_of(scan.geometry))
        plane = display_plane(picture) if levels(channel) else FLAT
        warm(picture)
        return cls(
            scan,
            channel,
            picture,
            plane,
            value_range(picture, plane),
            value_range(picture),
            _obstacle(channel),
        )

    @property
    def line_sparse(self) -> bool:
        return looks_line_sparse(self.scan.geometry)

    @cached_property
    def has_own_gaps(self) -> bool:
        """Whether the file itself says which pixels are to be filled."""
        return self.obstacle is None and (self.line_sparse or self.picture.has_gaps)

    def limits(self, levelled: bool) -> tuple[float, float]:
        return self.levelled_limits if levelled else self.raw_limits

    def offer(self) -> str | None:
        """What the window offers for a scan that was measured in part, in plain words."""
        if not self.has_own_gaps:
            return None
        geometry = self.scan.geometry
        if self.line_sparse:
            square = abs(geometry.width / geometry.height - 1) < 0.02
            over = "the same range" if square else f"{geometry.width * 1e9:.3g} × {geometry.height * 1e9:.3g} nm"
            return (
                f"This scan has {geometry.rows} lines for {geometry.columns} pixels per line over {over} "
                f"({line_factor(geometry):.3g}×)."
            )
        missing = 1 - self.channel.measured_fraction
        return f"{_percent(missing)} of this channel was not measured."


@dataclass(frozen=True)
class StepFault:
    """Which step cannot be done, and why."""

    index: int
    cause: str


def processed_shown(raw: Shown, history: History, progress: Progress) -> Shown | StepFault:
    """What the steps make of a channel as measured. Belongs into a job."""
    try:
        scan, channel = processed(raw.scan, raw.channel, history, progress)
    except StepError as error:
        return StepFault(error.index, error.cause)
    except RequestError as error:
        return StepFault(-1, str(error))
    if channel is raw.channel:
        return raw
    return replace(Shown.of(scan, channel), history=history, measured=raw)


def _obstacle(channel: Channel) -> str | None:
    if channel.role not in ("raw", "processed"):
        return f"this channel was made by a restoration ({channel.role}); choose a measured one"
    return channel.why_not_restorable()


def levels(channel: Channel) -> bool:
    """Whether a first look takes a plane away from it."""
    return channel.role in ("raw", "processed", "restored") and is_levelled(channel.unit)


def warm(picture: Picture) -> None:
    """Computes the reduced image that a whole large scan is drawn from, so that the window need not."""
    factor = 1
    while max(picture.data.shape) / factor > SAMPLE_SIDE:
        factor *= 2
    picture.shrunk(factor, factor)


@dataclass(frozen=True, eq=False)
class ShownMask:
    """A sampling mask and where it lies; `saving` says how long such a measurement would take."""

    mask: Mask
    picture: Picture
    saving: str = ""

    @classmethod
    def of(cls, mask: Mask, frame: Frame, saving: str = "") -> "ShownMask":
        picture = Picture(mask.measured.astype(np.float32), frame)
        warm(picture)
        return cls(mask, picture, saving)

    @property
    def text(self) -> str:
        if self.mask.fraction == 1:
            return "every pixel measured"
        measured = f"{_percent(self.mask.fraction)} measured"
        if self.mask.pattern in (_AS_MEASURED, _OWN_GAPS):
            return measured
        return f"{mask_words(self.mask.pattern).partition(',')[0]}, {measured}"


def preview_mask(shown: Shown, request: RestoreRequest) -> ShownMask:
    """The mask that `request` would restore the shown channel from. Raises RequestError for a bad pattern."""
    geometry, measured = shown.scan.geometry, shown.channel.measured
    if request.task == "repair":
        return ShownMask.of(Mask(measured, _AS_MEASURED), shown.picture.frame)
    if request.mask is None:
        raise RequestError("choose which pixels count as measured")
    if request.mask == FILE_MASK:
        if not shown.has_own_gaps:
            raise RequestError("every pixel of this channel was measured: there are no gaps to fill; choose a pattern")
        if shown.line_sparse:
            placement = place_lines(geometry)
            frame = frame_of(placement.geometry, geometry)
            measured = np.isfinite(placement.spread(shown.channel.data))
            return ShownMask.of(Mask(measured, f"{geometry.rows} lines"), frame)
        return ShownMask.of(Mask(measured, _OWN_GAPS), shown.picture.frame)
    mask = make_mask(request.mask, geometry.rows, geometry.columns, request.seed)
    saving = ""
    if shown.scan.line_time_s is not None:
        whole = sum(shown.scan.line_time_s) * geometry.rows
        part = mask.acquisition_time_s(shown.scan.line_time_s)
        # numbers stay with their units where the line is broken
        times = (duration(time).replace(" ", "\N{NO-BREAK SPACE}") for time in (part, whole))
        saving = "Such a scan would take {} instead of {}.".format(*times)
    if not measured.all():
        mask = Mask(mask.measured & measured, mask.pattern, mask.seed)
    return ShownMask.of(mask, shown.picture.frame, saving)


@dataclass(frozen=True, eq=False)
class Restored:
    """A restoration with its pictures, in the frame of the scan it came from.

    `difference` is restored less raw. Where measured pixels were put back and nothing is known of the others, it is
    that of before, and `differs` is False.
    """

    restoration: Restoration
    mean: Picture
    difference: Picture
    deviation: Picture | None
    took_s: float = 0.0
    differs: bool = True

    @classmethod
    def of(cls, restoration: Restoration, reference: Geometry, took_s: float = 0.0) -> "Restored":
        frame = frame_of(restoration.geometry, reference)
        known = restoration.raw if restoration.truth is None else restoration.truth
        mean = Picture(restoration.mean, frame)
        deviation = None if restoration.deviation is None else Picture(restoration.deviation, frame)
        for picture in (mean, deviation):
            if picture is not None:
                warm(picture)
        request = restoration.request
        differs = restoration.truth is not None or request.task == "repair" or request.trust != "keep"
        difference = mean.minus(known) if differs else Picture(restoration.residual, frame)
        return cls(restoration, mean, difference, deviation, took_s, differs)

    @cached_property
    def inferred(self) -> Picture:
        """1 where what is shown was not measured, 0 where it is as measured."""
        return Picture(self.restoration.inferred.astype(np.float32), self.mean.frame)

    @property
    def title(self) -> str:
        """The method in words, and how hard it tried: `Texture network · simulated, 4 steps, 8 samples`."""
        return ", ".join([_method(self.restoration), *self._effort])

    @property
    def names(self) -> str:
        """The same with the names that command lines and provenance have: `flow-sim, 4 steps, 8 samples`."""
        return ", ".join([self.restoration.mixture or self.restoration.model, *self._effort])

    @property
    def _effort(self) -> list[str]:
        request, parts = self.restoration.request, []
        if request.steps:
            parts.append(f"{request.steps} step" + "s" * (request.steps > 1))
        if request.samples > 1:
            parts.append(f"{request.samples} samples")
        return parts


def _method(result: Restoration) -> str:
    """What restored it; of a mixture, how much of it networks are."""
    methods = result.provenance.get("methods", [])
    if not result.mixture:
        return title(result.model)
    if len(methods) == 1:
        return f"{title(result.model)}: {title(methods[0]['name'])}"
    learned = sum(m["weight"] for m in methods if m["sha256"])
    return f"{title(result.model)}: " + (f"{100 * learned:.0f} % network" if learned else "no network")


@dataclass(frozen=True)
class ChannelWish:
    """The channel that is to be shown of every file that has it; without a name the topography."""

    name: str | None = None
    direction: Direction | None = None
    role: Role = "raw"


def pick_channel(scan: Scan, like: Channel | ChannelWish | None) -> Channel:
    """The channel of `scan` that is most like the one on show before, so that browsing keeps to it; else its first."""
    if like is None:
        return scan.channel()

    def likeness(channel: Channel) -> tuple[bool, bool]:
        return channel.role == like.role, channel.direction == like.direction

    name = like.name or scan.default_channel_name()
    named = [c for c in scan.channels if c.name == name]
    return max(named, key=likeness, default=None) or scan.channel()


def _percent(fraction: float) -> str:
    percent = 100 * fraction
    return f"{percent:.0f} %" if abs(percent - round(percent)) < 0.05 else f"{percent:.1f} %"
