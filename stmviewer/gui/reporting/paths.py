"""A line for a file or folder, with a button that asks for it; it takes drops, too."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QWidget


class PathLine(QWidget):
    """`ask` gets the present text and returns the chosen path, or '' where nothing was chosen."""

    changed = Signal()

    def __init__(self, name: str, hint: str, ask: Callable[[str], str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ask = ask
        self.edit = QLineEdit()
        self.edit.setPlaceholderText(hint)
        self.edit.setAccessibleName(name)
        self.edit.setClearButtonEnabled(True)
        self.edit.setAcceptDrops(False)  # this widget takes them whole
        self.button = QPushButton("…")
        self.button.setFixedWidth(34)
        self.button.setAccessibleName(f"Choose: {name}")
        self.edit.textChanged.connect(self.changed)
        self.button.clicked.connect(self._choose)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self.edit, 1)
        row.addWidget(self.button)
        self.setAcceptDrops(True)

    def path(self) -> Path | None:
        text = self.edit.text().strip()
        return Path(text).expanduser() if text else None

    def set_path(self, path: str) -> None:
        self.edit.setText(path)

    def _choose(self) -> None:
        chosen = self._ask(self.edit.text().strip() or str(Path.home()))
        if chosen:
            self.edit.setText(chosen)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        local = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if local:
            self.edit.setText(local[0])
            event.acceptProposedAction()
