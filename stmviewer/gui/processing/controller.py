"""Between the Process page, the session and the images: what is edited is worked out and shown."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from stmviewer.gui.drawing import Toolbox
from stmviewer.gui.processing.editing import Editor
from stmviewer.gui.processing.panel import ProcessPanel
from stmviewer.gui.processing.spectrum_marks import SpectrumMarks
from stmviewer.gui.processing.step_tools import StepTools
from stmviewer.gui.processing.suggestions import suggested
from stmviewer.gui.session import Session
from stmviewer.gui.shown import Shown, StepFault
from stmviewer.scan import History, Step
from stmviewer.scan.processing.catalogue import KINDS
from stmviewer.scan.processing.kinds import Value
from stmviewer.services import events
from stmviewer.services.converting import ConvertRequest
from stmviewer.services.processing import Processed, process_files_job

Key = tuple[str, int, str, str]


class Processing(QObject):
    """Holds the steps of every channel that was on show, and the steps that were copied.

    `changed` tells that menus must be looked at again; `told` gives a line for the user and a folder or None.
    """

    changed = Signal()
    told = Signal(str, object)

    def __init__(
        self, session: Session, panel: ProcessPanel, toolbox: Toolbox, marks: SpectrumMarks, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._session, self._panel = session, panel
        self.tools = StepTools(panel, toolbox, marks, self)
        self._editors: dict[Key, Editor] = {}
        self.editor = Editor()
        self.copied = History()
        #: the kind of step that is being drawn and is not in the history yet
        self._pending = ""
        #: the kind of step that is being drawn, or was last
        self._drawn = ""
        self._fault = StepFault(-1, "")
        self._working = session.desk.lane(session.desk.files, self._on_work)
        self._connect()

    def _connect(self) -> None:
        panel, session = self._panel, self._session
        panel.add_asked.connect(self.add)
        panel.list.selected.connect(self._select)
        panel.list.enabled.connect(lambda index, on: self._edit(lambda e: e.enable(index, on)))
        panel.list.moved.connect(lambda index, to: self._edit(lambda e: e.move(index, to)))
        panel.list.delete_asked.connect(lambda index: self._edit(lambda e: e.remove(index)))
        panel.form.edited.connect(lambda name, value: self._edit(lambda e: e.set_value(name, value), soon=True))
        panel.form.draw_asked.connect(self._draw)
        panel.form.clear_asked.connect(self._clear)
        panel.cancel_asked.connect(self._cancel)
        session.shown_changed.connect(self._on_shown)
        session.steps.failed.connect(self._on_fault)
        session.run_changed.connect(self._on_run)
        session.steps.progress.connect(self._on_progress)
        self.tools.drawn.connect(self._put)
        self.tools.finished.connect(self.leave)
        self.tools.taken.connect(self.leave)

    @property
    def history(self) -> History:
        return self.editor.history

    @property
    def busy(self) -> bool:
        return self._working.busy

    # what the user does

    def add(self, name: str) -> None:
        """Adds a step; one that is drawn begins when something is drawn."""
        if self._session.shown is None:
            return
        if KINDS[name].drawn:
            self.leave()
            self._pending, self.editor.selected = name, -1
            self._begin_drawing(name)
        else:
            given = suggested(name, self._session.shown)
            self._edit(lambda e: e.add(Step(name, given)))

    def undo(self) -> None:
        self._edit(Editor.undo)

    def redo(self) -> None:
        self._edit(Editor.redo)

    def copy(self) -> None:
        self.copied = self.history
        self.changed.emit()

    def paste(self) -> None:
        """Takes the copied steps instead of those of the channel on show."""
        self._edit(lambda e: e.replace(self.copied))

    def take(self, history: History) -> None:
        """Takes steps that were read from a file."""
        self._edit(lambda e: e.replace(history))

    def process_folder(self, files: tuple[Path, ...], folder: Path) -> None:
        """Writes every file with these steps into `folder`, as `stmviewer convert --process` does."""
        shown = self._session.shown
        if shown is None or not self.history.enabled:
            return
        channel = shown.raw.channel
        request = ConvertRequest("gwy", folder, channel.name, channel.direction, process=self.history.to_text())
        self._panel.show_work(0.0)
        self._working.start("Processing the folder", process_files_job(files, request))
        self.changed.emit()

    def leave(self) -> None:
        """Stops drawing."""
        if not self.drawing:
            return
        self._pending = ""
        self.tools.end()
        self._apply()
        self._refresh()

    # drawing

    @property
    def drawing(self) -> bool:
        return self.tools.active

    def _draw(self) -> None:
        step = self.editor.step
        if self.drawing or step is None:
            self.leave()
        else:
            self._begin_drawing(step.name)

    def _begin_drawing(self, name: str) -> None:
        self._drawn = name
        self.tools.begin(name)
        self._apply()
        self._refresh()
        self._fit_tools()

    def _fit_tools(self) -> None:
        shown = self._session.shown
        step = None if self._pending else self.editor.step
        base = self.history if step is None else self.history.before(self.editor.selected)
        self.tools.fit(shown, step, before=shown is not None and shown.history.enabled == base.enabled)

    def _put(self, values: dict[str, Value]) -> None:
        """What was drawn becomes a step, or goes into the one that is being drawn."""
        name, self._pending = self._pending, ""
        if name:
            self._edit(lambda e: e.add(Step(name, values)))
        else:
            self._edit(lambda e: e.set_values(**values))

    def _clear(self) -> None:
        step = self.editor.step
        if step is not None:
            name = "path" if step.name == "mask-brush" else "circles"
            self._edit(lambda e: e.set_values(**{name: ""}))

    # what happens

    def _edit(self, change: Callable[[Editor], None], *, soon: bool = False) -> None:
        change(self.editor)
        step = self.editor.step
        if self.drawing and not self._pending and (step is None or step.name != self._drawn):
            # it was undone, deleted or replaced while it was drawn: what is drawn next begins another one
            self._pending, self.editor.selected = self._drawn, -1
        self._fault = StepFault(-1, "")
        if soon:
            self._session.steps.show_soon(self._effective())
        else:
            self._apply()
        self._refresh()
        self._fit_tools()

    def _select(self, index: int) -> None:
        if index >= 0 and index != self.editor.selected:
            self.leave()
            self.editor.selected = index
            self._refresh()

    def _effective(self) -> History:
        """What is shown: everything, or while a step is drawn what it is drawn on."""
        history, step = self.history, self.editor.step
        if not self.drawing or self._pending or step is None:
            return history
        # what is painted or marked is seen at once: neither moves pixels
        painted = step.name == "mask-brush" and str(step.value("path")).strip()
        marked = step.name == "fft-filter" and str(step.value("circles")).strip() and self.tools.marks.ready
        return history.before(self.editor.selected + bool(painted or marked))

    def _apply(self) -> None:
        self._session.steps.show(self._effective())

    def _on_shown(self) -> None:
        shown = self._session.shown
        if shown is None:
            return
        key = _key(shown)
        editor = self._editors.setdefault(key, Editor())
        if editor is not self.editor:
            self._pending, self.editor = "", editor
            self.tools.end()
            self._fault = StepFault(-1, "")
        if shown.history.enabled != self._effective().enabled and not self._fault.cause:
            self._session.steps.show(self._effective())
        self._refresh()
        self._fit_tools()

    def _on_run(self) -> None:
        """While a restoration runs the steps stay as they are: its result belongs to them."""
        busy = self._session.run.busy
        if busy:
            self.leave()
        for widget in (self._panel.add, self._panel.list, self._panel.form):
            widget.setEnabled(not busy)

    def _on_fault(self, fault: StepFault) -> None:
        self._fault = fault
        self._refresh()

    def _refresh(self) -> None:
        shown = self._session.shown
        unit = shown.channel.unit if shown else ""
        lateral = "nm" if shown is None or shown.scan.geometry.calibrated else "px"
        self._panel.show_editor(self.editor, unit, lateral, self._fault.index, self._fault.cause, drawing=self.drawing)
        processed = shown is not None and bool(shown.history.enabled)
        said = f"Now {shown.scan.geometry.in_words()}".replace(" x ", " × ") if shown and processed else ""
        if shown is not None and processed and not shown.channel.measured.all():
            said += f", {100 * (1 - shown.channel.measured_fraction):.3g} % not measured"
        self._panel.result.setText(said)
        self._panel.result.setVisible(bool(said))
        self._panel.add.setEnabled(shown is not None and not self._session.run.busy)
        self.changed.emit()

    def _on_progress(self, fraction: float) -> None:
        """Of a step that takes long; below 0 when it has ended."""
        if not self._working.busy:
            self._panel.show_work(fraction if fraction >= 0 else None)

    def _cancel(self) -> None:
        if self._working.busy:
            self._working.cancel()
        else:
            self._session.steps.cancel()

    def _on_work(self, event: events.Event) -> None:
        match event:
            case events.Advanced(fraction):
                self._panel.show_work(fraction)
            case events.Finished(Processed() as done):
                self._panel.show_work(None)
                self.told.emit(done.in_words(), done.folder if done.written else None)
            case events.Failed(message):
                self._panel.show_work(None)
                self.told.emit(message, None)
            case events.Cancelled():
                self._panel.show_work(None)
                self.told.emit("Cancelled. What was written before stays", None)
        self.changed.emit()


def _key(shown: Shown) -> Key:
    scan, channel = shown.raw.scan, shown.raw.channel
    where = str(scan.path) if scan.path is not None else f"#{id(scan)}"
    return where, scan.part.number, f"{channel.name} {channel.role}", channel.direction
