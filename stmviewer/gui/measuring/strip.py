"""The strip below the images: a plot, or spectra; put away while there is nothing to show in it."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QLabel, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from stmviewer.gui.measuring.planes import PlanesView
from stmviewer.gui.measuring.plots import HistogramPlot, ProfilePlot

#: of the height below the header, at first
_SHARE = 0.44


class Strip(QWidget):
    """Shows one of its pages, or a line that says what to do."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.profiles = ProfilePlot()
        self.histograms = HistogramPlot()
        self.planes = PlanesView()
        self.hint = QLabel()
        self.hint.setObjectName("paneHint")
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.hint.setWordWrap(True)
        self.readout = QLabel(" ")
        self.readout.setObjectName("quiet")
        self._pages = QStackedWidget()
        for page in (self.hint, self.profiles, self.histograms, self.planes):
            self._pages.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self._pages, 1)
        layout.addWidget(self.readout)
        self.setMinimumHeight(150)
        self._share = _SHARE
        self.hide()

    def hideEvent(self, event: QHideEvent) -> None:
        splitter = self.parentWidget()
        if isinstance(splitter, QSplitter) and splitter.height() > 0 and self.height() > 0:
            self._share = self.height() / splitter.height()  # as the user has left it
        super().hideEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        splitter = self.parentWidget()
        if isinstance(splitter, QSplitter):
            below = round(self._share * splitter.height())
            splitter.setSizes([splitter.height() - below, below])

    def show_page(self, page: QWidget) -> None:
        self._pages.setCurrentWidget(page)
        self.show()

    def show_hint(self, hint: str) -> None:
        self.hint.setText(hint)
        self.readout.setText(" ")
        self.show_page(self.hint)

    @property
    def page(self) -> QWidget:
        return self._pages.currentWidget()
