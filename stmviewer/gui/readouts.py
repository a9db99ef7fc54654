"""What is read under the cursor: in each pane, and in one line of all of them. No Qt."""

from collections.abc import Mapping
from typing import Protocol

from stmviewer.gui.display import Frame
from stmviewer.gui.looks import Looks, PaneName
from stmviewer.gui.quantities import Scale, scale_for

_WHAT: Mapping[PaneName, str] = {
    "raw": "raw",
    "restored": "restored",
    "difference": "difference",
    "deviation": "deviation",
}


class Readable(Protocol):
    """A pane that can be read at a position (nm or px)."""

    def value_at(self, x: float, y: float) -> float | None: ...


class Readouts:
    """Writes positions and values with units, as `looks` has their ranges."""

    def __init__(self, looks: Looks, panes: Mapping[PaneName, Readable]) -> None:
        self._looks, self._panes = looks, panes

    def in_pane(self, name: PaneName, x: float, y: float) -> tuple[str, ...]:
        """`12.1, 3.4 nm` and `34 pm`; nothing outside of the image."""
        value = self.value(name, x, y)
        if value is None:
            return ()
        at_x, at_y = self._position(x, y)
        return f"{at_x.rsplit(' ', 1)[0]}, {at_y}", value

    def line(self, x: float, y: float) -> str:
        """Position and all values; empty outside of the image."""
        shown = self._looks.shown
        if shown is None or not _inside(shown.picture.frame, x, y):
            return ""
        at_x, at_y = self._position(x, y)
        parts = [f"x {at_x}", f"y {at_y}"]
        for name, what in _WHAT.items():
            text = self.value(name, x, y)
            if text is not None:
                parts.append(f"{what} {text}")
        measured = self.value("mask", x, y)
        return "     ".join([*parts, measured] if measured is not None else parts)

    def value(self, name: PaneName, x: float, y: float) -> str | None:
        """What the pane shows at that position, in words; None outside of its image."""
        value = self._panes[name].value_at(x, y) if self._looks.shown is not None else None
        if value is None:
            return None
        if name == "mask":
            return "measured" if value else "not measured"
        return self._scale(name).text(value)

    def _scale(self, name: PaneName) -> Scale:
        assert self._looks.shown is not None
        limits = self._looks.pane(name).limits if name in ("difference", "deviation") else self._looks.height_limits
        return scale_for(*limits, self._looks.shown.channel.unit)

    def _position(self, x: float, y: float) -> tuple[str, str]:
        assert self._looks.shown is not None
        frame = self._looks.shown.picture.frame
        length = scale_for(0, max(frame.width, frame.height), frame.unit)
        return length.text(x), length.text(y)


def _inside(frame: Frame, x: float, y: float) -> bool:
    return frame.x <= x < frame.x + frame.width and frame.y <= y < frame.y + frame.height
