"""The images of a scan, panes side by side: same size, same place, same colours, one cursor."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt, Signal
from PySide6.QtWidgets import QComboBox, QToolButton, QWidget

from stmviewer.gui.candidates import labels
from stmviewer.gui.colours import KINDS, Kind
from stmviewer.gui.comparing import Comparison
from stmviewer.gui.looks import AT_FIRST, PANE_NAMES, BarLook, Looks, PaneLook, PaneName
from stmviewer.gui.panes.arrangement import Box, arrange
from stmviewer.gui.panes.candidate_menu import CandidateMenu
from stmviewer.gui.panes.compare import ComparePane
from stmviewer.gui.panes.image_view import TITLE_HEIGHT, ImagePane, Pane
from stmviewer.gui.panes.legend import LEAST, Legend
from stmviewer.gui.panes.linking import LinkedViews
from stmviewer.gui.panes.view_bar import HEIGHT, ViewBar
from stmviewer.gui.ranges import Colouring, ColourRange, Display
from stmviewer.gui.readouts import Readouts
from stmviewer.gui.seen import pane_menu
from stmviewer.gui.shown import Restored, Shown, ShownMask
from stmviewer.gui.trust import changed_text, residual_text
from stmviewer.restore import RestoreRequest

_GAP = 10
#: in the title row, beside the chooser of results
_BESIDE_RESULT = 115
_RESTORE_HINT = "Choose a task at the right and press Restore"
_COMPARE_HINT = "Restore with another model or seed, or keep another scan's image, to compare here"
#: frames longer than this get panes of this aspect and are zoomed into
_LONGEST_ASPECT = 4.0


class ScanView(QWidget):
    """Shows what it is given; knows nothing of files and jobs.

    `cursor_text` carries the position and the values under the cursor, empty when it is elsewhere; `changed` tells
    that panes or display are not what they were; `result_chosen` gives the Restored to show.
    """

    cursor_text = Signal(str)
    changed = Signal()
    result_chosen = Signal(object)
    copy_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.compare = ComparePane(_COMPARE_HINT, self)
        self.panes: dict[PaneName, Pane] = {
            name: self.compare if name == "compare" else ImagePane("", parent=self) for name in PANE_NAMES
        }
        self.bar = ViewBar(self)
        self.legend = Legend(self)
        self.links = LinkedViews()
        self.display = Display()
        self.candidate_menu = CandidateMenu(self)
        self._looks = Looks(None, None, None, self.display)
        self.comparison = Comparison()
        self._wanted: set[PaneName] = set(AT_FIRST)
        self._available: tuple[PaneName, ...] = ("raw",)
        self._active: PaneName = "raw"
        self._held = False
        #: what else could be tried, told by the window: text and RestoreRequest
        self.offers: Callable[[], Sequence[tuple[str, RestoreRequest]]] = tuple
        self._waiting = False
        #: said in the place of a scan where there is none
        self._absent = ""
        self._result_box = QComboBox()
        self._connect()
        self._redraw()

    def _connect(self) -> None:
        self._result_box.setAccessibleName("Which result the restored pane shows")
        self._result_box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._result_box.setMinimumContentsLength(12)
        self._result_box.activated.connect(lambda row: self.result_chosen.emit(self.comparison.results[row]))
        self.panes["restored"].corner.addWidget(self._result_box)
        button = QToolButton()
        button.setObjectName("barButton")
        button.setText("Candidates")
        button.setToolTip("Which results are compared, and what else could be tried")
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setMenu(self.candidate_menu)
        self.compare.corner.addWidget(button)
        self.candidate_menu.aboutToShow.connect(self.fill_candidates)
        self.candidate_menu.chosen.connect(self._tick)
        self.candidate_menu.pin_asked.connect(self.pin)
        self.candidate_menu.unpin_asked.connect(self.unpin)
        for name, pane in self.panes.items():
            self.links.add(pane.view)
            pane.hovered.connect(lambda at, name=name: self._hovered(at, name))
            pane.reset_asked.connect(self.links.reset)
            pane.hide_asked.connect(lambda name=name: self.set_pane_visible(name, False))
            pane.menu_asked.connect(lambda at, name=name: self._open_menu(name, at))
        self.bar.toggled.connect(self.set_pane_visible)
        self.bar.tint_toggled.connect(self.set_tint)
        self.bar.copy_asked.connect(self.copy_asked)
        self.legend.colouring_changed.connect(self.set_colouring)

    # what is shown

    def show_scan(self, shown: Shown | None, *, keep_place: bool = False) -> None:
        """Shows a channel; `keep_place` stays where one has zoomed to, for another channel of the same scan."""
        self._looks = Looks(shown, None, None, self.display)
        self._absent = "This file could not be opened"
        self.comparison.forget()
        self.legend.show_result(None)  # at once: the findings are on another image
        self._hovered(None)
        if shown is not None:
            frame, (rows, columns) = shown.picture.frame, shown.picture.data.shape
            self.links.set_frame(frame, min(frame.width / columns, frame.height / rows), keep=keep_place)
        self._redraw()

    def say_absent(self, why: str) -> None:
        """Says in the place of a scan why there is none."""
        self._absent = why
        self._redraw()

    def show_mask(self, mask: ShownMask | None, fault: str = "") -> None:
        self._looks = replace(self._looks, mask=mask)
        self.panes["mask"].set_hint(fault)
        self._redraw()

    def show_restored(self, restored: Restored | None, results: Sequence[Restored] = ()) -> None:
        """Shows one of the `results` that there are of the channel."""
        if restored is self._looks.restored is None and not results:
            return
        self._looks = replace(self._looks, restored=restored)
        kept = tuple(results) or ((restored,) if restored is not None else ())
        self.comparison.set_results(self._looks.shown, kept)
        self.legend.show_result(restored)
        self._redraw()

    def set_waiting(self, waiting: bool) -> None:
        """Whether a restoration is under way, for the pane that waits for it."""
        self._waiting = waiting
        shown = self._looks.shown
        idle = "Nothing to restore" if shown is None or shown.obstacle else _RESTORE_HINT
        self.panes["restored"].set_hint("Restoring…" if waiting else idle)

    def limits(self) -> tuple[float, float]:
        """The colour range that raw and restored share."""
        return self._looks.height_limits

    # display settings

    @property
    def levelled(self) -> bool:
        return self.display.levelled

    @property
    def inverted(self) -> bool:
        return self.display.heights.inverted

    @property
    def tint(self) -> bool:
        return self.display.tint

    def set_display(self, display: Display) -> None:
        if display != self.display:
            self.display = display
            self._looks = replace(self._looks, display=display)
            self._redraw()
            self.changed.emit()

    def set_levelled(self, levelled: bool) -> None:
        """Whether a plane is taken away for view."""
        self.set_display(replace(self.display, levelled=levelled))

    def set_inverted(self, inverted: bool) -> None:
        self.set_display(self.display.with_colouring("heights", inverted=inverted))

    def set_tint(self, tint: bool) -> None:
        """Whether what was inferred is tinted in the restored image."""
        self.set_display(replace(self.display, tint=tint))

    def set_colouring(self, kind: Kind, colouring: Colouring) -> None:
        self.set_display(self.display.with_kind(kind, colouring))

    def reset_ranges(self) -> None:
        """Automatic colour ranges everywhere."""
        display = self.display
        for kind in KINDS:
            display = display.with_colouring(kind, range=ColourRange())
        self.set_display(display)

    def hold_raw(self, held: bool) -> None:
        """Shows the raw image in place of every restored one while `held`."""
        if held != self._held:
            self._held = held
            self._redraw_images()

    @property
    def raw_held(self) -> bool:
        return self._held

    # which panes

    def pane_visible(self, name: PaneName) -> bool:
        """Whether the pane is wanted; it is placed where there is something to see in it."""
        return name in self._wanted

    def set_pane_visible(self, name: PaneName, visible: bool) -> None:
        """Shows or hides a pane; the last one stays."""
        if not visible and not [other for other in self.placed() if other != name]:
            self._update_bar()
            return
        (self._wanted.add if visible else self._wanted.discard)(name)
        self._redraw()
        self.changed.emit()

    def set_wanted(self, names: Sequence[PaneName]) -> None:
        """Which panes are shown, all at once."""
        self._wanted = set(names) or {"raw"}
        self._redraw()

    def available(self) -> tuple[PaneName, ...]:
        """Panes that there is something to see in."""
        return self._available

    def _find_available(self) -> tuple[PaneName, ...]:
        if self._looks.shown is None:
            return ("raw",)
        several = len(self.comparison.candidates(self._looks.shown)) > 1
        return tuple(n for n in PANE_NAMES if (several if n == "compare" else self._looks.has(n)))

    def placed(self) -> list[PaneName]:
        """Panes on show, in their order."""
        return [name for name in self._available if name in self._wanted] or ["raw"]

    # comparing

    def fill_candidates(self) -> None:
        """Brings the menu of candidates up to date."""
        comparison = self.comparison
        found = comparison.candidates(self._looks.shown)
        self.candidate_menu.fill(
            found, comparison.ticked, self.offers(), busy=self._waiting, pins=bool(comparison.pins)
        )

    def _tick(self, sources: list[object]) -> None:
        self.comparison.ticked = list(sources)
        self._redraw_images()

    def pin(self) -> None:
        """Keeps the image on show to compare other scans with."""
        if self._looks.shown is not None:
            self.comparison.pin(self._looks.shown, self._looks.restored)
            self._redraw()
            self.changed.emit()

    def unpin(self) -> None:
        self.comparison.unpin(self._looks.shown)
        self._redraw()
        self.changed.emit()

    # drawing

    def _redraw(self) -> None:
        shown = self._looks.shown
        self._available = self._find_available()
        self.panes["raw"].set_hint("" if shown else self._absent)
        self.set_waiting(self._waiting)
        self._redraw_images()
        self._place()

    def _redraw_images(self) -> None:
        placed = self.placed()
        raw = self._looks.pane("raw")
        for name, pane in self.panes.items():
            look = self._looks.pane(name) if name in placed or name != "compare" else PaneLook("Compare")
            held = self._held and name == "restored" and look.picture is not None
            if held:
                look = replace(raw, title="Raw, while the space bar is held")
            if isinstance(pane, ImagePane):
                pane.set_title(look.title, f"{look.title} ({look.names})" if look.names else "")
                pane.show_picture(look.picture, look.plane, look.limits, look.lut, look.tint)
        self.compare.show_looks(self.comparison.looks(self._looks))
        self.compare.hold(raw if self._held else None)
        self._redraw_result_row()
        self._redraw_legend(placed)
        self._update_bar()

    def _redraw_result_row(self) -> None:
        restored, results = self._looks.restored, self.comparison.results
        several = len(results) > 1
        self._result_box.setVisible(several)
        if several:
            self._result_box.clear()
            for text, result in zip(labels(results), results, strict=True):
                self._result_box.addItem(text)
                self._result_box.setItemData(self._result_box.count() - 1, result.names, Qt.ItemDataRole.ToolTipRole)
            self._result_box.setCurrentIndex(results.index(restored) if restored in results else 0)
            tip = "" if restored is None else f"{restored.title} ({restored.names})"
            self.panes["restored"].set_title("Restored" if not self._held else "Raw (held)", tip)
        badge = ""
        if restored is not None and not self._held:
            residual = residual_text(restored.restoration)
            badge = f"residual {residual}" if residual else ""
            if self.tint:
                badge = f"{badge}   {changed_text(restored.restoration)}".strip()
        self.panes["restored"].overlay.set_badge(badge)

    def _redraw_legend(self, placed: Sequence[PaneName]) -> None:
        shown = self._looks.shown
        self.legend.setVisible(shown is not None and bool(shown.channel.measured.any()))
        wanted: dict[Kind, bool] = {
            "heights": True,
            "difference": "difference" in placed,
            "deviation": "deviation" in placed,
        }
        looks: dict[Kind, BarLook | None] = {k: self._looks.bar(k) if on else None for k, on in wanted.items()}
        self.legend.show_bars(looks, self.display)

    def _update_bar(self) -> None:
        result = self._looks.restored is not None
        self.bar.show_state(self._wanted, self.available(), tint=self.tint, result=result)
        self.bar.setVisible(self._looks.shown is not None)
        for pane in self.panes.values():
            pane.cross.setVisible(len(self.placed()) > 1)

    # the cursor

    def _hovered(self, at: QPointF | None, name: PaneName | None = None) -> None:
        if name is not None and at is not None:
            self._active = name
        read = Readouts(self._looks, self.panes)
        for other, pane in self.panes.items():
            pane.set_cursor(at, read.in_pane(other, at.x(), at.y()) if at is not None else ())
        self.cursor_text.emit(read.line(at.x(), at.y()) if at is not None else "")

    @property
    def looks(self) -> Looks:
        """What is shown, and how."""
        return self._looks

    @property
    def active(self) -> PaneName:
        """The pane that the cursor was in last, if it is still there; else the first."""
        placed = self.placed()
        return self._active if self._active in placed else placed[0]

    def leave(self) -> None:
        """As if the cursor were elsewhere."""
        self._hovered(None)

    def _open_menu(self, name: PaneName, at: QPoint) -> None:
        self._active = name
        menu = pane_menu(self, name)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(at)

    # where things are

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._place()

    def _place(self) -> None:
        shown = self._looks.shown
        frame = shown.picture.frame if shown else None
        aspect = float(np.clip(frame.width / frame.height, 1 / _LONGEST_ASPECT, _LONGEST_ASPECT)) if frame else 1.0
        placed = self.placed()
        least = LEAST[0], max(LEAST[1], self.legend.least_height())
        height = max(self.height() - HEIGHT, 1)
        where = arrange(len(placed), self.width(), height, aspect, title=TITLE_HEIGHT, legend=least, gap=_GAP)
        self.bar.setGeometry(0, 0, self.width(), HEIGHT)
        for name, pane in self.panes.items():
            pane.setVisible(name in placed)
        for name, box in zip(placed, where.panes, strict=True):
            _put(self.panes[name], box)
            if name == "restored":
                self._result_box.setFixedWidth(min(max(box.width - _BESIDE_RESULT, 90), 300))
        _put(self.legend, where.legend)


def _put(widget: QWidget, box: Box) -> None:
    widget.setGeometry(box.x, box.y + HEIGHT, box.width, box.height)
