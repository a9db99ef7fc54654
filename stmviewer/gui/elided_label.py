"""A label that ends in an ellipsis where its text does not fit, instead of cutting a letter or widening the window."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget


class ElidedLabel(QLabel):
    """Shows what fits; all of it is in the tooltip. Takes whatever width it is given."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.full_text, self._shorter = text, ""
        self.show_text(text)

    def show_text(self, text: str, tooltip: str = "", shorter: str = "") -> None:
        """Shows `text`, or `shorter` where that says the same in less room and `text` does not fit."""
        self.full_text, self._shorter = text, shorter
        self.setToolTip(tooltip or text)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        room, metrics = max(self.width() - 2, 0), self.fontMetrics()
        fits = metrics.horizontalAdvance(self.full_text) <= room
        text = self.full_text if fits else self._shorter or self.full_text
        self.setText(metrics.elidedText(text, Qt.TextElideMode.ElideRight, room))
