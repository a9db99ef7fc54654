"""The Process page: the steps of the channel on show, and the parameters of the chosen one."""

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from stmviewer.gui.processing.editing import Editor
from stmviewer.gui.processing.step_form import StepForm
from stmviewer.gui.processing.step_list import StepList
from stmviewer.gui.scrolled import scrolled
from stmviewer.gui.sentences import sentence
from stmviewer.gui.slim_bar import SlimBar
from stmviewer.scan.processing.catalogue import KINDS

_EMPTY = (
    "No steps yet: the image is as it was measured.\n\n"
    "Add a step, for example Level › Plane or Lines › Align lines. Steps come before a restoration, and never change "
    "the file."
)
_ROW = 24


class ProcessPanel(QWidget):
    """Shows an Editor and asks for changes. `add_asked` gives the name of a kind of step."""

    add_asked = Signal(str)
    cancel_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.add = QPushButton("Add step")
        self.add.setMinimumHeight(32)
        self.add.setMenu(self._kinds_menu())
        self.undo, self.redo, self.more = _button("↶"), _button("↷"), _button("⋯")
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.more.setToolTip("Copy, paste, save, load, apply to the folder")
        self.more.setAccessibleName("More")
        self.empty = QLabel(_EMPTY)
        self.empty.setObjectName("quiet")
        self.empty.setWordWrap(True)
        self.list = StepList()
        self.form = StepForm()
        self.fault = QLabel()
        self.fault.setObjectName("invalid")
        self.fault.setWordWrap(True)
        self.hint = QLabel()
        self.hint.setWordWrap(True)
        self.hint.setObjectName("hint")
        self.result = QLabel()
        self.result.setObjectName("quiet")
        self.result.setWordWrap(True)
        self.progress = SlimBar()
        self.cancel = QPushButton("Cancel")
        self.cancel.clicked.connect(self.cancel_asked)
        self._lay_out()
        self.show_work(None)
        self.show_fault("")
        self.show_hint("")

    def _kinds_menu(self) -> QMenu:
        menu = QMenu(self)
        groups: dict[str, QMenu] = {}
        for kind in KINDS.values():
            if kind.group not in groups:
                groups[kind.group] = menu.addMenu(kind.group)
            text = kind.label + ("  (alters data)" if kind.alters else "")
            action = groups[kind.group].addAction(text)
            action.setToolTip(kind.hint)
            action.triggered.connect(lambda _=False, name=kind.name: self.add_asked.emit(name))
        for group in groups.values():
            group.setToolTipsVisible(True)
        return menu

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(4)
        top.addWidget(self.add, 1)
        for button in (self.undo, self.redo, self.more):
            top.addWidget(button)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for widget in (self.empty, self.list, self.fault, self.hint, self.form, self.result):
            column.addWidget(widget)
        column.addStretch(1)
        scroll = scrolled(inner)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(top)
        layout.addWidget(scroll, 1)
        layout.addWidget(self.progress)
        layout.addWidget(self.cancel)

    def set_actions(self, actions: Mapping[str, QAction]) -> None:
        """The commands of the window that stand here as buttons, too."""
        for button, name in ((self.undo, "undo-step"), (self.redo, "redo-step")):
            action = actions[name]
            button.clicked.connect(action.trigger)
            button.setEnabled(action.isEnabled())
            action.enabledChanged.connect(button.setEnabled)
            keys = action.shortcut().toString()
            button.setToolTip(f"{action.text().replace('&', '')} ({keys})")
            button.setAccessibleName(action.text().replace("&", ""))
        menu = QMenu(self)
        for name in ("copy-steps", "paste-steps", "load-steps", "save-steps", "process-folder"):
            if name in ("load-steps", "process-folder"):
                menu.addSeparator()
            menu.addAction(actions[name])
        self.more.setMenu(menu)

    def show_editor(
        self, editor: Editor, unit: str, lateral: str, failed: int = -1, cause: str = "", *, drawing: bool = False
    ) -> None:
        """The steps, and why one of them cannot be done."""
        count = len(editor.history)
        self.empty.setVisible(count == 0 and not drawing)
        self.list.setVisible(count > 0)
        self.list.show_history(editor.history, editor.selected, failed, cause)
        self.list.setFixedHeight(min(max(count, 2), 8) * _ROW + 6)
        self.form.show_step(editor.step, unit, lateral)
        self.form.draw.setChecked(drawing)
        self.show_fault(cause)

    def show_fault(self, cause: str) -> None:
        self.fault.setText(sentence(cause))
        self.fault.setVisible(bool(cause))

    def show_hint(self, hint: str) -> None:
        """What to do on the image now."""
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))

    def show_work(self, fraction: float | None) -> None:
        """How far long work is; None for none."""
        self.progress.setVisible(fraction is not None)
        self.cancel.setVisible(fraction is not None)
        if fraction is not None:
            self.progress.show_fraction(fraction)


def _button(text: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setFixedSize(30, 32)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
