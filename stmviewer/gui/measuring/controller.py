"""Between the Measure page, the images and the strip below them."""

from pathlib import Path
from typing import cast

from PySide6.QtCore import QObject, QRectF, Signal

from stmviewer.gui.drawing import Toolbox
from stmviewer.gui.measuring.areas import HINT, Areas
from stmviewer.gui.measuring.panel import MeasurePanel
from stmviewer.gui.measuring.profiles import Profiles
from stmviewer.gui.measuring.strip import Strip
from stmviewer.gui.measuring.tables import as_text
from stmviewer.gui.measuring.work import Mode, sources_of
from stmviewer.gui.scan_view import ScanView
from stmviewer.gui.session import Session

_STEPS_HINT = HINT + "\n\nTerraces must be level first: Process › Level › Facets."


class Measuring(QObject):
    """Which tool is in use, and on what: what is on show, and its restoration. `changed` for the menus."""

    changed = Signal()
    copied = Signal(str)

    def __init__(
        self, session: Session, view: ScanView, panel: MeasurePanel, strip: Strip, toolbox: Toolbox, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._session, self._view, self._panel, self._strip, self._toolbox = session, view, panel, strip, toolbox
        self.mode: Mode | None = None
        self.profiles = Profiles(panel, strip, self)
        self.areas = Areas(panel, strip, session.desk, self)
        self._frame = QRectF()
        self._levelled = True
        panel.mode_asked.connect(lambda mode: self.use(cast(Mode, mode) if mode else None))
        panel.width_changed.connect(lambda _: self._again())
        panel.clear_asked.connect(self.clear)
        panel.copy_asked.connect(lambda: self.copied.emit(as_text(panel.table.rows)))
        session.shown_changed.connect(self._on_shown)
        session.restoring.restored_changed.connect(self._again)
        view.changed.connect(self._on_view)
        toolbox.turned.connect(self._on_turned)

    # what the user does

    def use(self, mode: Mode | None) -> None:
        """Takes a tool; None leaves it."""
        if mode is not None and self._session.shown is None:
            mode = None
        self.mode = mode
        self.profiles.leave()
        self.areas.leave()
        self._strip.readout.setText(" ")
        hints: dict[Mode, str] = {"profile": self.profiles.tool.hint, "steps": _STEPS_HINT}
        self._panel.show_mode(mode, hints.get(mode, HINT) if mode else "")
        if mode is None:
            self._strip.hide()
            if self._toolbox.tool in (self.profiles.tool, self.areas.tool):
                self._toolbox.use(None)
        else:
            self._toolbox.use(self.profiles.tool if mode == "profile" else self.areas.tool)
            self._again()
        self.changed.emit()

    def leave(self) -> None:
        self.use(None)

    def clear(self) -> None:
        """Takes away what was drawn."""
        if self.mode == "profile":
            self.profiles.tool.clear()
        else:
            self.areas.clear()

    def export(self, path: Path) -> list[Path]:
        """Writes the profiles as tables, one file a line; returns them. Raises FileError."""
        return self.profiles.export(path, self._session.shown)

    def close(self) -> None:
        self.profiles.close()

    # what happens

    def _on_turned(self) -> None:
        if self.mode is not None and self._toolbox.tool not in (self.profiles.tool, self.areas.tool):
            self.use(None)

    def _on_shown(self) -> None:
        shown = self._session.shown
        if shown is None:
            self.use(None)
            return
        frame = shown.picture.frame
        rect = QRectF(frame.x, frame.y, frame.width, frame.height)
        if rect != self._frame:
            # another place of the sample: lines of the last one mean nothing here
            self._frame, self.areas.tool.rect = rect, QRectF()
            self.profiles.tool.lines.clear()
        self.areas.tool.set_frame(frame)
        self._again()

    def _on_view(self) -> None:
        """Levelling for view is that of what is measured, too; other changes of the panes are none."""
        if self._view.levelled != self._levelled:
            self._again()

    def _again(self) -> None:
        """What is in use is measured anew on what is on show now."""
        shown = self._session.shown
        if self.mode is None or shown is None:
            return
        self._levelled = self._view.levelled
        sources = sources_of(shown, self._session.restored, levelled=self._view.levelled)
        if self.mode == "profile":
            self.profiles.measure(sources)
        else:
            self.areas.measure(self.mode, sources)
