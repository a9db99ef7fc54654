"""Pristine and degraded image side by side: same size, same place, same colours, one cursor."""

from dataclasses import dataclass

from PySide6.QtCore import QPointF, Signal
from PySide6.QtWidgets import QWidget

from stmviewer.gui import colours
from stmviewer.gui.display import FLAT, Picture, Plane, display_plane, frame_of, value_range
from stmviewer.gui.panes.arrangement import Box, arrange
from stmviewer.gui.panes.colour_bar import ColourBar
from stmviewer.gui.panes.image_view import TITLE_HEIGHT, ImagePane
from stmviewer.gui.panes.linking import LinkedViews
from stmviewer.gui.quantities import scale_for
from stmviewer.gui.shown import warm
from stmviewer.services.simulation_preview import Simulated

_GAP = 10
_LEGEND = (160, 66)
#: the histogram of heights takes what the images leave
_HIGHEST = 420


@dataclass(frozen=True, eq=False)
class Preview:
    """A simulated scan with its pictures, each levelled for view, on the degraded image's range of colours."""

    simulated: Simulated
    pristine: Picture
    degraded: Picture
    planes: tuple[Plane, Plane]
    limits: tuple[float, float]

    @classmethod
    def of(cls, simulated: Simulated) -> "Preview":
        """Belongs into the job: levelling large images takes a while."""
        frame = frame_of(simulated.scan.geometry)
        pristine, degraded = (Picture(data, frame) for data in (simulated.pair.clean, simulated.pair.degraded))
        for picture in (pristine, degraded):
            warm(picture)
        planes = (display_plane(pristine), display_plane(degraded))
        return cls(simulated, pristine, degraded, planes, value_range(degraded, planes[1]))


class PreviewPanes(QWidget):
    """Shows a Preview; `cursor_text` carries position and both heights under the cursor."""

    cursor_text = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pristine = ImagePane("Pristine", "Simulating…", parent=self)
        self.degraded = ImagePane("Degraded", "Simulating…", parent=self)
        self.bar = ColourBar(self)
        self.bar.limit_histogram(_HIGHEST)
        self.links = LinkedViews()
        self._preview: Preview | None = None
        for pane in (self.pristine, self.degraded):
            self.links.add(pane.view)
            pane.hovered.connect(self._hovered)
            pane.reset_asked.connect(self.links.reset)
        self.setMinimumSize(300, 260)

    @property
    def preview(self) -> Preview | None:
        return self._preview

    def show_preview(self, preview: Preview) -> None:
        """Shows it where the one before was, if both cover the same frame."""
        before, self._preview = self._preview, preview
        frame = preview.degraded.frame
        same = before is not None and before.degraded.frame == frame
        if not same:
            rows, columns = preview.degraded.data.shape
            self.links.set_frame(frame, min(frame.width / columns, frame.height / rows))
        lut = colours.heights()
        pairs = ((self.pristine, preview.pristine), (self.degraded, preview.degraded))
        for (pane, picture), plane in zip(pairs, preview.planes, strict=True):
            pane.show_picture(picture, plane, preview.limits, lut)
        samples = (p.sample(plane) for (_, p), plane in zip(reversed(pairs), reversed(preview.planes), strict=True))
        self.bar.show_range("Height, levelled for view", preview.limits, "m", lut, *samples)
        self._place()

    def show_fault(self, text: str) -> None:
        """Empties the panes and says why in them."""
        self._preview = None
        for pane in (self.pristine, self.degraded):
            pane.set_hint(text)
            pane.show_picture(None, FLAT)

    def _hovered(self, at: QPointF | None) -> None:
        for pane in (self.pristine, self.degraded):
            pane.set_cursor(at)
        self.cursor_text.emit(self._text_at(at) if at is not None and self._preview is not None else "")

    def _text_at(self, at: QPointF) -> str:
        assert self._preview is not None
        frame = self._preview.degraded.frame
        length = scale_for(0, max(frame.width, frame.height), frame.unit)
        heights = scale_for(*self._preview.limits, "m")
        parts = [f"x {length.text(at.x())}", f"y {length.text(at.y())}"]
        for name, pane in (("pristine", self.pristine), ("degraded", self.degraded)):
            value = pane.value_at(at.x(), at.y())
            if value is None:
                return ""
            parts.append(f"{name} {heights.text(value)}")
        return "     ".join(parts)

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._place()

    def _place(self) -> None:
        frame = self._preview.degraded.frame if self._preview else None
        aspect = min(max(frame.width / frame.height, 0.25), 4.0) if frame else 1.0
        where = arrange(2, self.width(), self.height(), aspect, title=TITLE_HEIGHT, legend=_LEGEND, gap=_GAP)
        for widget, box in zip((self.pristine, self.degraded, self.bar), (*where.panes, where.legend), strict=True):
            _put(widget, box)


def _put(widget: QWidget, box: Box) -> None:
    widget.setGeometry(box.x, box.y, box.width, box.height)
