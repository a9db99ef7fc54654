"""The Restore button, which is Cancel while a restoration runs, and its progress."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from stmviewer.gui.slim_bar import SlimBar
from stmviewer.gui.state import Look


class RunControls(QWidget):
    """Shows a Look and nothing of its own."""

    restore_asked = Signal()
    cancel_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look = Look("Restore", False)
        self.button = QPushButton("Restore")
        self.button.setObjectName("primary")
        self.button.setMinimumHeight(42)
        self.button.clicked.connect(self._clicked)
        self.progress = SlimBar(keeps_place=True)
        self.status = QLabel()
        self.status.setObjectName("quiet")
        self.status.setWordWrap(True)
        self.status.setAlignment(Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        layout.addWidget(self.button)
        layout.addWidget(self.progress)
        layout.addWidget(self.status)
        # the place of bar and text is kept: the panel must not jump when a run starts
        self.status.setMinimumHeight(2 * self.status.fontMetrics().lineSpacing() + 2)
        self.show_look(self._look)

    def show_look(self, look: Look) -> None:
        self._look = look
        self.button.setText(look.button)
        self.button.setEnabled(look.enabled)
        self.button.setToolTip(look.reason)
        if self.button.property("cancels") != look.cancels:
            self.button.setProperty("cancels", look.cancels)
            self.button.style().unpolish(self.button)
            self.button.style().polish(self.button)
        self.progress.setVisible(look.progress is not None)
        if look.progress:
            self.progress.show_fraction(look.progress)
        else:
            self.progress.show_motion()  # before the first report
        self.status.setText(look.reason or look.status)

    def _clicked(self) -> None:
        (self.cancel_asked if self._look.cancels else self.restore_asked).emit()
