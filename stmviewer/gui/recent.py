"""Files and folders that were opened before: a menu, and a list on the empty window."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMenu

from stmviewer.gui.settings import Settings


class Recent(QObject):
    """Knows what was opened; `changed` gives the list, the latest first."""

    changed = Signal(list)

    def __init__(self, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        #: what was asked for and is not open yet
        self._asked: tuple[Path, ...] = ()

    @property
    def paths(self) -> list[Path]:
        return self._settings.recent

    def asked(self, paths: Sequence[Path]) -> None:
        """These are being opened; they are remembered when that has worked."""
        self._asked = tuple(paths)

    def opened(self) -> None:
        if self._asked:
            self._settings.add_recent(self._asked)
            self._asked = ()
            self.changed.emit(self.paths)

    def failed(self) -> None:
        self._asked = ()

    def clear(self) -> None:
        self._settings.clear_recent()
        self.changed.emit(self.paths)

    def folder(self, shown: Path | None) -> Path:
        """Where a dialog begins: beside the file on show, else where something was opened the last time."""
        path = shown or next(iter(self.paths), None)
        return path.parent if path and not path.is_dir() else path or Path.home()


def fill_recent(menu: QMenu, recent: list[Path], choose: Callable[[Path], None], clear: Callable[[], None]) -> None:
    """Fills the menu of recent files and folders."""
    menu.clear()
    for path in recent:
        action = menu.addAction(f"{path.name}   —   {path.parent}")
        action.triggered.connect(lambda _=False, p=path: choose(p))
    menu.setEnabled(bool(recent))
    if recent:
        menu.addSeparator()
        menu.addAction("Clear the list").triggered.connect(clear)
