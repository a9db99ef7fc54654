"""What each pane shows, as a function of the scan, its mask, its restoration and the display settings. No Qt."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, get_args

from stmviewer.gui import colours
from stmviewer.gui.colours import Kind
from stmviewer.gui.display import FLAT, Lut, Picture, Plane
from stmviewer.gui.ranges import ColourRange, Display
from stmviewer.gui.shown import Restored, Shown, ShownMask
from stmviewer.scan import FloatArray

PaneName = Literal["raw", "mask", "restored", "difference", "deviation", "compare"]
PANE_NAMES: tuple[PaneName, ...] = get_args(PaneName)
#: what the panes are called in menus and on their buttons
PANE_TEXTS: Mapping[PaneName, str] = {
    "raw": "Raw",
    "mask": "Mask",
    "restored": "Restored",
    "difference": "Difference",
    "deviation": "Deviation",
    "compare": "Compare",
}
AT_FIRST: tuple[PaneName, ...] = ("raw", "mask", "restored")
#: where a pane says what it shows, and there is nothing to show yet
_EMPTY: Mapping[PaneName, str] = {"raw": "Raw", "mask": "Mask", "restored": "Restored", "difference":
    "Difference", "deviation": "Deviation", "compare": "Compare"}  # fmt: skip


@dataclass(frozen=True, eq=False)
class PaneLook:
    """One pane: its title and what is drawn, `picture` less `plane` between `limits`. `tint` is 1 where inferred.

    `names` is the method as the command line names it, where the title has it in words.
    """

    title: str
    picture: Picture | None = None
    plane: Plane = FLAT
    limits: tuple[float, float] = (0.0, 1.0)
    lut: Lut | None = None
    tint: Picture | None = None
    names: str = ""


@dataclass(frozen=True, eq=False)
class BarLook:
    """One colour bar: `samples` (n,) are the values that its histogram counts; `unit` is SI."""

    caption: str
    limits: tuple[float, float]
    unit: str
    lut: Lut
    range: ColourRange
    levelled: bool
    samples: tuple[FloatArray, ...]


@dataclass(frozen=True, eq=False)
class Looks:
    """Everything that the view shows of one channel."""

    shown: Shown | None
    mask: ShownMask | None
    restored: Restored | None
    display: Display

    @property
    def plane(self) -> Plane:
        """What levelling for view takes away."""
        return self.shown.plane if self.shown and self.display.levelled else FLAT

    @cached_property
    def height_limits(self) -> tuple[float, float]:
        """The colour range that raw, restored and all candidates share: that of the raw image."""
        if self.shown is None:
            return 0.0, 1.0
        wanted, levelled = self.display.heights.range, self.display.levelled
        if wanted == ColourRange():
            return self.shown.limits(levelled)  # worked out while it was opened
        return wanted.limits(self.shown.picture.sample(self.plane), self.shown.channel.unit, levelled)

    def lut(self, kind: Kind) -> Lut:
        colouring = self.display.of(kind)
        return colours.table(colouring.map, colouring.inverted)

    def has(self, name: PaneName) -> bool:
        """Whether there is anything to see in that pane now, or to be told."""
        match name:
            case "mask":
                return self.mask is None or self.mask.mask.fraction < 1
            case "difference" | "compare":
                return self.restored is not None
            case "deviation":
                return self.restored is not None and self.restored.deviation is not None
            case _:
                return True

    def pane(self, name: PaneName) -> PaneLook:
        """What an image pane shows; the compare pane has its own."""
        shown, restored = self.shown, self.restored
        match name:
            case "raw" if shown is not None:
                role = shown.channel.role
                title = "Raw" if role == "raw" else role.capitalize()
                return self.heights(title, shown.picture)
            case "mask" if self.mask is not None:
                title = f"Mask: {self.mask.text}"
                return PaneLook(title, self.mask.picture, lut=colours.table("mask"))
            case "restored" if restored is not None:
                tint = restored.inferred if self.display.tint else None
                look = self.heights(f"Restored: {restored.title}", restored.mean, tint)
                return replace(look, names=restored.names)
            case "difference" if restored is not None:
                limits = self.difference_limits
                what = "Difference: restored − raw" if restored.differs else "Difference at measured pixels"
                return PaneLook(what, restored.difference, FLAT, limits, self.lut("difference"))
            case "deviation" if restored is not None and restored.deviation is not None:
                limits = self.deviation_limits
                title = f"Deviation: {restored.title}"
                return PaneLook(title, restored.deviation, FLAT, limits, self.lut("deviation"), names=restored.names)
        return PaneLook(_EMPTY[name])

    def heights(self, title: str, picture: Picture, tint: Picture | None = None) -> PaneLook:
        """An image on the range and plane that all of them share."""
        return PaneLook(title, picture, self.plane, self.height_limits, self.lut("heights"), tint)

    @cached_property
    def difference_limits(self) -> tuple[float, float]:
        """Automatic ones are symmetric about zero."""
        restored = self.restored
        assert restored is not None
        wanted = self.display.difference.range
        unit = restored.restoration.unit
        low, high = wanted.limits(restored.difference.sample(), unit, False)
        if wanted.fixed_for(unit, False):
            return low, high
        most = max(abs(low), abs(high))
        return -most, most

    @cached_property
    def deviation_limits(self) -> tuple[float, float]:
        """Automatic ones begin at zero."""
        assert self.restored is not None
        deviation = self.restored.deviation
        assert deviation is not None
        wanted, unit = self.display.deviation.range, self.restored.restoration.unit
        low, high = wanted.limits(deviation.sample(), unit, False)
        if wanted.fixed_for(unit, False):
            return low, high
        return 0.0, high if high > 0 else 1.0

    def bar(self, kind: Kind) -> BarLook | None:
        """The colour bar of that kind; None where there is nothing of the kind."""
        shown, restored = self.shown, self.restored
        if shown is None or (restored is None and kind != "heights"):
            return None
        unit, wanted, lut = shown.channel.unit, self.display.of(kind).range, self.lut(kind)
        if kind == "heights":
            samples = [shown.picture.sample(self.plane)]
            if restored is not None:
                samples.append(restored.mean.sample(self.plane))
            caption = shown.channel.name + (", levelled for view" if self.plane is not FLAT else "")
            return BarLook(caption, self.height_limits, unit, lut, wanted, self.display.levelled, tuple(samples))
        assert restored is not None
        if kind == "difference":
            limits, picture, caption = self.difference_limits, restored.difference, "Difference"
        elif restored.deviation is not None:
            limits, picture, caption = self.deviation_limits, restored.deviation, "Deviation"
        else:
            return None
        return BarLook(caption, limits, unit, lut, wanted, False, (picture.sample(),))
