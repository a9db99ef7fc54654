"""The degradations to choose from: each by the preset's chance, always and how strong, or never.

Which there are, their names and what they do comes from the catalogue: a new class shows up by itself.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLabel, QPushButton, QSlider, QVBoxLayout, QWidget

if TYPE_CHECKING:
    from stmviewer.simulate.wishes import Entry, Wish

#: modules of the simulator, and what they are called here; one that is not named is called by its own name
_PARTS = {
    "tips": "Tip",
    "dilation": "Tip",
    "tip_change": "Tip changes",
    "drift": "Scanner",
    "scanner": "Scanner",
    "feedback": "Feedback",
    "noise": "Noise",
    "electronics": "Electronics",
}
_STEPS = 20
_HOW = ("chance", "always", "never")


def title_of(name: str) -> str:
    """`Several tips` for SeveralTips."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z]*|[a-z]+|\d+", name)
    return " ".join([words[0], *(w if w.isupper() and len(w) > 1 else w.lower() for w in words[1:])]) if words else name


def part_of(entry: "Entry") -> str:
    """The heading that a class stands under."""
    return _PARTS.get(entry.part, entry.part.replace("_", " ").capitalize())


@dataclass(frozen=True)
class _Row:
    entry: "Entry"
    label: QLabel
    how: QComboBox
    strength: QSlider


class WishList(QWidget):
    """`changed` is emitted for every change that the user makes."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: dict[str, _Row] = {}
        self.by_chance = QPushButton("All by chance")
        self.by_chance.setToolTip("Every degradation as often as the preset has it")
        self.none = QPushButton("None")
        self.none.setToolTip("No degradation at all: what a perfect microscope shows")
        self.by_chance.clicked.connect(lambda: self._set_all("chance"))
        self.none.clicked.connect(lambda: self._set_all("never"))
        buttons = QHBoxLayout()
        for button in (self.by_chance, self.none):
            buttons.addWidget(button, 1)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(3)
        self._grid.setColumnStretch(0, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(buttons)
        layout.addLayout(self._grid)

    def set_entries(self, entries: Sequence["Entry"]) -> None:
        """Fills the list; once, when the catalogue has come."""
        headings: dict[str, list[Entry]] = {}
        for entry in entries:
            headings.setdefault(part_of(entry), []).append(entry)
        line = 0
        for heading, members in headings.items():
            label = QLabel(heading)
            label.setObjectName("heading")
            label.setIndent(0)
            self._grid.addWidget(label, line, 0, 1, 3)
            line += 1
            for entry in members:
                self._rows[entry.name] = row = self._row(entry)
                for column, widget in enumerate((row.label, row.how, row.strength)):
                    self._grid.addWidget(widget, line, column)
                line += 1
        self._refresh()

    def _row(self, entry: "Entry") -> _Row:
        title = title_of(entry.name)
        label = QLabel(title)
        label.setToolTip(entry.summary.replace("`", ""))
        how = QComboBox()
        how.setAccessibleName(title)
        how.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        how.setMinimumContentsLength(13)
        how.setToolTip("By chance: as often as the preset has it")
        for value in _HOW:
            how.addItem(value.capitalize(), value)
        strength = QSlider(Qt.Orientation.Horizontal)
        strength.setRange(0, _STEPS)
        strength.setValue(_STEPS // 2)
        strength.setFixedWidth(76)
        # its place is kept: the list must not jump
        policy = strength.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        strength.setSizePolicy(policy)
        strength.setAccessibleName(f"{title}, strength")
        strength.setToolTip("From the weakest to the strongest that the preset draws")
        how.currentIndexChanged.connect(self._changed)
        strength.valueChanged.connect(self._changed)
        return _Row(entry, label, how, strength)

    def wishes(self) -> tuple[tuple[str, "Wish"], ...]:
        """What is wished other than by chance."""
        if not self._rows:
            return ()
        from stmviewer.simulate.wishes import Wish  # loaded with the catalogue

        return tuple(
            (name, Wish(row.how.currentData(), row.strength.value() / _STEPS))
            for name, row in self._rows.items()
            if row.how.currentData() != "chance"
        )

    def set_wish(self, name: str, how: str, strength: float = 0.5) -> None:
        """As if the user had chosen it."""
        row = self._rows[name]
        with QSignalBlocker(row.how), QSignalBlocker(row.strength):
            row.how.setCurrentIndex(_HOW.index(how))
            row.strength.setValue(round(strength * _STEPS))
        self._changed()

    def names(self) -> list[str]:
        return list(self._rows)

    def show_preset(self, preset: str) -> None:
        """Says how often the preset has each one."""
        for row in self._rows.values():
            chance = row.entry.chances.get(preset)
            row.how.setItemText(0, f"By chance, {100 * chance:.0f} %" if chance else "Not in preset")

    def show_happened(self, names: Sequence[str]) -> None:
        """Marks what is in the image on show."""
        for name, row in self._rows.items():
            font = row.label.font()
            font.setBold(name in names)
            row.label.setFont(font)

    def _set_all(self, how: str) -> None:
        for row in self._rows.values():
            with QSignalBlocker(row.how):
                row.how.setCurrentIndex(_HOW.index(how))
        self._changed()

    def _changed(self) -> None:
        self._refresh()
        self.changed.emit()

    def _refresh(self) -> None:
        for row in self._rows.values():
            row.strength.setVisible(row.how.currentData() == "always")
