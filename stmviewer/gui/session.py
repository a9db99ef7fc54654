"""What the window works on: the list of files, the scan on show, the run and its result. The widgets only show it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from PySide6.QtCore import QObject, Signal

from stmviewer.gui.shown import Opened, Restored, Shown, ShownMask, pick_channel, preview_mask
from stmviewer.gui.state import Phase, Run
from stmviewer.gui.worker import JobDesk
from stmviewer.restore import ModelInfo, Restoration, RestoreRequest
from stmviewer.scan import Channel, FileError, Scan, StmviewerError
from stmviewer.services import events, exporting, opening, restoring
from stmviewer.services.jobs import Context, Job


@dataclass(frozen=True)
class Services:
    """The services that the window calls; tests put their own in place."""

    scan_files: Callable[[Sequence[Path]], list[Path]] = opening.scan_files
    open_job: Callable[[Path], Job] = opening.open_job
    available_models: Callable[[], list[ModelInfo]] = restoring.available_models
    restore_job: Callable[[Scan, RestoreRequest], Job] = restoring.restore_job
    device_job: Callable[[], Job] = restoring.device_job
    export_job: Callable[[Restoration, Scan, Path], Job] = exporting.export_job


class Session(QObject):
    """Holds the state and runs the jobs; everything here happens on the GUI thread.

    `complained` carries one clear line and, when the fault is ours, a traceback.
    """

    opened = Signal()
    shown_changed = Signal()
    mask_changed = Signal()
    run_changed = Signal()
    restored_changed = Signal()
    models_changed = Signal()
    device_named = Signal(str)
    complained = Signal(str, str)
    exported = Signal(object)

    def __init__(self, services: Services | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._services = services or Services()
        self.desk = JobDesk(self)
        self.files: tuple[Path, ...] = ()
        self.index = -1
        self.shown: Shown | None = None
        self.mask: ShownMask | None = None
        self.mask_fault = ""
        self.run = Run()
        self.models: list[ModelInfo] = []
        self._results: dict[Channel, Restored] = {}
        self._device_known = False
        desk = self.desk
        self._opening = desk.lane(desk.files, self._on_opening)
        self._previewing = desk.lane(desk.files, self._on_preview)
        self._listing_models = desk.lane(desk.files, self._on_models)
        self._exporting = desk.lane(desk.files, self._on_export)
        self._restoring = desk.lane(desk.restoring, self._on_run)
        self._naming_device = desk.lane(desk.restoring, self._on_device)

    @property
    def scan(self) -> Scan | None:
        return self.shown.scan if self.shown else None

    @property
    def restored(self) -> Restored | None:
        """The result for the channel on show, if there is one."""
        return self._results.get(self.shown.channel) if self.shown else None

    def list_models(self) -> None:
        self._listing_models.start("Reading the models", lambda _: self._services.available_models())

    # opening

    def open(self, paths: Sequence[Path]) -> None:
        """Opens files and folders: lists them and shows the first."""

        def job(context: Context) -> Opened:
            files = tuple(self._services.scan_files(paths))
            try:
                return Opened(files, 0, self._load(context, files[0], wish))
            except StmviewerError as error:
                return Opened(files, 0, None, str(error))

        wish = self._wish()
        self._opening.start("Opening", job)

    def show_file(self, index: int) -> None:
        """Shows another file of the list; beyond its ends does nothing."""
        if not 0 <= index < len(self.files):
            return
        if index == self.index and self.shown:
            self._opening.drop()  # back again before the other one had come
            return
        files, wish = self.files, self._wish()

        def job(context: Context) -> Opened:
            try:
                return Opened(files, index, self._load(context, files[index], wish))
            except StmviewerError as error:
                return Opened(files, index, None, str(error))

        self._opening.start("Opening", job)

    def show_channel(self, channel: Channel) -> None:
        """Shows another channel of the scan."""
        scan = self.scan
        if scan is None or self.run.busy or (self.shown and channel is self.shown.channel):
            return
        files, index = self.files, self.index

        def job(_: Context) -> Opened:
            return Opened(files, index, Shown.of(scan, channel))

        self._opening.start("Reading the channel", job)

    def _wish(self) -> Channel | None:
        return self.shown.channel if self.shown else None

    def _load(self, context: Context, path: Path, wish: Channel | None) -> Shown:
        scan = self._services.open_job(path)(context)
        if not isinstance(scan, Scan):
            raise FileError(path, "it holds no scan")
        shown = Shown.of(scan, pick_channel(scan, wish))
        context.progress.check()
        return shown

    def _on_opening(self, event: events.Event) -> None:
        match event:
            case events.Finished(Opened(files, index, shown, fault)):
                if fault:
                    self.complained.emit(fault, "")
                if shown is None and len(files) == 1:
                    return  # what was on show stays
                same_scan = shown is not None and shown.scan is self.scan
                self.files, self.index, self.shown = files, index, shown
                self.mask, self.mask_fault, self.run = None, "", Run()
                if not same_scan:
                    self._leave_scan()
                    self.opened.emit()
                self.shown_changed.emit()
            case events.Failed(message, details):
                self.complained.emit(message, details)

    def _leave_scan(self) -> None:
        self._results.clear()
        self._restoring.drop()

    # the mask before a run

    def preview(self, request: RestoreRequest) -> None:
        """Works out the mask that `request` would use on the channel on show."""
        shown = self.shown
        if shown is not None:
            self._previewing.start("Mask", lambda _: preview_mask(shown, request))

    def _on_preview(self, event: events.Event) -> None:
        match event:
            case events.Finished(mask):
                self.mask, self.mask_fault = mask, ""
            case events.Failed(message):
                self.mask, self.mask_fault = None, message
            case _:
                return
        self.mask_changed.emit()

    # restoring

    def restore(self, request: RestoreRequest) -> None:
        """Restores the channel on show."""
        shown = self.shown
        if shown is None or shown.obstacle or self.run.busy:
            return
        request = request.replaced(channel=shown.channel.name, direction=shown.channel.direction)
        inner = self._services.restore_job(shown.scan, request)

        def job(context: Context) -> Restored:
            started = monotonic()
            restoration = inner(context)
            return Restored.of(restoration, shown.scan.geometry, monotonic() - started)

        self.run = self.run.submitted()
        self._restoring.start("Restoration", job)
        self.run_changed.emit()

    def cancel(self) -> None:
        """Asks the run to stop."""
        if self.run.phase is Phase.RUNNING:
            self.run = self.run.cancel_asked()
            self._restoring.cancel()
            self.run_changed.emit()

    def _on_run(self, event: events.Event) -> None:
        self.run = self.run.after(event)
        match event:
            case events.Finished(Restored() as restored) if self.shown:
                self._results[self.shown.channel] = restored
                self.restored_changed.emit()
                self._ask_device()
            case events.Failed(message, details):
                self.complained.emit(message, details)
        self.run_changed.emit()

    def _ask_device(self) -> None:
        # only now: torch is loaded anyway
        if not self._device_known:
            self._naming_device.start("Device", self._services.device_job())

    def _on_device(self, event: events.Event) -> None:
        match event:
            case events.Finished(str(name)):
                self._device_known = True
                self.device_named.emit(name)

    # models, export, end

    def _on_models(self, event: events.Event) -> None:
        match event:
            case events.Finished(models):
                self.models = models
                self.models_changed.emit()
            case events.Failed(message, details):
                self.complained.emit(message, details)

    def export(self, path: Path) -> None:
        """Writes the result on show to `path`; never over the file that was measured."""
        shown, restored = self.shown, self.restored
        if shown is None or restored is None:
            return
        if shown.scan.path and path.resolve() == shown.scan.path.resolve():
            self.complained.emit(
                f"{path}: this is the measured file, which is never overwritten. Choose another name", ""
            )
            return
        self._exporting.start("Export", self._services.export_job(restored.restoration, shown.scan, path))

    def _on_export(self, event: events.Event) -> None:
        match event:
            case events.Finished(path):
                self.exported.emit(path)
            case events.Failed(message, details):
                self.complained.emit(message, details)

    def command(self) -> str | None:
        """The command line that repeats the result on show."""
        if self.shown is None or self.restored is None or self.shown.scan.path is None:
            return None
        return self.restored.restoration.request.command(str(self.shown.scan.path))

    def close(self) -> bool:
        """Cancels every job; False when one did not stop in time."""
        return self.desk.close()
