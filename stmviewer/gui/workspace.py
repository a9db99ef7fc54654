"""The working page of the window: files at the left, images in the middle, what to do at the right."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from stmviewer.gui.controls import Controls
from stmviewer.gui.folder.panel import FolderPanel
from stmviewer.gui.header import Header
from stmviewer.gui.measuring.panel import MeasurePanel
from stmviewer.gui.measuring.strip import Strip
from stmviewer.gui.processing.panel import ProcessPanel
from stmviewer.gui.run_controls import RunControls
from stmviewer.gui.scan_view import ScanView
from stmviewer.gui.scrolled import scrolled
from stmviewer.gui.side_tabs import SideTabs

_PANEL_WIDTH = 256


class Workspace(QWidget):
    """Lays the parts out; the window connects them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.files = FolderPanel()
        self.files.hide()
        self.header = Header()
        self.view = ScanView()
        self.controls = Controls()
        self.run_controls = RunControls()
        self.processing = ProcessPanel()
        self.measuring = MeasurePanel()
        self.tabs = SideTabs()
        self.tabs.add("restore", self._restore_page())
        self.tabs.add("process", self.processing)
        self.tabs.add("measure", scrolled(self.measuring))

        centre = QWidget()
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.header)
        self.strip = Strip()
        self.below = QSplitter(Qt.Orientation.Vertical)
        self.below.addWidget(self.view)
        self.below.addWidget(self.strip)
        self.below.setStretchFactor(0, 5)
        self.below.setStretchFactor(1, 4)
        self.below.setChildrenCollapsible(False)
        self.below.setHandleWidth(8)
        column.addWidget(self.below, 1)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.addWidget(self.files)
        self.splitter.addWidget(centre)
        self.splitter.setStretchFactor(0, 0)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.setCollapsible(1, False)
        self.splitter.setHandleWidth(10)

        row = QHBoxLayout(self)
        row.setContentsMargins(10, 8, 12, 4)
        row.setSpacing(14)
        row.addWidget(self.splitter, 1)
        self.tabs.setFixedWidth(_PANEL_WIDTH)
        row.addWidget(self.tabs)

    def _restore_page(self) -> QWidget:
        scroll = scrolled(self.controls)  # on a low screen the settings scroll; the button stays in sight
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(scroll, 1)
        column.addWidget(self.run_controls)
        return page
