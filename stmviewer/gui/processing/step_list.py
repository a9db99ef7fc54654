"""The list of steps: a tick switches a step on, dragging moves it, Delete takes it out."""

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem, QWidget

from stmviewer.scan import History, Step
from stmviewer.scan.processing.catalogue import KINDS


class StepList(QListWidget):
    """Shows a history and asks for changes of it; it changes nothing by itself."""

    selected = Signal(int)
    enabled = Signal(int, bool)
    moved = Signal(int, int)
    delete_asked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Processing steps")
        self.setToolTip("Tick: switch on or off. Drag: change the order. Delete: take out.")
        self.currentRowChanged.connect(self.selected)
        self.itemChanged.connect(self._item_changed)
        self.model().rowsMoved.connect(lambda _p, start, _e, _d, to: self.moved.emit(start, to - (to > start)))

    def show_history(self, history: History, selected: int, failed: int = -1, cause: str = "") -> None:
        """`failed` is the step that could not be done, and `cause` why."""
        with QSignalBlocker(self), QSignalBlocker(self.model()):
            self.clear()
            for index, step in enumerate(history):
                item = QListWidgetItem(step_text(step))
                item.setFlags(
                    Qt.ItemFlag.ItemIsEnabled
                    | Qt.ItemFlag.ItemIsSelectable
                    | Qt.ItemFlag.ItemIsUserCheckable
                    | Qt.ItemFlag.ItemIsDragEnabled
                )
                item.setCheckState(Qt.CheckState.Checked if step.enabled else Qt.CheckState.Unchecked)
                if index == failed:
                    item.setText(f"⚠ {item.text()}")
                    item.setToolTip(cause)
                self.addItem(item)
            self.setCurrentRow(selected)
        self.model().layoutChanged.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        row = self.currentRow()
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and row >= 0:
            self.delete_asked.emit(row)
        elif event.modifiers() == Qt.KeyboardModifier.AltModifier and event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            to = row + (1 if event.key() == Qt.Key.Key_Down else -1)
            if 0 <= row < self.count() and 0 <= to < self.count():
                self.moved.emit(row, to)
        else:
            super().keyPressEvent(event)

    def _item_changed(self, item: QListWidgetItem) -> None:
        self.enabled.emit(self.row(item), item.checkState() == Qt.CheckState.Checked)


def step_text(step: Step) -> str:
    """`Align lines · median`: what a step is called in the list, with what it was told."""
    kind = KINDS.get(step.name)
    if kind is None:
        return step.name
    told = []
    for parameter in kind.parameters:
        value = step.value(parameter.name)
        words = dict(parameter.choices).get(str(value))
        if parameter.needs is not None and step.value(parameter.needs[0]) not in parameter.needs[1]:
            continue
        if words is not None and value != parameter.default:
            told.append(words.lower())
        elif parameter.choices or isinstance(value, str) or parameter.unit == "value":
            continue
        elif len(kind.parameters) <= 2 or kind.drawn or value != parameter.default:
            unit = {"°": "°", "%": " %"}.get(parameter.unit, "")
            told.append(parameter.write(round(value, 3)) + unit)
    label = f"{kind.label} mask" if kind.group == "Mask" else kind.label
    more = " × ".join(told[2:]) if kind.drawn == "box" and len(told) > 3 else ", ".join(told[:3])
    return f"{label} · {more}" if more else label
