"""What the window shows before anything is opened."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from stmviewer import paths
from stmviewer.gui.theme import tones

#: so many of what was opened before are offered
_RECENT = 5


def app_icon() -> QIcon:
    return QIcon(str(paths.resources() / "icons" / "stmviewer.svg"))


def sample_files() -> list[Path]:
    """The scans that come with the application."""
    folder = paths.resources() / "samples"
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in (".sxm", ".gwy")) if folder.is_dir() else []


class EmptyState(QWidget):
    """A large friendly place to drop files on, with two buttons for those who prefer to click."""

    open_asked = Signal()
    sample_asked = Signal()
    live_asked = Signal()
    recent_asked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        icon = QLabel()
        icon.setPixmap(app_icon().pixmap(QSize(88, 88), self.devicePixelRatioF()))
        headline = QLabel("Drop scans or a folder here")
        font = headline.font()
        font.setPixelSize(26)
        headline.setFont(font)
        hint = QLabel(
            "Nanonis, Omicron, RHK, Createc and Gwyddion scans, and images as .npy, .tif or .png.\n"
            "Your files are only read, never changed."
        )
        hint.setObjectName("quiet")
        hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.open_button = QPushButton("Open…")
        self.open_button.setObjectName("primary")
        self.open_button.setMinimumWidth(150)
        self.open_button.clicked.connect(self.open_asked)
        self.sample_button = QPushButton("Open the sample scan")
        self.sample_button.setMinimumHeight(36)
        self.sample_button.setMinimumWidth(170)
        self.sample_button.clicked.connect(self.sample_asked)
        self.sample_button.setVisible(bool(sample_files()))
        self.live_button = QPushButton("Watch a folder…")
        self.live_button.setToolTip("Opens each scan as the microscope writes it")
        self.live_button.setMinimumHeight(36)
        self.live_button.setMinimumWidth(150)
        self.live_button.clicked.connect(lambda _: self.live_asked.emit())
        self._recent = QVBoxLayout()
        self._recent.setSpacing(2)
        buttons = QHBoxLayout()
        buttons.setSpacing(12)
        buttons.addStretch(1)
        buttons.addWidget(self.open_button)
        buttons.addWidget(self.sample_button)
        buttons.addWidget(self.live_button)
        buttons.addStretch(1)

        layout = QVBoxLayout(self)
        layout.setSpacing(14)
        layout.addStretch(2)
        for widget in (icon, headline, hint):
            layout.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addSpacing(10)
        layout.addLayout(buttons)
        layout.addSpacing(10)
        layout.addLayout(self._recent)
        layout.addStretch(3)

    def show_recent(self, paths: Sequence[Path]) -> None:
        """Offers what was opened before."""
        while (item := self._recent.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        if not paths:
            return
        heading = QLabel("Opened before")
        heading.setObjectName("quiet")
        self._recent.addWidget(heading, 0, Qt.AlignmentFlag.AlignHCenter)
        for path in paths[:_RECENT]:
            button = QToolButton()
            button.setAutoRaise(True)
            button.setText(f"{path.name} in {path.parent.name or path.parent}")
            button.setToolTip(str(path))
            button.clicked.connect(lambda _=False, p=path: self.recent_asked.emit(p))
            self._recent.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(tones(self.palette()).line, 2, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(self.rect().adjusted(24, 24, -24, -24), 14, 14)
