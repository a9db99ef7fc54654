"""Which results are compared, and what else could be tried: a menu that stays open while one ticks."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QMenu, QWidget

from stmviewer.gui.candidates import MOST, Candidate
from stmviewer.restore import RestoreRequest


class CandidateMenu(QMenu):
    """`chosen` gives the sources that are ticked, `try_asked` a RestoreRequest."""

    chosen = Signal(object)
    try_asked = Signal(object)
    pin_asked = Signal()
    unpin_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tries = QMenu("Try also", self)
        for menu in (self, self.tries):
            menu.setToolTipsVisible(True)
        self._sources: list[object] = []

    def fill(
        self,
        found: Sequence[Candidate],
        ticked: Sequence[object],
        offers: Sequence[tuple[str, RestoreRequest]],
        *,
        busy: bool,
        pins: bool,
    ) -> None:
        self.clear()
        self._sources = [c.source for c in found]
        self.addSection(f"Shown, up to {MOST}")
        for candidate in found:
            action = self.addAction(candidate.label)
            action.setCheckable(True)
            action.setToolTip(candidate.names)
            on = candidate.source in ticked
            action.setChecked(on)
            # the last one stays, and there is room for four
            action.setEnabled(len(ticked) > 1 if on else len(ticked) < MOST)
            action.setData(self._sources.index(candidate.source))
        self.addSeparator()
        self.tries.clear()
        for text, request in offers:
            self.tries.addAction(text, self._asks(request)).setToolTip(request.model)
        self.tries.setTitle("Try also" if not busy else "Try also (after this run)")
        self.tries.setEnabled(bool(offers) and not busy)
        self.addMenu(self.tries)
        self.addAction("Keep this image to compare with other scans", self.pin_asked.emit)
        if pins:
            self.addAction("Forget kept images", self.unpin_asked.emit)

    def _asks(self, request: RestoreRequest) -> Callable[[], None]:
        return lambda: self.try_asked.emit(request)

    def tick(self, index: int) -> None:
        """Ticks or unticks a candidate, as a click does."""
        action = next(a for a in self.actions() if a.isCheckable() and a.data() == index)
        if not action.isEnabled():
            return
        action.setChecked(not action.isChecked())
        ticked = [self._sources[a.data()] for a in self.actions() if a.isCheckable() and a.isChecked()]
        for other in (a for a in self.actions() if a.isCheckable()):
            other.setEnabled(len(ticked) > 1 if other.isChecked() else len(ticked) < MOST)
        self.chosen.emit(ticked)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        action = self.actionAt(event.position().toPoint())
        if action is not None and action.isCheckable():
            self.tick(action.data())
            return
        super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        action = self.activeAction()
        if action is not None and action.isCheckable() and event.text() in (" ", "\r"):
            self.tick(action.data())
            return
        super().keyPressEvent(event)
