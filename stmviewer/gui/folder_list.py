"""The list of opened files at the left, with thumbnails, order, previous and next."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QListWidget, QToolButton, QVBoxLayout, QWidget

from stmviewer.gui.theme import tones
from stmviewer.gui.thumbnailing import ICON_SIDE, blank, picture
from stmviewer.services.events import Thumbnail


class FolderList(QWidget):
    """Files with their thumbnails; the shown one is the current one.

    `chosen` gives the index of the file that the user picks, `order_chosen` the order that they want ("name" or
    "newest").
    """

    chosen = Signal(int)
    order_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._list = QListWidget()
        self._list.setUniformItemSizes(True)
        self._list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setIconSize(QSize(ICON_SIDE, ICON_SIDE))
        self._list.currentRowChanged.connect(self._picked)
        self._rows: dict[Path, list[int]] = {}
        self._blank = blank(tones(self.palette()).gap)
        self.order = QComboBox()
        for name, text in (("name", "By name"), ("newest", "Newest first")):
            self.order.addItem(text, name)
        self.order.setToolTip("Order of the files")
        self.order.setAccessibleName("Order of the files")
        self.order.activated.connect(lambda row: self.order_chosen.emit(self.order.itemData(row)))
        self._count = QLabel()
        self._count.setObjectName("quiet")
        self.previous = self._arrow(Qt.ArrowType.LeftArrow, "Previous file", -1)
        self.next = self._arrow(Qt.ArrowType.RightArrow, "Next file", 1)
        head = QHBoxLayout()
        head.setContentsMargins(4, 0, 0, 0)
        head.addWidget(self._count, 1)
        head.addWidget(self.previous)
        head.addWidget(self.next)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(head)
        layout.addWidget(self.order)
        layout.addWidget(self._list, 1)

    def sizeHint(self) -> QSize:
        return QSize(220, 400)

    def show_files(self, files: Sequence[Path], current: int) -> None:
        """Lists `files`; names that occur twice carry their folder."""
        names = [path.name for path in files]
        texts = [
            str(Path(path.parent.name) / path.name) if names.count(path.name) > 1 and len(names) < 500 else path.name
            for path in files
        ]
        with QSignalBlocker(self._list):
            if texts != [self._list.item(k).text() for k in range(self._list.count())]:
                self._fill(files, texts)
            self._list.setCurrentRow(current)
        self._tell(current)

    def _fill(self, files: Sequence[Path], texts: Sequence[str]) -> None:
        self._list.clear()
        self._list.addItems(texts)
        self._rows = {}
        for k, path in enumerate(files):
            self._list.item(k).setToolTip(str(path))
            self._list.item(k).setIcon(self._blank)
            self._rows.setdefault(path, []).append(k)

    def show_thumbnail(self, thumbnail: Thumbnail) -> None:
        """Puts a thumbnail beside the name of its file, or says why it has none."""
        icon = picture(thumbnail, tones(self.palette()).gap)
        for row in self._rows.get(thumbnail.path, ()):
            item = self._list.item(row)
            item.setIcon(icon)
            item.setToolTip(thumbnail.fault or f"{thumbnail.path}\n{thumbnail.label}")

    def set_order(self, order: str) -> None:
        self.order.setCurrentIndex(max(self.order.findData(order), 0))

    def current(self) -> int:
        return self._list.currentRow()

    def step(self, by: int) -> None:
        """Goes to the previous (-1) or the next (1) file."""
        row = self._list.currentRow() + by
        if 0 <= row < self._list.count():
            self._list.setCurrentRow(row)

    def _picked(self, row: int) -> None:
        self._tell(row)
        if row >= 0:
            self.chosen.emit(row)

    def _tell(self, row: int) -> None:
        count = self._list.count()
        self._count.setText(f"{row + 1} of {count}" if count else "")
        self.previous.setEnabled(row > 0)
        self.next.setEnabled(row < count - 1)

    def _arrow(self, arrow: Qt.ArrowType, text: str, by: int) -> QToolButton:
        button = QToolButton()
        button.setArrowType(arrow)
        button.setAutoRaise(True)
        button.setToolTip(text)
        button.setAccessibleName(text)
        button.clicked.connect(lambda: self.step(by))
        return button
