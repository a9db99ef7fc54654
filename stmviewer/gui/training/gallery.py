"""The scans of a folder as pictures: trained on, kept aside or left out. A click changes it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QIcon, QPainter, QPalette, QPen
from PySide6.QtWidgets import QAbstractItemView, QListView, QMenu, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from stmviewer.gui.folder.entry import TIP_WORDS, Entry, TipMark
from stmviewer.gui.theme import tones
from stmviewer.gui.thumbnailing import ICON_SIDE, blank, picture
from stmviewer.services.events import Thumbnail
from stmviewer.services.judging import Judged
from stmviewer.services.training_look import LookedScan

AnyIndex = QModelIndex | QPersistentModelIndex
_SIDE = 2 * ICON_SIDE
#: with three lines of text below the picture: its name, what it is for, the tip
_CELL = QSize(_SIDE + 26, _SIDE + 60)
#: what a model should not learn from
BAD_TIPS: tuple[TipMark, ...] = ("double", "change", "blurry")


class Part(Enum):
    """What a scan is for."""

    TRAIN = "train"
    ASIDE = "kept aside"
    OUT = "left out"


def in_few_words(scan: LookedScan, part: Part) -> str:
    """What a scan is for and what else shows the same, short enough for below its picture."""
    same = "copy" if scan.copy_of else f"place {scan.place}" if scan.place else ""
    if part is Part.TRAIN:
        return same
    return f"{part.value.removeprefix('kept ').removeprefix('left ')}, {same}" if same else part.value


class GalleryModel(QAbstractListModel):
    """Scans and what each is for. `changed` when that is another."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.scans: list[LookedScan] = []
        self.parts: list[Part] = []
        self.entries: list[Entry] = []
        self._rows: dict[Path, int] = {}

    def show_scans(self, scans: Sequence[LookedScan], aside: Iterable[str]) -> None:
        """Another folder; copies of a scan are left out at first."""
        kept = set(aside)
        self.beginResetModel()
        self.scans = list(scans)
        self.parts = [Part.OUT if s.copy_of else Part.ASIDE if s.name in kept else Part.TRAIN for s in self.scans]
        self.entries = [Entry(s.path, s.path.name) for s in self.scans]
        self._rows = {s.path: row for row, s in enumerate(self.scans)}
        self.endResetModel()
        self.changed.emit()

    def suggest(self, aside: Iterable[str]) -> None:
        """Back to what is suggested for the same scans; pictures and tips stay."""
        kept = set(aside)
        self.parts = [Part.OUT if s.copy_of else Part.ASIDE if s.name in kept else Part.TRAIN for s in self.scans]
        self._tell_all()

    def choose(self, trained: Iterable[str], aside: Iterable[str]) -> None:
        """Sets what every scan is for, by names; the others are left out."""
        train, check = set(trained), set(aside)
        self.parts = [
            Part.TRAIN if s.name in train else Part.ASIDE if s.name in check else Part.OUT for s in self.scans
        ]
        self._tell_all()

    def set_part(self, rows: Iterable[int], part: Part) -> None:
        for row in rows:
            self.parts[row] = part
        self._tell_all()

    def toggle(self, row: int) -> None:
        """Leaves a scan out, or takes it again."""
        self.parts[row] = Part.TRAIN if self.parts[row] is Part.OUT else Part.OUT
        self._tell_all()

    def rows_of_session(self, row: int) -> list[int]:
        return [k for k, s in enumerate(self.scans) if s.session == self.scans[row].session]

    def names(self, part: Part) -> list[str]:
        return [s.name for s, p in zip(self.scans, self.parts, strict=True) if p is part]

    def rows_with_tips(self, *marks: TipMark) -> list[int]:
        """Scans of these states of the tip that are not left out."""
        return [k for k, e in enumerate(self.entries) if e.tip_mark in marks and self.parts[k] is not Part.OUT]

    def tips(self) -> str:
        """`Tips: 27 good, 4 blurry, 9 not sure`; '' while one is not judged yet."""
        if not self.entries or any(entry.tip is None for entry in self.entries):
            return ""
        counts = Counter(TIP_WORDS[entry.tip_mark] or TIP_WORDS["other"] for entry in self.entries)
        return "Tips: " + ", ".join(f"{counts[word]} {word}" for word in TIP_WORDS.values() if counts[word])

    def mixed_places(self) -> int:
        """How many places are shown both by scans to train on and by scans kept aside."""
        both: dict[int, set[Part]] = {}
        for scan, part in zip(self.scans, self.parts, strict=True):
            if scan.place and part is not Part.OUT:
                both.setdefault(scan.place, set()).add(part)
        return sum(len(parts) > 1 for parts in both.values())

    def show_thumbnail(self, thumbnail: Thumbnail) -> None:
        row = self._rows.get(thumbnail.path)
        if row is not None:
            self.entries[row].thumbnail, self.entries[row].drawn = thumbnail, None
            self._tell(row)

    def show_tip(self, path: Path, judged: Judged) -> None:
        row = self._rows.get(path)
        if row is not None:
            self.entries[row].tip = judged
            self._tell(row)

    def _tell(self, row: int) -> None:
        self.dataChanged.emit(self.index(row), self.index(row))

    def _tell_all(self) -> None:
        if self.scans:
            self.dataChanged.emit(self.index(0), self.index(len(self.scans) - 1))
        self.changed.emit()

    def rowCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008 (Qt's own signature)
        return 0 if parent.isValid() else len(self.scans)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        row = index.row()
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{self.scans[row].path.name}, {self.parts[row].value}"
        if role == Qt.ItemDataRole.UserRole:
            return self.scans[row], self.parts[row], self.entries[row]
        return self._tooltip(row) if role == Qt.ItemDataRole.ToolTipRole else None

    def _tooltip(self, row: int) -> str:
        scan, entry = self.scans[row], self.entries[row]
        size = f"{scan.columns} × {scan.rows} pixels"
        size += f", {1e9 * scan.pixel_m:.3g} nm each" if scan.pixel_m is not None else ", size not known"
        lines = [scan.name, size, f"Session: {scan.session}"]
        if scan.copy_of:
            lines.append(f"The same values as {scan.copy_of}")
        elif scan.place:
            same = [s.path.name for s in self.scans if s.place == scan.place and s is not scan]
            few = ", ".join(same[:4]) + (f" and {len(same) - 4} more" if len(same) > 4 else "")
            lines.append(f"The same place ({scan.place_by}) as {few}")
        if entry.tip_text:
            lines.append(f"Tip: {entry.tip_text}")
        return "\n".join([*lines, "", "Click: leave out, or take again. Right click: more"])


class GalleryDelegate(QStyledItemDelegate):
    """A picture with its name below, faded and crossed where it is left out, framed where it is kept aside."""

    def sizeHint(self, _option: QStyleOptionViewItem, _index: AnyIndex) -> QSize:
        return _CELL

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        scan, part, entry = index.data(Qt.ItemDataRole.UserRole)
        view: Any = option
        painter.save()
        self._draw(painter, view.rect, view.palette, view.fontMetrics, scan, part, entry)
        painter.restore()

    @staticmethod
    def _draw(
        painter: QPainter, cell: QRect, palette: QPalette, metrics: Any, scan: LookedScan, part: Part, entry: Entry
    ) -> None:
        colours = tones(palette)
        if entry.drawn is None:
            entry.drawn = picture(entry.thumbnail, colours.gap) if entry.thumbnail is not None else blank(colours.gap)
        icon: QIcon = entry.drawn
        box = QRect(cell.left() + (cell.width() - _SIDE) // 2, cell.top() + 6, _SIDE, _SIDE)
        painter.setOpacity(0.25 if part is Part.OUT else 1.0)
        icon.paint(painter, box)
        painter.setOpacity(1.0)
        if part is Part.ASIDE:
            painter.setPen(QPen(colours.primary, 3))
            painter.drawRect(box.adjusted(-2, -2, 1, 1))
        elif part is Part.OUT:
            painter.setPen(QPen(colours.quiet, 2))
            painter.drawLine(box.topLeft() + QPoint(8, 8), box.bottomRight() - QPoint(8, 8))
        text = colours.quiet if part is Part.OUT else palette.text().color()
        line = metrics.lineSpacing()

        def write(number: int, said: str, colour: QColor) -> None:
            painter.setPen(colour)
            at = QRect(cell.left() + 3, box.bottom() + 5 + number * line, cell.width() - 6, line)
            # the scans of a session differ in how their names end
            short = metrics.elidedText(said, Qt.TextElideMode.ElideLeft, at.width())
            painter.drawText(at, Qt.AlignmentFlag.AlignHCenter, short)

        write(0, scan.path.name, text)
        write(1, in_few_words(scan, part), colours.offer_text if part is Part.ASIDE else colours.quiet)
        if entry.tip_text:
            write(2, f"tip {TIP_WORDS[entry.tip_mark]}", text if entry.tip_mark in BAD_TIPS else colours.quiet)


class Gallery(QListView):
    """The pictures; a click leaves a scan out or takes it again, a right click offers the rest."""

    def __init__(self, model: GalleryModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self.setModel(model)
        self.setItemDelegate(GalleryDelegate(self))
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setUniformItemSizes(True)
        self.setLayoutMode(QListView.LayoutMode.Batched)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setAccessibleName("Scans of the folder")
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._locked = False
        self.clicked.connect(self._toggle)
        self.activated.connect(self._by_key)
        self.customContextMenuRequested.connect(self._offer)

    def set_locked(self, locked: bool) -> None:
        self._locked = locked

    def _toggle(self, index: QModelIndex) -> None:
        if not self._locked:
            self._model.toggle(index.row())

    def _by_key(self, index: QModelIndex) -> None:
        """Return on the current picture does what a click does; a double click has clicked already."""
        if not self.underMouse():
            self._toggle(index)

    def menu_for(self, row: int) -> QMenu:
        """What can be done with a scan and with its session."""
        menu = QMenu(self)
        whole = self._model.rows_of_session(row)
        for text, rows in (("this scan", [row]), (f"the whole session ({len(whole)} scans)", whole)):
            for verb, part in (("Train on", Part.TRAIN), ("Keep aside", Part.ASIDE), ("Leave out", Part.OUT)):
                menu.addAction(f"{verb} {text}", lambda r=rows, p=part: self._model.set_part(r, p))
            menu.addSeparator()
        return menu

    def _offer(self, at: QPoint) -> None:
        index = self.indexAt(at)
        if index.isValid() and not self._locked:
            menu = self.menu_for(index.row())
            menu.exec(self.viewport().mapToGlobal(at))
            menu.deleteLater()
