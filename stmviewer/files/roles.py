"""Which channels of a scan belong together: one restored image, what it was made from, and how sure it is."""

from dataclasses import dataclass

import numpy as np

from stmviewer.scan import BoolArray, Channel, Role, Scan


@dataclass(frozen=True)
class Result:
    """The channels of a scan by what they are; None where the scan has none."""

    #: what was given to the restoration: as measured, or processed
    raw: Channel | None = None
    mask: Channel | None = None
    restored: Channel | None = None
    deviation: Channel | None = None

    @property
    def image(self) -> Channel:
        """The channel that all are about: restored, or else raw, or else whatever there is."""
        found = self.restored or self.raw or self.deviation or self.mask
        assert found is not None  # a scan has at least one channel
        return found

    @property
    def measured(self) -> BoolArray:
        """True where a value was measured: the sampling mask, or else where the raw channel has values.

        Without either nothing is known to be measured, and nothing is claimed to be: all False.
        """
        if self.mask is not None:
            found: BoolArray = np.nan_to_num(self.mask.data) > 0.5
            return found
        if self.raw is not None:
            return self.raw.measured
        return np.zeros(self.image.data.shape, dtype=np.bool_)


def result_of(scan: Scan) -> Result:
    """The first restored channel with its companions; without one, the topography as raw."""
    restored = _first(scan, "restored", None)
    if restored is None:
        raws = [c for c in scan.channels if c.role == "processed"] or [c for c in scan.channels if c.role == "raw"]
        topography = scan.channel()
        restored_from = topography if topography in raws else next(iter(raws), None)
    else:
        restored_from = _first(scan, "processed", restored) or _first(scan, "raw", restored)
    about = restored or restored_from
    return Result(restored_from, _first(scan, "mask", about), restored, _first(scan, "deviation", about))


def _first(scan: Scan, role: Role, companion: Channel | None) -> Channel | None:
    """The channel of that role with the name and direction of `companion`, or at least its name, or any."""
    there = [c for c in scan.channels if c.role == role]
    if companion is not None:
        for channel in there:
            if (channel.name, channel.direction) == (companion.name, companion.direction):
                return channel
        for channel in there:
            if channel.name == companion.name:
                return channel
    return next(iter(there), None)
