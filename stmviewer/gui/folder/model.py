"""The entries of the list as Qt wants them, and the filter in front of them."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, QSortFilterProxyModel, Qt

from stmviewer.gui.folder.entry import Entry, Wanted
from stmviewer.services.events import Thumbnail
from stmviewer.services.judging import Judged
from stmviewer.services.notes import Note

AnyIndex = QModelIndex | QPersistentModelIndex
#: names that occur twice carry their folder, in lists that are not too long for the look
_LONG = 5000


class FolderModel(QAbstractListModel):
    """The files in the session's order: row k is its file k. What is known of a file stays when the list changes."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.entries: list[Entry] = []
        self._rows: dict[Path, list[int]] = {}

    def rowCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008 (Qt's own signature)
        return 0 if parent.isValid() else len(self.entries)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        entry = self.entries[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return entry.text
            case Qt.ItemDataRole.ToolTipRole:
                return entry.tooltip
            case Qt.ItemDataRole.AccessibleDescriptionRole:
                star = "starred" if entry.note.star else ""
                return ", ".join(filter(None, (entry.facts_text, entry.tip_text, star)))
            case Qt.ItemDataRole.UserRole:
                return entry
        return None

    def set_files(self, files: Sequence[Path]) -> bool:
        """Lists `files`; False when they were listed already."""
        if list(files) == [entry.path for entry in self.entries]:
            return False
        known = {entry.path: entry for entry in self.entries}
        texts = _texts(files)
        self.beginResetModel()
        self.entries, self._rows = [], {}
        for row, (path, text) in enumerate(zip(files, texts, strict=True)):
            entry = known.get(path) or Entry(path, text)
            entry.text = text
            self.entries.append(entry)
            self._rows.setdefault(path, []).append(row)
        self.endResetModel()
        return True

    def show_thumbnail(self, thumbnail: Thumbnail) -> None:
        for entry in self._of(thumbnail.path):
            entry.thumbnail, entry.drawn = thumbnail, None
        self._told(thumbnail.path)

    def show_tip(self, path: Path, tip: Judged | None) -> None:
        for entry in self._of(path):
            entry.tip = tip
        self._told(path)

    def forget_tips(self, paths: Iterable[Path] | None = None) -> None:
        """Nothing is known of the tips any more, such as after another channel was chosen."""
        for path in self._rows if paths is None else paths:
            self.show_tip(path, None)

    def show_note(self, path: Path, note: Note) -> None:
        for entry in self._of(path):
            entry.note = note
        self._told(path)

    def show_notes(self, notes: Mapping[Path, Note]) -> None:
        for entry in self.entries:
            entry.note = notes.get(entry.path, Note())
        self._all_told()

    def draw_anew(self) -> None:
        """Pictures are drawn again, in the colours of another theme."""
        for entry in self.entries:
            entry.drawn = None
        self._all_told()

    def entry_of(self, path: Path) -> Entry | None:
        return next(iter(self._of(path)), None)

    def channels(self) -> list[str]:
        """Names of the channels that the files have, those that most files have first."""
        counts: dict[str, int] = {}
        for entry in self.entries:
            if entry.facts is not None:
                for name in dict.fromkeys(name for name, _ in entry.facts.channels):
                    counts[name] = counts.get(name, 0) + 1
        return sorted(counts, key=lambda name: -counts[name])

    def _of(self, path: Path) -> list[Entry]:
        return [self.entries[row] for row in self._rows.get(path, ())]

    def _told(self, path: Path) -> None:
        for row in self._rows.get(path, ()):
            index = self.index(row)
            self.dataChanged.emit(index, index)

    def _all_told(self) -> None:
        if self.entries:
            self.dataChanged.emit(self.index(0), self.index(len(self.entries) - 1))


class FilteredFolder(QSortFilterProxyModel):
    """The files that are wanted. The one on show stays in the list, wanted or not: the user must see where they are."""

    def __init__(self, model: FolderModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self.wanted = Wanted()
        #: the file on show
        self.kept: Path | None = None
        self.setSourceModel(model)

    def want(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.invalidate()

    def filterAcceptsRow(self, row: int, _parent: AnyIndex) -> bool:
        entry = self._model.entries[row]
        return entry.path == self.kept or self.wanted.holds(entry)


def _texts(files: Sequence[Path]) -> list[str]:
    names = [path.name for path in files]
    if len(files) > _LONG or len(set(names)) == len(names):
        return names
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
    return [str(Path(path.parent.name) / path.name) if seen[path.name] > 1 else path.name for path in files]
