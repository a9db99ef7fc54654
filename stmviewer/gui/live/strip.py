"""The strip that says that a folder is watched: which one, since when nothing came, and how to stop it."""

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from stmviewer.gui.elided_label import ElidedLabel


class LiveStrip(QFrame):
    """Shows what it is told. `restoring_chosen` says whether scans are to be restored as they land."""

    restoring_chosen = Signal(bool)
    stop_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("live")
        self.mark = QLabel()
        self.mark.setObjectName("liveMark")
        self.text = ElidedLabel()
        self.restoring = QCheckBox("Restore as they land")
        self.restoring.setToolTip("With the settings at the right")
        self.restoring.toggled.connect(self.restoring_chosen)
        self.stop = QPushButton("Stop watching")
        self.stop.clicked.connect(lambda _: self.stop_asked.emit())
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 4, 10, 4)
        layout.setSpacing(10)
        layout.addWidget(self.mark)
        layout.addWidget(self.text, 1)
        layout.addWidget(self.restoring)
        layout.addWidget(self.stop)
        self.hide()

    def show_state(self, folder: Path, there: bool, text: str) -> None:
        self.mark.setText("● Live" if there else "○ Live")
        self.setProperty("lost", not there)
        for widget in (self, self.mark, self.text, self.restoring):  # their colours follow from the property
            widget.style().unpolish(widget)
            widget.style().polish(widget)
        self.text.show_text(text, str(folder))
        self.show()
