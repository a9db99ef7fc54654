"""Watches a folder for the window: polls it, lists what is new, opens the newest scan and restores it if wished."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from stmviewer.gui import dialogs
from stmviewer.gui.commands import Command
from stmviewer.gui.delayed import delayed
from stmviewer.gui.live.strip import LiveStrip
from stmviewer.gui.session import Session
from stmviewer.gui.settings import Settings
from stmviewer.gui.state import Phase
from stmviewer.services import events
from stmviewer.services.watch import FolderWatch, Watched, watch_job

#: between two looks at the folder; a file is finished when two looks found it the same
POLL_MS = 2000


class LiveControl(QObject):
    """On while a folder is watched. The newest finished scan opens once nothing is being restored or opened; one that
    came while the user restored another is listed only, or the result would be gone before it is seen.

    `changed` tells that it was switched on or off, `landed` which files are new or have changed. `restore`
    restores the scan on show with the window's settings.
    """

    changed = Signal()
    landed = Signal(object)

    def __init__(
        self, session: Session, settings: Settings, restore: Callable[[], None], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session, self._settings, self._restore = session, settings, restore
        self._lane = session.desk.lane(session.desk.watching, self._on_look)
        self._watch: FolderWatch | None = None
        #: whether the folder was seen, and what was in it is listed
        self._begun = False
        self._next: Path | None = None
        self._unlisted: tuple[Path, ...] = ()
        #: the scan that is being opened because it has landed
        self._landing: Path | None = None
        self._last = ""
        self._timer = delayed(self, self._poll)
        self.strip = LiveStrip()
        self.strip.restoring.setChecked(settings.flag("live-restore", False))
        self.strip.restoring_chosen.connect(lambda on: settings.set_flag("live-restore", on))
        self.strip.stop_asked.connect(self.stop)
        session.run_changed.connect(self._on_run)
        session.shown_changed.connect(self._on_shown)

    @property
    def folder(self) -> Path | None:
        """The folder that is watched."""
        return self._watch.folder if self._watch is not None else None

    def start(self, folder: Path) -> None:
        """Watches `folder` from now on: what is in it is listed, what comes opens."""
        self._watch, self._begun, self._next, self._landing, self._last = FolderWatch(folder), False, None, None, ""
        self._settings.set_text("live-folder", str(folder))
        self._tell()
        self._poll()
        self.changed.emit()

    def stop(self) -> None:
        """Watches no more; the scans stay."""
        self._timer.stop()
        self._lane.drop()
        self._watch = None
        self.strip.hide()
        self.changed.emit()

    def close(self) -> None:
        self._timer.stop()

    def ask(self, parent: object) -> None:
        """Asks for a folder and watches it; when one is watched, stops."""
        if self._watch is not None:
            self.stop()
            return
        shown = self._session.scan.path if self._session.scan else None
        start = self._settings.text("live-folder") or str(shown.parent if shown else Path.home())
        chosen = dialogs.ask_folder(parent, Path(start))  # type: ignore[arg-type]
        if chosen:
            self.start(chosen[0])
        else:
            self.changed.emit()  # the check mark in the menu goes again

    def commands(self, parent: object) -> tuple[Command, ...]:
        return (
            Command(
                "live",
                "File",
                "&Watch a folder (live)…",
                lambda _w, _: self.ask(parent),
                "Ctrl+L",
                checked=lambda _: self._watch is not None,
                after="open-folder",
            ),
        )

    # what happens

    def _poll(self) -> None:
        if self._watch is not None and not self._lane.busy:
            self._lane.start("Live folder", watch_job(self._watch))

    def _on_look(self, event: events.Event) -> None:
        match event:
            case events.Finished(Watched() as look) if self._watch is not None:
                if look.there and not self._begun:
                    self._begun = True
                    self._begin(look)
                if look.finished:
                    self._next = look.finished[-1]
                    self._unlisted += look.finished
                    self._go_on()
                self._tell(look)
        if isinstance(event, events.FINAL) and self._watch is not None:
            self._timer.start(POLL_MS)

    def _begin(self, look: Watched) -> None:
        """Lists what is in the folder already, the newest on show."""
        assert self._watch is not None
        if look.files:
            self._session.opening.open([self._watch.folder], newest=True)

    def _on_run(self) -> None:
        done = self._session.run.phase is Phase.DONE and not self.strip.restoring.isChecked()
        if self._watch is not None and self._next is not None and done and self._session.opening.files:
            name, self._next = self._next.name, None
            self._list_new()
            self._last = f"{name}, {datetime.now():%H:%M:%S}, in the list"
            self._tell()
        else:
            self._go_on()

    def _list_new(self) -> None:
        new, self._unlisted = self._unlisted, ()
        if self._session.opening.files:
            self._session.opening.add_files(new)
        self.landed.emit(new)

    def _go_on(self) -> None:
        """Opens the newest scan as soon as nothing else is under way."""
        session = self._session
        if self._watch is None or self._next is None or session.run.busy or session.opening.busy:
            return
        path, self._next = self._next, None
        self._list_new()
        self._landing = path
        if path in session.opening.files:
            session.opening.reopen_file(session.opening.files.index(path))
        else:  # the first one of an empty folder
            session.opening.open([path])

    def _on_shown(self) -> None:
        scan, landing = self._session.scan, self._landing
        if landing is not None and scan is not None and scan.path == landing:
            self._landing = None
            self._last = f"{landing.name}, {datetime.now():%H:%M:%S}"
            self._tell()
            if self.strip.restoring.isChecked():
                QTimer.singleShot(0, self, self._restore)  # the window shows the scan first
        self._go_on()

    def _tell(self, look: Watched | None = None) -> None:
        folder = self.folder
        if folder is None:
            return
        if look is not None and not look.there:
            self.strip.show_state(folder, False, f"{look.fault}. Still trying")
            return
        parts = [f"Watching {folder}"]
        if look is not None and look.growing:
            parts.append(f"{look.growing[-1].name} is being written")
        parts.append(f"last scan {self._last}" if self._last else "waiting for the next scan")
        self.strip.show_state(folder, True, "   ·   ".join(parts))
