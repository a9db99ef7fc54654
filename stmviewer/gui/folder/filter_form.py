"""What the list shows: words in a name or note, size, bias, date, state of the tip, stars."""

from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from stmviewer.gui.delayed import delayed
from stmviewer.gui.folder.entry import Range, TipMark, Wanted, day_of, number_of

#: after the last key, before the list is filtered
_DELAY_MS = 150
_ANY: frozenset[TipMark] = Wanted().tips
_TIPS: tuple[tuple[str, frozenset[TipMark]], ...] = (
    ("Any tip", _ANY),
    ("Good", frozenset({"good"})),
    ("Double or asymmetric", frozenset({"double"})),
    ("Changed during the scan", frozenset({"change"})),
    ("Blurry", frozenset({"blurry"})),
    ("Not sure", frozenset({"unsure", "other"})),
    ("Anything but good", _ANY - {"good", "none"}),
)
_T = TypeVar("_T")


class FilterForm(QWidget):
    """A line for words; a button beside it opens the rest. `changed` gives what is wanted from now on."""

    changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = QLineEdit()
        self.text.setPlaceholderText("Filter by name or note")
        self.text.setClearButtonEnabled(True)
        self.text.setAcceptDrops(False)  # files dropped here are to be opened, too
        self.text.setAccessibleName("Filter by name or note")
        self.more = QToolButton()
        self.more.setText("⋯")
        self.more.setCheckable(True)
        self.more.setToolTip("Filter by size, bias, date, tip and star")
        self.more.setAccessibleName("More filters")
        self.sizes = _Two("from", "to", "nm")
        self.bias = _Two("from", "to", "V")
        self.days = _Two("2024-05", "2024-06")
        for two, what in ((self.sizes, "Size"), (self.bias, "Bias"), (self.days, "Date")):
            two.name(what)
        self.tip = QComboBox()
        for text, _ in _TIPS:
            self.tip.addItem(text)
        self.tip.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.tip.setMinimumContentsLength(8)
        self.tip.setAccessibleName("State of the tip")
        self.starred = QCheckBox("Starred only")
        self.clear = QPushButton("Show all")
        self.clear.clicked.connect(self.reset)
        self._timer = delayed(self, self._emit, _DELAY_MS)
        self._last = Wanted()
        self._lay_out()
        for line in (self.text, *self.sizes.lines, *self.bias.lines, *self.days.lines):
            line.textChanged.connect(lambda _: self._timer.start())
        self.tip.currentIndexChanged.connect(lambda _: self._emit())
        self.starred.toggled.connect(lambda _: self._emit())
        self.more.toggled.connect(self._form.setVisible)

    def wanted(self) -> Wanted:
        """What the fields say; one that cannot be read counts as empty and is marked."""
        low, high = self.sizes.values(number_of)
        least, most = self.bias.values(number_of)
        first, last = self.days.values(day_of)
        tips = _TIPS[self.tip.currentIndex()][1]
        return Wanted(
            self.text.text().strip(),
            Range(low, high),
            Range(least, most),
            first or "",
            last or "",
            tips,
            self.starred.isChecked(),
        )

    def reset(self) -> None:
        """Empties every field."""
        for line in (self.text, *self.sizes.lines, *self.bias.lines, *self.days.lines):
            line.clear()
        self.tip.setCurrentIndex(0)
        self.starred.setChecked(False)
        self._emit()

    def _emit(self) -> None:
        self._timer.stop()
        wanted = self.wanted()
        # what is hidden must not filter unseen
        self.more.setText("⋯" if wanted == Wanted(wanted.text) else "●")
        self.clear.setEnabled(not wanted.everything)
        if wanted != self._last:
            self._last = wanted
            self.changed.emit(wanted)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.text, 1)
        row.addWidget(self.more)
        self._form = QWidget()
        form = QFormLayout(self._form)
        form.setContentsMargins(0, 0, 0, 4)
        form.setVerticalSpacing(4)
        for label, field in (("Size", self.sizes), ("Bias", self.bias), ("Date", self.days), ("Tip", self.tip)):
            form.addRow(label, field)
        last = QHBoxLayout()
        last.addWidget(self.starred, 1)
        last.addWidget(self.clear)
        form.addRow(last)
        self._form.hide()
        self.clear.setEnabled(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self._form)


class _Two(QWidget):
    """From one value to another, both may be left open."""

    def __init__(self, first: str, second: str, unit: str = "") -> None:
        super().__init__()
        self.lines = (QLineEdit(), QLineEdit())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(3)
        for line, hint in zip(self.lines, (first, second), strict=True):
            line.setPlaceholderText(hint)
            line.setMinimumWidth(30)
            line.setAcceptDrops(False)
            row.addWidget(line, 1)
        if unit:
            row.addWidget(QLabel(unit))

    def name(self, what: str) -> None:
        for line, end in zip(self.lines, ("from", "to"), strict=True):
            line.setAccessibleName(f"{what} {end}")

    def values(self, read: Callable[[str], _T]) -> tuple[_T | None, _T | None]:
        found: list[_T | None] = []
        for line in self.lines:
            fault = ""
            try:
                found.append(read(line.text()))
            except ValueError as error:
                found.append(None)
                fault = str(error)
            line.setObjectName("invalid" if fault else "")
            line.setToolTip(fault)
            line.style().unpolish(line)
            line.style().polish(line)
        return found[0], found[1]
