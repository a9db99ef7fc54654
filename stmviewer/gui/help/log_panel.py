"""The log inside the window, and what a report of a fault needs: versions, device, settings, the last lines."""

from collections.abc import Callable

from PySide6.QtCore import QSize, QTimer
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from stmviewer.gui.error_report import LINES

#: how often the log on show is looked at
_EVERY_MS = 500


class LogPanel(QDialog):
    """The last lines of the log, newest at the bottom. `report` gives what *Copy diagnostics* copies."""

    def __init__(
        self, report: Callable[[], str], open_folder: Callable[[], None], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Log – stmviewer")
        self._seen = -1
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setPlaceholderText("Nothing was logged yet.")
        self.text.setAccessibleName("Log")
        hint = QLabel("Diagnostics hold versions, device, settings and these lines; nothing of what is in your files.")
        hint.setObjectName("quiet")
        hint.setWordWrap(True)
        self.copy = QPushButton("Copy diagnostics")
        self.copy.clicked.connect(lambda _: QApplication.clipboard().setText(report()))
        folder = QPushButton("Open log folder")
        folder.clicked.connect(lambda _: open_folder())
        buttons = QHBoxLayout()
        buttons.addWidget(hint, 1)
        buttons.addWidget(folder)
        buttons.addWidget(self.copy)
        layout = QVBoxLayout(self)
        layout.addWidget(self.text, 1)
        layout.addLayout(buttons)
        self.resize(self.sizeHint())
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.refresh)
        self.refresh()

    def sizeHint(self) -> QSize:
        return QSize(820, 420)

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type]
        self._timer.start(_EVERY_MS)

    def hideEvent(self, event: object) -> None:
        self._timer.stop()
        super().hideEvent(event)  # type: ignore[arg-type]

    def refresh(self) -> None:
        """Shows what has been logged since; stays where the user has scrolled to."""
        if LINES.count == self._seen:
            return
        self._seen = LINES.count
        bar = self.text.verticalScrollBar()
        at_end, place = bar.value() >= bar.maximum() - 2, bar.value()
        self.text.setPlainText("\n".join(LINES.lines()))
        bar.setValue(bar.maximum() if at_end else place)
