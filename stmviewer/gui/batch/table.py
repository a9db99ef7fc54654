"""The table of a batch: one line a file, what became of it, and how good it is."""

from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from stmviewer.gui.batch.queue import Queue, Row, Status
from stmviewer.gui.quantities import quantity
from stmviewer.restore import in_titles

AnyIndex = QModelIndex | QPersistentModelIndex
HEADS = ("File", "Status", "Residual", "SSIM of hidden", "Notes", "Result")
FILE, STATUS, RESIDUAL, SCORE, NOTES, RESULT = range(len(HEADS))
_HEAD_TIPS = {
    RESIDUAL: "Root mean square of restored − measured at the measured pixels, before they are put back",
    SCORE: "Of the hidden pixels, and in brackets what linear interpolation reaches; only when a part was hidden",
}


class BatchTable(QAbstractTableModel):
    """Shows a Queue and nothing of its own."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._queue = Queue()

    def show_queue(self, queue: Queue) -> None:
        """Brings the table in line; only what has changed is drawn anew, so that a selection stays."""
        before, self._queue = self._queue, queue
        if len(before.rows) != len(queue.rows):
            self.beginResetModel()
            self.endResetModel()
            return
        for row, (old, new) in enumerate(zip(before.rows, queue.rows, strict=True)):
            if old is not new:
                self.dataChanged.emit(self.index(row, 0), self.index(row, len(HEADS) - 1))

    def row(self, number: int) -> Row:
        return self._queue.rows[number]

    def rowCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008 (Qt's own signature)
        return 0 if parent.isValid() else len(self._queue.rows)

    def columnCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(HEADS)

    def headerData(self, section: int, way: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if way is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return HEADS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if section in (RESIDUAL, SCORE) else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return _HEAD_TIPS.get(section) if role == Qt.ItemDataRole.ToolTipRole else None

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        row, column = self._queue.rows[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return _text(row, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return _tip(row, column)
        if role == Qt.ItemDataRole.TextAlignmentRole and column in (RESIDUAL, SCORE):
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None


def _tip(row: Row, column: int) -> str:
    """What a cell has no room for: whole paths, and the rest of a note."""
    if column == FILE:
        return str(row.item.path)
    if column == RESULT and row.outcome is not None and row.outcome.output is not None:
        return str(row.outcome.output)
    return _text(row, column)


def _text(row: Row, column: int) -> str:
    outcome = row.outcome
    facts = outcome.facts if outcome is not None else None
    match column:
        case 0:
            return str(row.item.below / row.item.path.name)
        case 1:
            done = f" {100 * row.fraction:.0f} %" if row.status is Status.RUNNING else ""
            return row.status.value + done
        case 4 if outcome is not None:
            if facts is None:
                # the row says which file; the cell has room for a few words
                path = row.item.path
                return outcome.error.removeprefix(f"{path}: ").removeprefix(f"{path.name}: ")
            return in_titles("; ".join(facts["warnings"]))
    if facts is None:
        return ""
    match column:
        case 2:
            return quantity(facts["residual_rms"], facts["unit"]) if facts["residual_rms"] else "0"
        case 3:
            return _score(facts["scores"])
        case 5:
            return Path(facts["output"]).name
    return ""


def _score(scores: list[dict[str, Any]]) -> str:
    by_method = {score["method"]: score["ssim_hidden"] for score in scores}
    linear = by_method.pop("linear", None)
    own = next(iter(by_method.values()), linear)
    if own is None:
        return ""
    beside = f" ({linear:.3f})" if linear is not None and by_method else ""
    return f"{own:.3f}{beside}"
