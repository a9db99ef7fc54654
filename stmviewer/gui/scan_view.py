"""Raw, mask and restored side by side: same size, same place, same colours, one cursor."""

from typing import Literal

import numpy as np
from PySide6.QtCore import QPointF, Signal
from PySide6.QtWidgets import QComboBox, QWidget

from stmviewer.gui import colours
from stmviewer.gui.display import FLAT, Frame, Lut, Picture, Plane, value_range
from stmviewer.gui.panes.arrangement import Box, arrange
from stmviewer.gui.panes.image_view import TITLE_HEIGHT, ImagePane
from stmviewer.gui.panes.legend import LEAST, Legend
from stmviewer.gui.panes.linking import LinkedViews
from stmviewer.gui.quantities import scale_for
from stmviewer.gui.shown import Restored, Shown, ShownMask

PaneName = Literal["raw", "mask", "restored"]
PANE_NAMES: tuple[PaneName, ...] = ("raw", "mask", "restored")
Aspect = Literal["restored", "difference", "deviation"]
ASPECTS: dict[Aspect, str] = {"restored": "Restored", "difference": "Difference", "deviation": "Deviation"}
_GAP = 10
_RESTORE_HINT = "Choose a task at the right and press Restore"
#: frames longer than this get panes of this aspect and are zoomed into
_LONGEST_ASPECT = 4.0


class ScanView(QWidget):
    """Shows what it is given; knows nothing of files and jobs.

    `cursor_text` carries the position and the values under the cursor, empty when it is elsewhere.
    """

    cursor_text = Signal(str)
    aspect_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.panes: dict[PaneName, ImagePane] = {
            "raw": ImagePane("Raw", parent=self),
            "mask": ImagePane("Sampling mask", parent=self),
            "restored": ImagePane("Restored", _RESTORE_HINT, parent=self),
        }
        self.legend = Legend(self)
        self.links = LinkedViews()
        self._aspect_box = QComboBox()
        self._aspect_box.setAccessibleName("What the restored pane shows")
        self._aspect_box.activated.connect(lambda _: self.set_aspect(self._aspect_box.currentData()))
        self._aspect_box.hide()
        self.panes["restored"].corner.addWidget(self._aspect_box)
        self._shown: Shown | None = None
        self._mask: ShownMask | None = None
        self._restored: Restored | None = None
        self._aspect: Aspect = "restored"
        self._levelled, self._inverted = True, False
        self._hidden: set[PaneName] = set()
        for pane in self.panes.values():
            self.links.add(pane.view)
            pane.hovered.connect(self._hovered)
            pane.reset_asked.connect(self.links.reset)

    # what is shown

    def show_scan(self, shown: Shown | None, *, keep_place: bool = False) -> None:
        """Shows a channel; `keep_place` stays where one has zoomed to, for another channel of the same scan."""
        self._shown, self._mask, self._restored = shown, None, None
        self._aspect = "restored"
        self._hovered(None)
        if shown is not None:
            frame, (rows, columns) = shown.picture.frame, shown.picture.data.shape
            self.links.set_frame(frame, min(frame.width / columns, frame.height / rows), keep=keep_place)
        self._redraw()
        self._place()

    def show_mask(self, mask: ShownMask | None, fault: str = "") -> None:
        self._mask = mask
        self.panes["mask"].set_hint(fault)
        self._redraw_mask()

    def show_restored(self, restored: Restored | None) -> None:
        self._restored = restored
        self._aspect = "restored"
        self._redraw()
        self._place()

    def set_waiting(self, waiting: bool) -> None:
        """Whether a restoration is under way, for the pane that waits for it."""
        idle = "Nothing to restore" if self._shown is None or self._shown.obstacle else _RESTORE_HINT
        self.panes["restored"].set_hint("Restoring…" if waiting else idle)

    @property
    def levelled(self) -> bool:
        return self._levelled

    def set_levelled(self, levelled: bool) -> None:
        """Whether a plane is taken away for view."""
        self._levelled = levelled
        self._redraw()

    @property
    def inverted(self) -> bool:
        return self._inverted

    def set_inverted(self, inverted: bool) -> None:
        self._inverted = inverted
        self._redraw()

    def pane_visible(self, name: PaneName) -> bool:
        return name not in self._hidden

    def set_pane_visible(self, name: PaneName, visible: bool) -> None:
        """Shows or hides a pane; the last one stays."""
        if not visible and len(self._hidden) == len(PANE_NAMES) - 1:
            return
        (self._hidden.discard if visible else self._hidden.add)(name)
        self.panes[name].setVisible(visible)
        self._place()

    @property
    def aspect(self) -> Aspect:
        return self._aspect

    def aspects(self) -> list[Aspect]:
        """What the restored pane can show now."""
        if self._restored is None:
            return []
        return [name for name in ASPECTS if name != "deviation" or self._restored.deviation is not None]

    def set_aspect(self, aspect: Aspect) -> None:
        """Restored image, its difference to the raw one, or its deviation over samples."""
        if aspect in self.aspects():
            self._aspect = aspect
            self._redraw()
            self.aspect_changed.emit()

    def limits(self) -> tuple[float, float]:
        """The colour range that raw and restored share."""
        return self._shown.limits(self._levelled) if self._shown else (0.0, 1.0)

    def _plane(self) -> Plane:
        return self._shown.plane if self._shown and self._levelled else FLAT

    def _height_lut(self) -> Lut:
        table = colours.heights()
        return table[::-1].copy() if self._inverted else table

    def _redraw(self) -> None:
        shown, raw = self._shown, self.panes["raw"]
        if shown is None:
            raw.show_picture(None)
            raw.set_title("Raw")
        else:
            raw.show_picture(shown.picture, self._plane(), self.limits(), self._height_lut())
            raw.set_title("Raw" if shown.channel.role == "raw" else shown.channel.role.capitalize())
        raw.set_hint("" if shown else "This file could not be opened")
        self.set_waiting(False)
        self._redraw_mask()
        self._redraw_restored()
        self._redraw_legend()

    def _redraw_mask(self) -> None:
        pane = self.panes["mask"]
        if self._mask is None:
            pane.show_picture(None)
            pane.set_title("Sampling mask")
        else:
            pane.show_picture(self._mask.picture, FLAT, (0.0, 1.0), colours.lut_of(colours.MASK))
            pane.set_title(f"Sampling mask: {self._mask.text}")

    def _redraw_restored(self) -> None:
        pane, restored = self.panes["restored"], self._restored
        self._aspect_box.setVisible(restored is not None)
        if restored is None:
            pane.show_picture(None)
            pane.set_title("Restored")
            return
        self._aspect_box.clear()
        for aspect in self.aspects():
            self._aspect_box.addItem(ASPECTS[aspect], aspect)
        self._aspect_box.setCurrentIndex(self._aspect_box.findData(self._aspect))
        picture, plane, limits, lut = self._restored_look(restored)
        pane.show_picture(picture, plane, limits, lut)
        pane.set_title(f"{ASPECTS[self._aspect]}: {restored.title}")

    def _restored_look(self, restored: Restored) -> tuple[Picture, Plane, tuple[float, float], Lut]:
        if self._aspect == "difference":
            low, high = value_range(restored.difference)
            most = max(abs(low), abs(high))
            return restored.difference, FLAT, (-most, most), colours.lut_of(colours.DIFFERENCE)
        if self._aspect == "deviation" and restored.deviation is not None:
            high = value_range(restored.deviation)[1]
            return restored.deviation, FLAT, (0.0, high if high > 0 else 1.0), colours.lut_of(colours.DEVIATION)
        return restored.mean, self._plane(), self.limits(), self._height_lut()

    def _redraw_legend(self) -> None:
        shown, restored = self._shown, self._restored
        self.legend.setVisible(shown is not None and bool(shown.channel.measured.any()))
        self.legend.show_result(restored)
        self.legend.extra.setVisible(restored is not None and self._aspect != "restored")
        if shown is None:
            return
        samples = [shown.picture.sample(self._plane())]
        if restored is not None:
            samples.append(restored.mean.sample(self._plane()))
        caption = shown.channel.name + (", levelled for view" if self._plane() is not FLAT else "")
        self.legend.shared.show_range(caption, self.limits(), shown.channel.unit, self._height_lut(), *samples)
        if restored is not None and self._aspect != "restored":
            picture, _, limits, lut = self._restored_look(restored)
            caption = ASPECTS[self._aspect] + (", restored − raw" if self._aspect == "difference" else "")
            self.legend.extra.show_range(caption, limits, shown.channel.unit, lut, picture.sample())

    # the cursor

    def _hovered(self, at: QPointF | None) -> None:
        for pane in self.panes.values():
            pane.set_cursor(at)
        self.cursor_text.emit(self.text_at(at.x(), at.y()) if at is not None else "")

    def text_at(self, x: float, y: float) -> str:
        """Position and values at (x, y) in nm or px; empty outside of the image."""
        if self._shown is None or not _inside(self._shown.picture.frame, x, y):
            return ""
        frame = self._shown.picture.frame
        length = scale_for(0, max(frame.width, frame.height), frame.unit)
        parts = [f"x {length.text(x)}", f"y {length.text(y)}"]
        values = scale_for(*self.limits(), self._shown.channel.unit)
        for name in ("raw", "restored"):
            value = self.panes[name].value_at(x, y)
            if value is not None:
                what = ASPECTS[self._aspect].lower() if name == "restored" else "raw"
                parts.append(f"{what} {values.text(value)}")
        measured = self.panes["mask"].value_at(x, y)
        if measured is not None:
            parts.append("measured" if measured else "not measured")
        return "     ".join(parts)

    # where things are

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._place()

    def _place(self) -> None:
        frame = self._shown.picture.frame if self._shown else None
        aspect = float(np.clip(frame.width / frame.height, 1 / _LONGEST_ASPECT, _LONGEST_ASPECT)) if frame else 1.0
        visible = [name for name in PANE_NAMES if name not in self._hidden]
        least = LEAST[0], max(LEAST[1], self.legend.minimumSizeHint().height())
        where = arrange(len(visible), self.width(), self.height(), aspect, title=TITLE_HEIGHT, legend=least, gap=_GAP)
        for name, box in zip(visible, where.panes, strict=True):
            _put(self.panes[name], box)
        _put(self.legend, where.legend)


def _put(widget: QWidget, box: Box) -> None:
    widget.setGeometry(box.x, box.y, box.width, box.height)


def _inside(frame: Frame, x: float, y: float) -> bool:
    return frame.x <= x < frame.x + frame.width and frame.y <= y < frame.y + frame.height
