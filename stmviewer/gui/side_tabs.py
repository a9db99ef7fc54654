"""The pages at the right of the window: Restore, Process, Measure. One is seen at a time."""

from typing import Literal, get_args

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QTabBar, QVBoxLayout, QWidget

TabName = Literal["restore", "process", "measure"]
TAB_NAMES: tuple[TabName, ...] = get_args(TabName)


class SideTabs(QWidget):
    """A line of tabs, and the page of the chosen one. `turned` gives its name when the user turns to it."""

    turned = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bar = QTabBar()
        self.bar.setAccessibleName("What to do")
        self.bar.setDrawBase(False)
        self.bar.setExpanding(True)
        self.bar.setObjectName("side")
        self._pages = QStackedWidget()
        self._names: list[TabName] = []
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.bar)
        layout.addWidget(self._pages, 1)
        self.bar.currentChanged.connect(self._turn)

    def add(self, name: TabName, page: QWidget) -> None:
        self._names.append(name)
        self._pages.addWidget(page)
        self.bar.addTab(name.capitalize())
        self.bar.setTabToolTip(self.bar.count() - 1, f"{name.capitalize()} (Ctrl+{self.bar.count()})")

    @property
    def current(self) -> TabName:
        return self._names[self.bar.currentIndex()]

    def show_tab(self, name: str) -> None:
        """Turns to the page of that name; an unknown one, from another version's settings, changes nothing."""
        if name in self._names:
            self.bar.setCurrentIndex(self._names.index(name))

    def _turn(self, index: int) -> None:
        if 0 <= index < len(self._names) and index < self._pages.count():
            self._pages.setCurrentIndex(index)
            self.turned.emit(self._names[index])
