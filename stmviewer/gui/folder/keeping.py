"""Stars and notes on their way into the database beside the files: nothing that the user has said is lost."""

from collections.abc import Sequence
from pathlib import Path
from time import monotonic, sleep
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal

from stmviewer.gui.delayed import delayed
from stmviewer.gui.folder.panel import FolderPanel
from stmviewer.gui.services_used import Services
from stmviewer.gui.worker import JobDesk
from stmviewer.services import events
from stmviewer.services.notes import Note, NotesRead, NoteWritten

#: a database that another program holds, and a folder that is away, are tried again after this
RETRY_MS = 5000
#: what is under way when the window closes has this long to be written (s)
_LAST_S = 2.0


class _Change(NamedTuple):
    path: Path
    note: Note
    before: Note


class NoteKeeper(QObject):
    """Reads the notes on the listed files and writes one after the other what the user says.

    A note that cannot be written yet stays in the list as it was typed and is tried again. `told` carries a line for
    the user and whether it is a complaint; '' when there is nothing to tell any more.
    """

    told = Signal(str, bool)

    def __init__(self, desk: JobDesk, services: Services, panel: FolderPanel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk, self._services, self._panel = desk, services, panel
        self._reading = desk.lane(desk.files, self._on_read)
        self._writing = desk.lane(desk.files, self._on_written)
        self._files: tuple[Path, ...] = ()
        #: to be written, in this order; the first one is under way while the lane is busy
        self._waiting: list[_Change] = []
        #: could not be written yet
        self._unkept: list[_Change] = []
        self._read_again = False
        self._said = ""
        self._later = delayed(self, self._try_again)

    @property
    def unkept(self) -> list[Path]:
        """Files whose notes could not be written so far."""
        return [change.path for change in self._unkept]

    def read(self, files: Sequence[Path]) -> None:
        """Shows the notes on these files, which are listed now."""
        self._files = tuple(files)
        self._reading.start("Notes", self._services.read_notes_job(self._files))

    def write(self, path: Path, note: Note) -> None:
        """Shows a note at once and keeps it beside the folder."""
        entry = self._panel.model.entry_of(path)
        change = _Change(path, note, entry.note if entry is not None else Note())
        self._show(path, note)
        for earlier in [other for other in self._unkept if other.path == path]:
            self._unkept.remove(earlier)
            change = change._replace(before=earlier.before)
        self._waiting.append(change)
        self._write_next()

    def finish(self) -> None:
        """Waits a moment for what is being written, and tries once more what could not be."""
        self._later.stop()
        self._waiting += self._unkept
        self._unkept = []
        self._write_next()
        until = monotonic() + _LAST_S
        while self._writing.busy and monotonic() < until:
            self._desk.drain()
            sleep(0.01)
        self._later.stop()

    def _write_next(self) -> None:
        if self._waiting and not self._writing.busy:
            self._writing.start("Note", self._services.write_note_job(*self._waiting[0]))

    def _on_written(self, event: events.Event) -> None:
        if not isinstance(event, events.FINAL):
            return
        change = self._waiting.pop(0)
        match event:
            case events.Finished(NoteWritten() as written):
                if written.again:
                    self._unkept.append(change)
                    self._later.start(RETRY_MS)
                elif all(other.path != change.path for other in self._waiting):
                    self._show(change.path, written.note)
                self._tell(written.said, complains=written.again)
            case events.Failed(message):
                self._tell(message, complains=True)
        self._write_next()

    def _on_read(self, event: events.Event) -> None:
        match event:
            case events.Finished(NotesRead(notes, faults, again)):
                shown = dict(notes)
                for path, note, before in (*self._unkept, *self._waiting):  # what was said meanwhile counts
                    shown[path] = note.changed_on(before, shown.get(path, Note()))
                self._panel.model.show_notes(shown)
                self._panel.show_note()
                self._read_again = again
                if again:
                    self._later.start(RETRY_MS)
                self._tell(" ".join(f"{fault}." for fault in faults), complains=True)
            case events.Failed(message):
                self._tell(message, complains=True)

    def _try_again(self) -> None:
        self._waiting, self._unkept = [*self._unkept, *self._waiting], []
        self._write_next()
        if self._read_again and not self._reading.busy:
            self.read(self._files)

    def _show(self, path: Path, note: Note) -> None:
        self._panel.model.show_note(path, note)
        self._panel.show_note()

    def _tell(self, text: str, *, complains: bool) -> None:
        """The same line is told once: whoever has dismissed it has read it."""
        if text != self._said:
            self._said = text
            self.told.emit(text, complains)
