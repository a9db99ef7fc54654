"""The Restore button, which is Cancel while a restoration runs, and its progress."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

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
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(8)
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
        policy = self.progress.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.progress.setSizePolicy(policy)
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
        # before the first report the bar is in motion
        self.progress.setRange(0, 1000 if look.progress else 0)
        self.progress.setValue(round(1000 * (look.progress or 0)))
        self.status.setText(look.reason or look.status)

    def _clicked(self) -> None:
        (self.cancel_asked if self._look.cancels else self.restore_asked).emit()
