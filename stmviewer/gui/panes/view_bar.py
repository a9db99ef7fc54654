"""The row above the panes: which of them are shown, and what can be done with what is seen."""

from collections.abc import Collection

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSizePolicy, QToolButton, QWidget

from stmviewer.gui.looks import PANE_NAMES, PANE_TEXTS, PaneName

HEIGHT = 28
_SPACING = 4
_ABOUT: dict[PaneName, str] = {
    "raw": "The scan as it was measured",
    "mask": "Which pixels count as measured",
    "restored": "The restored image",
    "difference": "Restored less raw: what the restoration has changed",
    "deviation": "How far samples of the model differ, or what it expects to be wrong by",
    "compare": "Several results of this place under dividers",
}


class ViewBar(QWidget):
    """A button for each pane that there is something to see in; where they do not fit, one button with a menu.

    `toggled` gives a pane name and whether it is wanted.
    """

    toggled = Signal(str, bool)
    tint_toggled = Signal(bool)
    copy_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(HEIGHT)
        self.chips: dict[PaneName, QToolButton] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 2)
        row.setSpacing(_SPACING)
        for k, name in enumerate(PANE_NAMES):
            chip = _button(PANE_TEXTS[name], f"{_ABOUT[name]} (Alt+{k + 1})", checkable=True)
            chip.clicked.connect(lambda on, name=name: self.toggled.emit(name, on))
            self.chips[name] = chip
            row.addWidget(chip)
        self.menu_button = _button("Panes", "Which panes are shown")
        self.menu_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._menu = QMenu(self.menu_button)
        self._menu.aboutToShow.connect(self._fill_menu)
        self.menu_button.setMenu(self._menu)
        row.addWidget(self.menu_button)
        row.addStretch(1)
        self.tint = _button("Mark inferred", "Tints what was not measured but inferred (T)", checkable=True)
        self.tint.clicked.connect(self.tint_toggled)
        self.copy = _button("Copy figure", "Copies the panes and colour bars as they are seen (Ctrl+Shift+C)")
        self.copy.clicked.connect(self.copy_asked)
        row.addWidget(self.tint)
        row.addWidget(self.copy)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._there: frozenset[PaneName] = frozenset()
        self.show_state((), (), tint=False, result=False)

    def show_state(
        self, wanted: Collection[PaneName], there: Collection[PaneName], *, tint: bool, result: bool
    ) -> None:
        """Panes that are wanted, panes that have something to show, whether inferred pixels are tinted."""
        self._there = frozenset(there)
        for name, chip in self.chips.items():
            chip.setChecked(name in wanted)
        self.tint.setChecked(tint)
        self.tint.setVisible(result)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        return QSize(self.menu_button.sizeHint().width(), HEIGHT)

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._fit()

    def _fit(self) -> None:
        # a single pane to choose is no choice
        shown = [name for name in PANE_NAMES if name in self._there] if len(self._there) > 1 else []
        spacing = _SPACING
        more = sum(b.sizeHint().width() + spacing for b in (self.tint, self.copy) if not b.isHidden())
        room = self.width() - more
        chips_fit = sum(self.chips[name].sizeHint().width() + spacing for name in shown) <= room
        for name, chip in self.chips.items():
            chip.setVisible(name in shown and chips_fit)
        self.menu_button.setVisible(bool(shown) and not chips_fit)

    def _fill_menu(self) -> None:
        self._menu.clear()
        for name in PANE_NAMES:
            if name in self._there:
                action = self._menu.addAction(PANE_TEXTS[name])
                action.setCheckable(True)
                action.setChecked(self.chips[name].isChecked())
                action.triggered.connect(lambda on, name=name: self.toggled.emit(name, on))


def _button(text: str, tip: str, *, checkable: bool = False) -> QToolButton:
    button = QToolButton()
    button.setObjectName("chip")
    button.setText(text)
    button.setToolTip(tip)
    button.setCheckable(checkable)
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # their keys are Alt+1 and so on
    return button
