"""Profiles along lines across a scan."""

from collections.abc import Sequence

import numpy as np

from stmviewer.scan.errors import RequestError
from stmviewer.scan.geometry import FloatArray
from stmviewer.scan.model import Channel, Scan
from stmviewer.scan.spectrum import Curve, Spectrum

Place = tuple[float, float]


def line_profile(
    scan: Scan, channels: Sequence[Channel], start: Place, end: Place, *, width: float = 0.0, points: int | None = None
) -> Spectrum:
    """The values of `channels` along a straight line, as curves over the distance from its start.

    `start` and `end` are (x, y) from the top left corner of the scan, x to the right and y down, in metres (pixels
    where the scan has no scale). Values are linear between pixel centres, NaN outside of the scan and next to pixels
    that were not measured. Over a `width` the mean across the line is taken, in steps of a pixel. `points` is how
    many values; one a pixel by default. The position of the result is where the line starts, on the scan.
    Raises RequestError for a line of no length, for one outside of the scan, and for no channels.
    """
    from scipy.ndimage import map_coordinates

    if not channels:
        raise RequestError("a profile needs a channel")
    g = scan.geometry
    along = np.subtract(end, start)
    length = float(np.hypot(*along))
    pixel = min(g.pixel_width, g.pixel_height)
    if not (np.isfinite(length) and length > 0):
        raise RequestError("a profile needs two different ends")
    if not 0 <= width < np.inf:
        raise RequestError(f"the width of a profile must not be negative, as {width:g} is")
    count = points or max(2, round(length / pixel) + 1)
    if not 2 <= count <= 1_000_000:
        raise RequestError(f"a profile has 2 to 1000000 points, not {count}")
    distance = np.linspace(0, length, count)
    direction = along / length
    across = np.array([-direction[1], direction[0]])
    lanes = np.linspace(-width / 2, width / 2, round(width / pixel) + 1) if width >= pixel else np.zeros(1)
    place = np.asarray(start) + distance[:, None, None] * direction + lanes[None, :, None] * across
    rows = place[..., 1] / g.pixel_height - 0.5
    columns = place[..., 0] / g.pixel_width - 0.5
    # half a pixel beyond the outermost centres is still on the scan: the nearest pixel stands there
    inside = (rows >= -0.5) & (rows <= g.rows - 0.5) & (columns >= -0.5) & (columns <= g.columns - 0.5)
    if not inside.any():
        raise RequestError("the profile lies outside of the scan")
    at = np.stack([np.clip(rows, 0, g.rows - 1), np.clip(columns, 0, g.columns - 1)])

    def values(channel: Channel) -> FloatArray:
        found = np.where(inside, map_coordinates(channel.data, at, order=1), np.nan)
        known = np.isfinite(found)
        total = np.where(known, found, 0.0).sum(axis=1)
        mean: FloatArray = np.divide(total, known.sum(axis=1), out=np.full(count, np.nan), where=known.any(axis=1))
        return mean

    unit = "m" if g.calibrated else "px"
    named = {"raw": ""}
    return Spectrum(
        sweep=Curve("Distance", unit, distance),
        channels=tuple(
            Curve(f"{c.name} {named.get(c.role, c.role)}".rstrip(), c.unit, values(c), c.direction) for c in channels
        ),
        path=scan.path,
        format="profile",
        experiment=f"profile from ({start[0]:.6g}, {start[1]:.6g}) to ({end[0]:.6g}, {end[1]:.6g}) {unit}",
        bias_v=scan.bias_v,
        setpoint_a=scan.setpoint_a,
        recorded=scan.recorded,
        comment=scan.comment,
    )
