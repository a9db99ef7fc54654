"""The panel at the left: previous and next, filters, order, channel of the pictures, the list, a note."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QPoint, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListView,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from stmviewer.gui.folder.delegate import STAR, EntryDelegate
from stmviewer.gui.folder.entry import ORDERS, Entry, Wanted
from stmviewer.gui.folder.filter_form import FilterForm
from stmviewer.gui.folder.model import FilteredFolder, FolderModel
from stmviewer.services.notes import LONGEST_NOTE, Note

_AS_SHOWN = "Channel as shown"
#: names of files can be read at this width; it can be put away altogether
_LEAST_WIDTH = 180


class FolderPanel(QWidget):
    """Files with their thumbnails; the one on show is the current one.

    `chosen` gives the index (in the list as it was set) of the file that the user picks, `order_chosen` the order that
    they want, `channel_chosen` name and direction of the channel for the whole folder (each '' for: as shown),
    `note_changed` a path and its new Note, `menu_asked` where a menu is wanted on the screen, `wanted_changed` that
    the filter has changed, `looked_at` that other files have come into view.
    """

    chosen = Signal(int)
    order_chosen = Signal(str)
    channel_chosen = Signal(str, str)
    note_changed = Signal(object, object)
    menu_asked = Signal(QPoint)
    wanted_changed = Signal()
    looked_at = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = FolderModel(self)
        self.filtered = FilteredFolder(self.model, self)
        self.list = QListView()
        self.list.setModel(self.filtered)
        self.list.setItemDelegate(EntryDelegate(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.setAccessibleName("Files")
        self.filter = FilterForm()
        self.order = _combo("Order of the files")
        for name, text in ORDERS.items():
            self.order.addItem(text, name)
        self.channel = _combo("Channel of all pictures and of every file that is opened")
        self.channel.addItem(_AS_SHOWN, "")
        self.direction = _combo("Scan direction of all pictures and of every file that is opened")
        for text, way in (("⇄ shown", ""), ("→ forward", "forward"), ("← backward", "backward")):
            self.direction.addItem(text, way)
        self._count = QLabel()
        self._count.setObjectName("quiet")
        self.previous = self._arrow(Qt.ArrowType.LeftArrow, "Previous file", -1)
        self.next = self._arrow(Qt.ArrowType.RightArrow, "Next file", 1)
        self.star = QToolButton()
        self.star.setText(STAR)
        self.star.setCheckable(True)
        self.star.setAutoRaise(True)
        self.star.setToolTip("Star this file")
        self.star.setAccessibleName("Star this file")
        self.note = QLineEdit()
        self.note.setPlaceholderText("Note on this file")
        self.note.setMaxLength(LONGEST_NOTE)
        self.note.setAcceptDrops(False)
        self.note.setToolTip("Kept beside the folder, not in the file")
        self.note.setAccessibleName("Note on this file")
        self.progress = QLabel()
        self.progress.setObjectName("quiet")
        self.progress.hide()
        self._lay_out()
        self._connect()
        self.setMinimumWidth(_LEAST_WIDTH)

    def sizeHint(self) -> QSize:
        return QSize(236, 400)

    # the list

    def show_files(self, files: Sequence[Path], current: int) -> None:
        """Lists `files` with the one at `current` as the one on show."""
        shown = files[current] if 0 <= current < len(files) else None
        self.filtered.kept = shown
        with QSignalBlocker(self.list.selectionModel()):
            self.model.set_files(files)
            self.filtered.invalidate()
        self._select(current)
        self._tell()
        self.looked_at.emit()

    def current(self) -> int:
        """The index of the file on show in the list as it was set; -1 without one."""
        return self.filtered.mapToSource(self.list.currentIndex()).row()

    def place(self) -> tuple[int, int]:
        """(the row of the file on show among those that pass the filter, how many do)."""
        return self.list.currentIndex().row(), self.filtered.rowCount()

    def entry(self) -> Entry | None:
        """The file on show."""
        row = self.current()
        return self.model.entries[row] if row >= 0 else None

    def entries(self, *, in_view: bool = False) -> list[Entry]:
        """The files that pass the filter, as they are listed; `in_view`: those that can be seen now."""
        rows = range(self.filtered.rowCount())
        if in_view:
            view = self.list.viewport().rect()
            first = self.list.indexAt(view.topLeft() + QPoint(2, 2)).row()
            last = self.list.indexAt(view.bottomLeft() + QPoint(2, -2)).row()
            rows = range(max(first, 0), (last if last >= 0 else len(rows) - 1) + 1) if first >= 0 else range(0)
        return [self.model.entries[self.filtered.mapToSource(self.filtered.index(row, 0)).row()] for row in rows]

    def selected(self) -> list[Path]:
        """The files that are marked, as they are listed."""
        rows = sorted(index.row() for index in self.list.selectionModel().selectedIndexes())
        return [self.filtered.index(row, 0).data(Qt.ItemDataRole.UserRole).path for row in rows]

    def step(self, by: int) -> None:
        """Goes to the previous (-1) or the next (1) file of those that pass the filter."""
        index = self.filtered.index(self.list.currentIndex().row() + by, 0)
        if index.isValid():
            self.list.setCurrentIndex(index)

    def set_order(self, order: str) -> None:
        self.order.setCurrentIndex(max(self.order.findData(order), 0))

    def set_channels(self, names: Sequence[str]) -> None:
        """Offers these channels for the whole folder; the chosen one stays."""
        names = list(dict.fromkeys([*names, *filter(None, [self.channel.currentData()])]))
        if names == [self.channel.itemData(k) for k in range(1, self.channel.count())]:
            return
        with QSignalBlocker(self.channel):
            chosen = self.channel.currentData()
            self.channel.clear()
            self.channel.addItem(_AS_SHOWN, "")
            for name in names:
                self.channel.addItem(name, name)
            self.channel.setCurrentIndex(max(self.channel.findData(chosen), 0))

    def show_progress(self, text: str) -> None:
        """A line below the list on what goes on in the background; empty for none."""
        self.progress.setText(text)
        self.progress.setVisible(bool(text))

    # the note on the file on show

    def toggle_star(self) -> None:
        entry = self.entry()
        if entry is not None:
            self.note_changed.emit(entry.path, Note(not entry.note.star, entry.note.text))

    def edit_note(self) -> None:
        self.note.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.note.selectAll()

    def show_note(self) -> None:
        """Brings the line of the note in line with the file on show; not while it is being written."""
        entry = self.entry()
        note = entry.note if entry is not None else Note()
        self.star.setChecked(note.star)
        if not self.note.isModified():
            self.note.setText(note.text)
        for widget in (self.star, self.note):
            widget.setEnabled(entry is not None)

    def keep_note(self) -> None:
        """What is typed counts, confirmed or not."""
        entry = self.entry()
        if entry is not None and self.note.isModified():
            self.note.setModified(False)
            self.note_changed.emit(entry.path, Note(entry.note.star, self.note.text().strip()))

    # inside

    def _select(self, row: int) -> None:
        index = self.filtered.mapFromSource(self.model.index(row)) if row >= 0 else QModelIndex()
        with QSignalBlocker(self.list.selectionModel()):
            self.list.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self.list.viewport().update()
        if index.isValid():
            self.list.scrollTo(index)
        self.note.setModified(False)
        self.show_note()

    def _picked(self, now: QModelIndex, before: QModelIndex) -> None:
        if before.isValid() and self.note.isModified():  # written, but not confirmed: it belongs to the one before
            entry = before.data(Qt.ItemDataRole.UserRole)
            self.note.setModified(False)
            self.note_changed.emit(entry.path, Note(entry.note.star, self.note.text().strip()))
        self.show_note()
        self._tell()
        row = self.filtered.mapToSource(now).row()
        if row >= 0:
            self.filtered.kept = self.model.entries[row].path
            self.chosen.emit(row)

    def _filter(self, wanted: Wanted) -> None:
        row = self.current()
        with QSignalBlocker(self.list.selectionModel()):
            self.filtered.want(wanted)
        self._select(row)
        self._tell()
        self.wanted_changed.emit()

    def _tell(self) -> None:
        row, count = self.place()
        total = len(self.model.entries)
        text = f"{row + 1:,} of {count:,}" if count else ""
        self._count.setText(text if count == total else f"{text} ({total:,} files)")
        self.previous.setEnabled(row > 0)
        self.next.setEnabled(row < count - 1)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self.model.draw_anew()
        super().changeEvent(event)

    def _connect(self) -> None:
        self.list.selectionModel().currentChanged.connect(self._picked)
        self.list.customContextMenuRequested.connect(
            lambda at: self.menu_asked.emit(self.list.viewport().mapToGlobal(at))
        )
        self.list.verticalScrollBar().valueChanged.connect(lambda _: self.looked_at.emit())
        self.filter.changed.connect(self._filter)
        self.filtered.rowsInserted.connect(lambda *_: self._tell())
        self.filtered.rowsRemoved.connect(lambda *_: self._tell())
        self.order.activated.connect(lambda row: self.order_chosen.emit(self.order.itemData(row)))
        for box in (self.channel, self.direction):
            box.activated.connect(
                lambda _: self.channel_chosen.emit(self.channel.currentData(), self.direction.currentData())
            )
        self.star.clicked.connect(lambda _: self.toggle_star())
        self.note.editingFinished.connect(self.keep_note)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(4, 0, 0, 0)
        head.addWidget(self._count, 1)
        head.addWidget(self.previous)
        head.addWidget(self.next)
        choices = QHBoxLayout()
        choices.setSpacing(4)
        choices.addWidget(self.channel, 3)
        choices.addWidget(self.direction, 2)
        below = QHBoxLayout()
        below.setSpacing(2)
        below.addWidget(self.star)
        below.addWidget(self.note, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(head)
        layout.addWidget(self.filter)
        layout.addWidget(self.order)
        layout.addLayout(choices)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.progress)
        layout.addLayout(below)

    def _arrow(self, arrow: Qt.ArrowType, text: str, by: int) -> QToolButton:
        button = QToolButton()
        button.setArrowType(arrow)
        button.setAutoRaise(True)
        button.setToolTip(text)
        button.setAccessibleName(text)
        button.clicked.connect(lambda: self.step(by))
        return button


def _combo(what: str) -> QComboBox:
    box = QComboBox()
    box.setToolTip(what)
    box.setAccessibleName(what)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(4)
    box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    return box
