"""Messages inside the window: quiet notes, errors, offers. Never a box that has to be clicked away first."""

from collections.abc import Callable
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

Kind = Literal["note", "error", "offer"]
#: which kind stands above which
_RANKS: tuple[Kind, ...] = ("error", "offer", "note")
#: the text of a bar is cut after this many characters; all of it is in its tooltip
_MOST = 420


class InfoBar(QFrame):
    """One message with an optional button and a cross that closes it."""

    def __init__(
        self, kind: Kind, text: str, action: tuple[str, Callable[[], None]] | None = None, details: str = ""
    ) -> None:
        super().__init__()
        self.kind: Kind = kind
        self.text = text
        self.setObjectName(kind)
        label = QLabel(text if len(text) <= _MOST else text[: _MOST - 1] + "…")
        label.setWordWrap(True)
        label.setTextFormat(Qt.TextFormat.PlainText)  # the text may come out of a file
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        label.setToolTip(text if len(text) > _MOST else "")
        label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 5, 6, 5)
        layout.addWidget(label, 1)
        self.button: QPushButton | None = None
        if action is not None:
            self.button = QPushButton(action[0])
            self.button.clicked.connect(action[1])
            layout.addWidget(self.button)
        if details:
            copy = QPushButton("Copy details")
            copy.clicked.connect(lambda: QApplication.clipboard().setText(f"{text}\n\n{details}"))
            layout.addWidget(copy)
        self.cross = QToolButton()
        self.cross.setText("✕")
        self.cross.setToolTip("Dismiss")
        self.cross.setAccessibleName("Dismiss")
        layout.addWidget(self.cross, 0, Qt.AlignmentFlag.AlignTop)


class InfoArea(QWidget):
    """The messages on show, each under a topic: a new message on a topic takes the place of the old one.

    What is most urgent stands at the top, and among equals what was said first.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bars: dict[str, InfoBar] = {}
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(1)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.hide()

    def show_message(
        self,
        topic: str,
        kind: Kind,
        text: str,
        action: tuple[str, Callable[[], None]] | None = None,
        details: str = "",
    ) -> InfoBar:
        self.dismiss(topic)
        bar = InfoBar(kind, text, action, details)
        bar.cross.clicked.connect(lambda: self.dismiss(topic))
        rank = _RANKS.index(kind)
        self._layout.insertWidget(sum(_RANKS.index(other.kind) <= rank for other in self._bars.values()), bar)
        self._bars[topic] = bar
        self.show()
        return bar

    def dismiss(self, topic: str) -> None:
        bar = self._bars.pop(topic, None)
        if bar is not None:
            self._layout.removeWidget(bar)
            bar.hide()
            bar.deleteLater()
        self.setVisible(bool(self._bars))

    def message(self, topic: str) -> InfoBar | None:
        """The message on show under a topic."""
        return self._bars.get(topic)
