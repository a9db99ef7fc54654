"""The restoration of the channel on show, and the results that it has given."""

import shlex
from time import monotonic

from PySide6.QtCore import QObject, Signal

from stmviewer.files.calibration import of_facts
from stmviewer.gui.candidates import MOST_RESULTS
from stmviewer.gui.session.stage import Stage
from stmviewer.gui.shown import Restored
from stmviewer.gui.state import Phase, Run
from stmviewer.restore import RestoreRequest
from stmviewer.scan import Channel
from stmviewer.services import events
from stmviewer.services.jobs import Context


class Restoring(QObject):
    """Runs it, and keeps the last results of every channel of the file on show.

    A run belongs to the channel that it was begun on: it ends when another one comes on show.
    """

    restored_changed = Signal()
    device_named = Signal(str)

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._stage = stage
        #: the last results of each channel, and which of them is shown
        self._results: dict[Channel, list[Restored]] = {}
        self._chosen: dict[Channel, Restored] = {}
        self._device_known = False
        self._lane = stage.desk.lane(stage.desk.restoring, self._on_run, gives_up=True)
        self._naming_device = stage.desk.lane(stage.desk.restoring, self._on_device)
        stage.left.connect(self._forget)
        stage.shown_changed.connect(self._end)

    @property
    def restored(self) -> Restored | None:
        """The result for the channel on show, if there is one."""
        shown = self._stage.shown
        return self._chosen.get(shown.channel) if shown else None

    @property
    def results(self) -> tuple[Restored, ...]:
        """The last results for the channel on show, the latest last."""
        shown = self._stage.shown
        return tuple(self._results.get(shown.channel, ())) if shown else ()

    def choose(self, restored: Restored) -> None:
        """Shows another of the results."""
        shown = self._stage.shown
        if shown is not None and restored in self.results and restored is not self.restored:
            self._chosen[shown.channel] = restored
            self.restored_changed.emit()

    def start(self, request: RestoreRequest) -> None:
        """Restores the channel on show."""
        shown = self._stage.shown
        if shown is None or shown.obstacle or self._stage.run.busy:
            return
        raw = shown.raw
        steps = shown.history.to_text()
        request = request.replaced(channel=raw.channel.name, direction=raw.channel.direction, process=steps)
        inner = self._stage.services.restore_job(raw.scan, request)

        def job(context: Context) -> Restored:
            started = monotonic()
            restoration = inner(context)
            return Restored.of(restoration, shown.scan.geometry, monotonic() - started)

        self._set(self._stage.run.submitted())  # those who use the same worker make room
        self._lane.start("Restoration", job)

    def cancel(self) -> None:
        """Asks the run to stop."""
        if self._stage.run.phase is Phase.RUNNING:
            self._lane.cancel()
            self._set(self._stage.run.cancel_asked())

    def command(self) -> str | None:
        """The command line that repeats the result on show."""
        shown, restored = self._stage.shown, self.restored
        if shown is None or restored is None or shown.scan.path is None:
            return None
        command = restored.restoration.request.command(str(shown.scan.path))
        scan = shown.raw.scan
        more = [] if scan.part.number == 1 else ["--part", str(scan.part.number)]
        said = of_facts(scan.calibration)
        return " ".join([command, *map(shlex.quote, more + (said.flags() if said is not None else []))])

    def _set(self, run: Run) -> None:
        self._stage.run = run
        self._stage.run_changed.emit()

    def _on_run(self, event: events.Event) -> None:
        shown, run = self._stage.shown, self._stage.run.after(event)
        self._stage.run = run
        match event:
            case events.Finished(Restored() as restored) if shown:
                kept = self._results.setdefault(shown.channel, [])
                kept.append(restored)
                del kept[:-MOST_RESULTS]
                self._chosen[shown.channel] = restored
                self.restored_changed.emit()
                self._ask_device()
            case events.Failed(message, details):
                self._stage.complained.emit(message, details)
        self._stage.run_changed.emit()

    def _end(self) -> None:
        self._lane.drop()
        if self._stage.run != Run():
            self._set(Run())

    def _forget(self) -> None:
        self._results.clear()
        self._chosen.clear()

    def _ask_device(self) -> None:
        # only now: torch is loaded anyway
        if not self._device_known:
            self._naming_device.start("Device", self._stage.services.device_job())

    def _on_device(self, event: events.Event) -> None:
        match event:
            case events.Finished(str(name)):
                self._device_known = True
                self.device_named.emit(name)
