"""What a restoration gives back, and how it becomes channels of a new scan."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stmviewer.restore.checks import Check
from stmviewer.restore.request import RestoreRequest
from stmviewer.scan import BoolArray, Channel, FloatArray, Geometry, Mask, Scan

#: SSIM that differs by no more says nothing of which is better
_TIE = 0.01


@dataclass(frozen=True)
class HiddenScore:
    """How a method did on pixels that were measured but hidden from it.

    ssim and psnr_db over the whole image, ssim_hidden and mae_hidden over the hidden pixels alone; mae in the
    channel's unit. Definitions in stmviewer.scan.metrics.
    """

    method: str
    ssim: float
    psnr_db: float
    ssim_hidden: float
    psnr_hidden_db: float
    mae_hidden: float

    def beats(self, other: "HiddenScore") -> bool:
        """Whether it is better by more than a tie: SSIM of the hidden pixels above the other's by over 0.01."""
        return self.ssim_hidden > other.ssim_hidden + _TIE


@dataclass(frozen=True)
class Restoration:
    """The restored channel; arrays are float64 (rows, columns) in the channel's unit on `geometry`.

    raw        the channel as measured, or processed by the steps of the request; NaN where not measured or hidden
    mask       which pixels the restoration was given, and the pattern
    mean       the restored image: the mean over samples
    deviation  the model's own estimate of its error, or the standard deviation over samples where that is larger;
               None where there is neither. Not a probability.
    residual   mean - raw at measured pixels before they were put back, NaN elsewhere
    truth      the full channel when part of it was hidden, else None
    scores     of the model and of linear interpolation against what was hidden; empty otherwise
    warnings   what the user should know before believing it
    checks     what was found on this very scan: self-check, choice of methods, lattice, training range
    """

    raw: FloatArray
    mask: Mask
    mean: FloatArray
    deviation: FloatArray | None
    residual: FloatArray
    geometry: Geometry
    unit: str
    channel: Channel
    request: RestoreRequest
    model: str
    provenance: Mapping[str, Any] = field(default_factory=dict)
    truth: FloatArray | None = None
    scores: tuple[HiddenScore, ...] = ()
    warnings: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()

    @property
    def inferred(self) -> BoolArray:
        """True where the shown value was not measured: all of a repaired image, the gaps of a sparse one."""
        if self.request.task == "repair" or self.request.trust != "keep":
            return np.ones_like(self.mask.measured)
        return ~self.mask.measured

    @property
    def mixture(self) -> str:
        """What model auto took: '60 % tv, 40 % regression-sim', or the only method; '' for other models."""
        methods = self.provenance.get("methods", [])
        if self.model != "auto" or not methods:
            return ""
        if len(methods) == 1:
            return f"auto: {methods[0]['name']}"
        return "auto: " + ", ".join(f"{100 * m['weight']:.0f} % {m['name']}" for m in methods)

    @property
    def residual_rms(self) -> float:
        """Root mean square of the residual at measured pixels, in the channel's unit."""
        values = self.residual[np.isfinite(self.residual)]
        if not values.size:
            return float("nan")
        size = float(np.abs(values).max()) or 1.0  # squares of very large or small values are no numbers
        values /= size  # a copy of the residual
        values *= values
        rms = size * float(np.sqrt(np.mean(values)))
        # interpolation meets the measured pixels but for rounding: that is no residual
        return rms if rms > 1e-9 * float(np.nanmax(self.raw) - np.nanmin(self.raw)) else 0.0

    def to_scan(self, source: Scan) -> Scan:
        """A new scan with the raw, mask, restored and deviation channels, ready to be written to a new file."""
        name, direction = self.channel.name, self.channel.direction
        channels = [
            Channel(name, self.unit, self.raw, direction, "processed" if self.channel.role == "processed" else "raw"),
            Channel(name, "", lambda: self.mask.measured.astype(np.float64), direction, "mask"),
            Channel(name, self.unit, self.mean, direction, "restored"),
        ]
        if self.deviation is not None:
            channels.append(Channel(name, self.unit, self.deviation, direction, "deviation"))
        return Scan(
            channels=channels,
            geometry=self.geometry,
            path=source.path,
            format=source.format,
            scan_direction=source.scan_direction,
            bias_v=source.bias_v,
            setpoint_a=source.setpoint_a,
            line_time_s=source.line_time_s,
            recorded=source.recorded,
            comment=source.comment,
            header=source.header,
            notes=self.warnings,
            provenance=self.provenance,
        )
