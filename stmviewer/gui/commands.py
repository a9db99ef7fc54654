"""The one table of commands: it feeds the menus, the shortcuts, the command finder and the sheet of shortcuts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from stmviewer.gui.side_tabs import TAB_NAMES, TabName
from stmviewer.gui.state import Look
from stmviewer.gui.theme import THEME_CHOICES, ThemeChoice


@dataclass(frozen=True)
class Situation:
    """What decides which commands make sense; taken once for all of them."""

    run: Look
    scan: bool = False
    can_calibrate: bool = False
    result: bool = False
    result_has_path: bool = False
    index: int = -1
    count: int = 0
    theme: ThemeChoice = "system"
    tab: TabName = "restore"


class Commanded(Protocol):
    """What the commands ask of the window."""

    def ask_files(self) -> None: ...
    def ask_folder(self) -> None: ...
    def step_file(self, by: int) -> None: ...
    def step_channel(self) -> None: ...
    def step_direction(self) -> None: ...
    def ask_calibration(self) -> None: ...
    def quit(self) -> None: ...
    def reset_zoom(self) -> None: ...
    def zoom(self, factor: float) -> None: ...
    def show_tab(self, name: TabName) -> None: ...
    def set_theme(self, choice: ThemeChoice) -> None: ...
    def restore(self) -> None: ...
    def cancel(self) -> None: ...
    def open_log_folder(self) -> None: ...
    def about(self) -> None: ...


Condition = Callable[[Situation], bool]


@dataclass(frozen=True)
class Command:
    """One thing the user can do.

    `menu` is its place, with a slash for a submenu; `run` gets the window and, for a command that can be checked,
    whether it is now. Commands that a part of the window brings along name the one that they come `after`.
    """

    name: str
    menu: str
    text: str
    run: Callable[[Commanded, bool], None]
    shortcut: str = ""
    enabled: Condition = lambda _: True
    checked: Condition | None = None
    exclusive: bool = False
    separator: bool = False
    after: str = ""

    @property
    def title(self) -> str:
        """The text without the marks for the keyboard and the dots of a dialog."""
        return self.text.replace("&", "").rstrip("…")


def assembled(*tables: Sequence[Command]) -> tuple[Command, ...]:
    """One table: the commands of later tables come after the ones that they name, else at the end."""
    whole = list(tables[0])
    for command in (c for table in tables[1:] for c in table):
        places = [k for k, other in enumerate(whole) if other.name == command.after]
        whole.insert(places[0] + 1 if places else len(whole), command)
    return tuple(whole)


def _theme(choice: ThemeChoice, text: str) -> Command:
    return Command(
        f"theme-{choice}",
        "View/Theme",
        text,
        lambda w, _: w.set_theme(choice),
        checked=lambda s: s.theme == choice,
        exclusive=True,
    )


def _tab(name: TabName) -> Command:
    return Command(
        f"tab-{name}",
        "View/Panel at the right",
        f"&{name.capitalize()}",
        lambda w, _: w.show_tab(name),
        f"Ctrl+{TAB_NAMES.index(name) + 1}",
        enabled=lambda s: s.count > 0 or s.scan,
        checked=lambda s: s.tab == name,
        exclusive=True,
    )


_THEME_TEXTS: Mapping[ThemeChoice, str] = {"system": "Like the &system", "light": "&Light", "dark": "&Dark"}

COMMANDS: tuple[Command, ...] = (
    Command("open-files", "File", "&Open files…", lambda w, _: w.ask_files(), "Ctrl+O"),
    Command("open-folder", "File", "Open &folder…", lambda w, _: w.ask_folder(), "Ctrl+Shift+O"),
    Command(
        "previous",
        "File",
        "&Previous file",
        lambda w, _: w.step_file(-1),
        "PgUp",
        lambda s: s.index > 0,
        separator=True,
    ),
    Command("next", "File", "&Next file", lambda w, _: w.step_file(1), "PgDown", lambda s: 0 <= s.index < s.count - 1),
    Command(
        "calibrate",
        "File",
        "Size and &unit…",
        lambda w, _: w.ask_calibration(),
        enabled=lambda s: s.can_calibrate and not s.run.locked,
    ),
    Command("quit", "File", "&Quit", lambda w, _: w.quit(), "Ctrl+Q", separator=True),
    Command(
        "next-channel",
        "View",
        "Next &channel",
        lambda w, _: w.step_channel(),
        "C",
        lambda s: s.scan and not s.run.locked,
    ),
    Command(
        "other-direction",
        "View",
        "Other &direction",
        lambda w, _: w.step_direction(),
        "D",
        lambda s: s.scan and not s.run.locked,
    ),
    Command("zoom-in", "View", "Zoom &in", lambda w, _: w.zoom(1.5), "Ctrl++", lambda s: s.scan, separator=True),
    Command("zoom-out", "View", "Zoom &out", lambda w, _: w.zoom(1 / 1.5), "Ctrl+-", lambda s: s.scan),
    Command("reset-zoom", "View", "&Whole image", lambda w, _: w.reset_zoom(), "Ctrl+0", lambda s: s.scan),
    *(_tab(name) for name in TAB_NAMES),
    *(_theme(choice, _THEME_TEXTS[choice]) for choice in THEME_CHOICES),
    Command(
        "restore",
        "Restore",
        "&Restore",
        lambda w, _: w.restore(),
        "Ctrl+R",
        lambda s: s.run.enabled and not s.run.cancels,
    ),
    Command("cancel", "Restore", "&Cancel", lambda w, _: w.cancel(), "Esc", lambda s: s.run.enabled and s.run.cancels),
    Command("log-folder", "Help", "Open &log folder", lambda w, _: w.open_log_folder()),
    Command("about", "Help", "&About stmviewer", lambda w, _: w.about(), separator=True),
)


class CommandMenus:
    """The menus of a window, built from a table of commands and kept up to date with the situation."""

    def __init__(self, window: QMainWindow, target: Commanded, commands: tuple[Command, ...] = COMMANDS) -> None:
        self.commands = commands
        self._menus: dict[str, QMenu] = {}
        self._window = window
        self.actions: dict[str, QAction] = {}
        groups: dict[str, QActionGroup] = {}
        for command in commands:
            menu = self.menu(command.menu)
            if command.separator:
                menu.addSeparator()
            action = QAction(command.text, window)
            if command.shortcut:
                action.setShortcut(QKeySequence(command.shortcut))
            action.setCheckable(command.checked is not None)
            if command.exclusive:
                groups.setdefault(command.menu, QActionGroup(window)).addAction(action)
            action.triggered.connect(lambda on, c=command: c.run(target, bool(on)))
            menu.addAction(action)
            window.addAction(action)  # shortcuts work with the menu bar hidden, too
            self.actions[command.name] = action

    def menu(self, path: str) -> QMenu:
        """The menu at `File` or `View/Theme`, made where it does not exist yet."""
        if path not in self._menus:
            parent, _, title = path.rpartition("/")
            # QMainWindow keeps the menus; Python must too, or their wrappers die
            self._menus[path] = (
                self.menu(parent).addMenu(title) if parent else self._window.menuBar().addMenu(f"&{title}")
            )
        return self._menus[path]

    def refresh(self, situation: Situation) -> None:
        """Enables and checks what the situation allows and says."""
        for command in self.commands:
            action = self.actions[command.name]
            action.setEnabled(command.enabled(situation))
            if command.checked is not None:
                action.setChecked(command.checked(situation))
