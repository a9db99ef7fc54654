"""A history applied to a channel of a scan: the result is a channel of its own, of a scan with its frame."""

from dataclasses import replace
from functools import partial

from stmviewer.scan.errors import RequestError
from stmviewer.scan.geometry import FloatArray
from stmviewer.scan.model import Channel, Scan
from stmviewer.scan.processing.image import Image
from stmviewer.scan.progress import Progress
from stmviewer.scan.steps import History


def processed(scan: Scan, channel: Channel, history: History, progress: Progress | None = None) -> tuple[Scan, Channel]:
    """The scan with the processed channel beside what was measured, and that channel.

    Where steps change the frame, the channels as measured do not fit any more and are left out. The opposite scan
    direction is there too, worked out when it is first asked for. Without an enabled step both come back as they are.
    Raises StepError, Cancelled, and RequestError for a channel that is no image of the surface.
    """
    if not history.enabled:
        return scan, channel
    if channel.role not in ("raw", "processed"):
        raise RequestError(f"{channel.label} was made by a restoration ({channel.role}); process a measured channel")
    other = opposite(scan, channel)
    partner = other.data if other is not None and history.needs_other_direction else None
    image = history.replay(Image(channel.data, scan.geometry, partner), progress)
    result = Channel(channel.name, channel.unit, image.data, channel.direction, "processed")
    made = [result]
    if other is not None:
        load = partial(_replayed, other, channel, scan, history)
        made.append(Channel(other.name, other.unit, load, other.direction, "processed"))
    # what was processed before and is processed again is told apart by nothing: the later one stands
    kept = [c for c in scan.channels if c.role != "processed"] if image.geometry == scan.geometry else []
    return replace(scan, channels=[*kept, *made], geometry=image.geometry), result


def opposite(scan: Scan, channel: Channel) -> Channel | None:
    """The channel of the same name, role and unit in the other direction."""
    for other in scan.channels:
        same = (other.name, other.role, other.unit) == (channel.name, channel.role, channel.unit)
        if same and other.direction != channel.direction:
            return other
    return None


def _replayed(other: Channel, channel: Channel, scan: Scan, history: History) -> FloatArray:
    partner = channel.data if history.needs_other_direction else None
    if partner is None:
        return history.replay(Image(other.data, scan.geometry)).data
    # the shift between the directions is measured from the one that was asked for
    image = history.replay(Image(channel.data, scan.geometry, other.data))
    assert image.other is not None
    return image.other
