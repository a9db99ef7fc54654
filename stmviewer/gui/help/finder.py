"""The command finder: a few letters, and what can be done with its shortcut."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence, QPalette
from PySide6.QtWidgets import QFrame, QLabel, QLineEdit, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from stmviewer.gui.commands import Command
from stmviewer.gui.help.fuzzy import fit

_KEYS = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


def matches(typed: str, commands: Sequence[Command]) -> list[Command]:
    """The commands that fit, the best first; those of the table's order where nothing is typed."""
    found = []
    for command in commands:
        own, whole = fit(typed, command.title), fit(typed, f"{place_of(command)} {command.title}")
        scores = [score for score in (None if own is None else own + 6, whole) if score is not None]
        if scores:
            found.append((-max(scores), command))
    return [command for _, command in sorted(found, key=lambda pair: pair[0])]


def place_of(command: Command) -> str:
    """Where it stands in the menus: `View › Theme`."""
    return command.menu.replace("/", " › ")


class Finder(QFrame):
    """Lies over the top of its window while it is open. Enter does what is marked, Escape closes."""

    def __init__(self, commands: Sequence[Command], actions: Mapping[str, QAction], window: QWidget) -> None:
        super().__init__(window)
        self.setObjectName("finder")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAutoFillBackground(True)
        self.setBackgroundRole(QPalette.ColorRole.Base)
        self._commands, self._actions, self._window = commands, actions, window
        self.text = QLineEdit()
        self.text.setPlaceholderText("What do you want to do?")
        self.text.setClearButtonEnabled(True)
        self.text.setAcceptDrops(False)
        self.text.textChanged.connect(self._fill)
        self.text.installEventFilter(self)
        self.list = QTreeWidget()
        self.list.setObjectName("finder")
        self.list.setColumnCount(3)
        self.list.setHeaderHidden(True)
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setAccessibleName("Commands")
        self.list.itemClicked.connect(lambda _: self.run())
        self.nothing = QLabel("No command is called that")
        self.nothing.setObjectName("quiet")
        self.nothing.hide()
        layout = self._column = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(self.text)
        layout.addWidget(self.list)
        layout.addWidget(self.nothing)
        self.hide()

    def _width(self) -> int:
        return min(560, self._window.width() - 40)

    def open(self) -> None:
        """Shows all commands and waits for letters."""
        self.resize(self._width(), self.height())
        self.move(QPoint((self._window.width() - self.width()) // 2, 40))
        self.text.clear()
        self._fill("")
        self.show()
        self.raise_()
        self.text.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def shown(self) -> list[str]:
        """The names of the commands in the list."""
        items = (self.list.topLevelItem(k) for k in range(self.list.topLevelItemCount()))
        return [item.data(0, Qt.ItemDataRole.UserRole) for item in items if item is not None]

    def run(self) -> None:
        """Does what is marked, if it can be done now."""
        item = self.list.currentItem()
        action = self._actions[item.data(0, Qt.ItemDataRole.UserRole)] if item is not None else None
        if action is not None and action.isEnabled():
            self.hide()
            action.trigger()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is not self.text:
            return False
        if event.type() == QEvent.Type.FocusOut and self.isVisible() and not self.isActiveWindow():
            return False  # another window is in front; this one waits
        if event.type() == QEvent.Type.FocusOut:
            self.hide()
        elif event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            event.accept()  # letters are typed, not the shortcuts of the window
        elif event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() == Qt.Key.Key_Escape:
                self.hide()
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.run()
                return True
            if event.key() in _KEYS:
                self.list.event(event)
                self.list.keyPressEvent(event)
                return True
        return False

    def _fill(self, typed: str) -> None:
        self.list.clear()
        found = matches(typed, self._commands)
        found.sort(key=lambda command: not self._actions[command.name].isEnabled())
        for command in found:
            action = self._actions[command.name]
            keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            mark = "✓ " if action.isCheckable() and action.isChecked() else ""
            item = QTreeWidgetItem([mark + command.title, place_of(command), keys])
            item.setData(0, Qt.ItemDataRole.UserRole, command.name)
            item.setTextAlignment(2, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            item.setDisabled(not action.isEnabled())
            if not action.isEnabled():
                item.setToolTip(0, "Not possible now")
            self.list.addTopLevelItem(item)
        width = self.width() - 50
        for column, part in enumerate((0.52, 0.28, 0.2)):
            self.list.setColumnWidth(column, int(width * part))
        first = self.list.topLevelItem(0)
        if first is not None:
            self.list.setCurrentItem(first)
        self.nothing.setVisible(not found)
        self.list.setVisible(bool(found))
        height = (self.list.sizeHintForRow(0) or 16) * len(found) + 8
        self.list.setFixedHeight(min(height, max(self._window.height() - 170, 80), 370))
        self.resize(self.width(), self._column.sizeHint().height())
