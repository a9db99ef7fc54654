"""How long a scale bar is. No Qt."""

from dataclasses import dataclass

from stmviewer.gui.quantities import length, round_length

#: part of the visible image that the bar covers at most
_SHARE = 0.3


@dataclass(frozen=True)
class ScaleBar:
    """A bar of a round length: `value` in nm or px, its length on the screen in pixels, what is written over it."""

    value: float
    pixels: float
    label: str


def scale_bar(visible: float, pixels_per_unit: float, unit: str) -> ScaleBar:
    """The bar for an image of which `visible` (nm or px) is seen across, at that many screen pixels per unit."""
    value = round_length(visible * _SHARE)
    return ScaleBar(value, value * pixels_per_unit, length(value, unit))
