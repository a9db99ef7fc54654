"""What the window works on: the list of files, the scan on show, the run and its result. The widgets only show it."""

import logging
import shlex
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from time import monotonic

from PySide6.QtCore import QObject, Signal

from stmviewer.files.calibration import Calibration, filled_in, key_of, of_facts
from stmviewer.gui.candidates import MOST_RESULTS
from stmviewer.gui.services_used import Services
from stmviewer.gui.shown import (
    ChannelWish,
    Opened,
    Restored,
    Shown,
    ShownMask,
    StepFault,
    pick_channel,
    preview_mask,
    processed_shown,
)
from stmviewer.gui.state import Phase, Run
from stmviewer.gui.worker import JobDesk
from stmviewer.restore import ModelInfo, RestoreRequest
from stmviewer.scan import Channel, FileError, History, Scan, StmviewerError
from stmviewer.services import events, exporting, thumbnails
from stmviewer.services.jobs import Context
from stmviewer.services.judging import TipState
from stmviewer.services.thumbnails import Order

__all__ = ["Services", "Session"]
#: what steps have made of a channel is kept that often: going back and forth is at once
_MOST_PROCESSED = 4
#: steps that have taken this long (s) show how far they are
_LONG_S = 0.4
_log = logging.getLogger(__name__)


class Session(QObject):
    """Holds the state and runs the jobs; everything here happens on the GUI thread.

    `complained` carries one clear line and, when the fault is ours, a traceback; `listed` the channel that the pictures
    of the list follow: it comes with a new list, and when the user has chosen another channel.
    """

    opened = Signal()
    listed = Signal(object)
    files_sorted = Signal()
    shown_changed = Signal()
    mask_changed = Signal()
    run_changed = Signal()
    restored_changed = Signal()
    models_changed = Signal()
    device_named = Signal(str)
    tip_judged = Signal(object)
    complained = Signal(str, str)
    exported = Signal(object)
    step_failed = Signal(object)
    #: the part (0 to 1) of steps that take long; -1 when they have ended
    processing_progress = Signal(float)

    def __init__(self, services: Services | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.services = self._services = services or Services()
        self.desk = JobDesk(self)
        self.files: tuple[Path, ...] = ()
        self.index = -1
        self.order: Order = "name"
        self.shown: Shown | None = None
        #: the channel of the whole folder; None for what the scan on show has
        self.wish: ChannelWish | None = None
        #: every scan of the file on show; most files hold one
        self.parts: tuple[Scan, ...] = ()
        #: what the user has said about images without size or unit, by file or folder
        self.calibrations: Mapping[str, Calibration] = {}
        self.mask: ShownMask | None = None
        self.mask_fault = ""
        self.run = Run()
        self.models: list[ModelInfo] = []
        #: the last results of each channel of the scan, and which of them is shown
        self._results: dict[Channel, list[Restored]] = {}
        self._chosen: dict[Channel, Restored] = {}
        #: what steps have made of the channel on show, the latest last
        self._processed: dict[tuple[Channel, str], Shown] = {}
        self._processing_since = 0.0
        self._device_known = False
        desk = self.desk
        self._opening = desk.lane(desk.files, self._on_opening)
        self._processing = desk.lane(desk.files, self._on_processed)
        self._previewing = desk.lane(desk.files, self._on_preview)
        self._listing_models = desk.lane(desk.files, self._on_models)
        self._exporting = desk.lane(desk.files, self._on_export)
        self._restoring = desk.lane(desk.restoring, self._on_run)
        self._naming_device = desk.lane(desk.restoring, self._on_device)
        self._judging = desk.lane(desk.restoring, self._on_tip)

    @property
    def scan(self) -> Scan | None:
        """The scan on show, as it was measured."""
        return self.shown.raw.scan if self.shown else None

    @property
    def restored(self) -> Restored | None:
        """The result for the channel on show, if there is one."""
        return self._chosen.get(self.shown.channel) if self.shown else None

    @property
    def results(self) -> tuple[Restored, ...]:
        """The last results for the channel on show, the latest last."""
        return tuple(self._results.get(self.shown.channel, ())) if self.shown else ()

    def choose_result(self, restored: Restored) -> None:
        """Shows another of the results."""
        if self.shown is not None and restored in self.results and restored is not self.restored:
            self._chosen[self.shown.channel] = restored
            self.restored_changed.emit()

    def list_models(self) -> None:
        self._listing_models.start("Reading the models", lambda _: self._services.available_models())

    # opening

    def open(self, paths: Sequence[Path], *, newest: bool = False) -> None:
        """Opens files and folders: lists them and shows the first, or the newest."""

        def job(context: Context) -> Opened:
            files = tuple(self._services.scan_files(paths))
            if order != "name":  # by name they are within each folder
                files = tuple(thumbnails.in_order(files, order))
            index = files.index(thumbnails.in_order(files, "newest")[0]) if newest else 0
            return self._opened(context, files, index, wish, calibrations)

        wish, calibrations, order = self._wish(), self.calibrations, self.order
        self._opening.start("Opening", job)

    def show_file(self, index: int) -> None:
        """Shows another file of the list; beyond its ends does nothing."""
        if not 0 <= index < len(self.files):
            return
        if index == self.index and self.shown:
            self._opening.drop()  # back again before the other one had come
            return
        self._start_opening(index)

    def reorder(self, files: tuple[Path, ...]) -> None:
        """Lists the same files in another order; the one on show stays on show."""
        if sorted(files) == sorted(self.files) and not self._opening.busy:
            self._list(files)

    def add_files(self, files: Sequence[Path]) -> None:
        """Lists files that have come since: at their places by name, else the newest first or last."""
        new = tuple(path for path in files if path not in set(self.files))
        if new and not self._opening.busy:
            by_name = tuple(sorted((*self.files, *new)))
            self._list((*new[::-1], *self.files) if self.order == "newest" else by_name)
            self.listed.emit(self._wish())

    def _list(self, files: tuple[Path, ...]) -> None:
        shown = self.files[self.index] if self.files else None
        self.files = files
        self.index = files.index(shown) if shown is not None else -1
        self.files_sorted.emit()

    def wish_for(self, wish: ChannelWish | None) -> None:
        """Shows that channel of every file that has it, from the one on show on; None: each as the one before."""
        self.wish = wish
        if self.shown is None or wish is None:
            return
        channel = pick_channel(self.shown.raw.scan, wish)
        if channel is self.shown.raw.channel or self.run.busy:
            self.listed.emit(wish)
        else:
            self.show_channel(channel)

    def take(self, scan: Scan) -> None:
        """Shows a scan that lies in no file."""
        job = partial(_taken, scan, self._wish())
        self._opening.start("Opening", job)

    def reopen(self) -> None:
        """Opens the file on show once more, with what the user now says about it."""
        if self.shown is not None and not self.run.busy:
            self._start_opening(self.index)

    def reopen_file(self, index: int) -> None:
        """Opens a file of the list, also the one on show, which has changed."""
        if 0 <= index < len(self.files) and not self.run.busy:
            self._start_opening(index)

    def _start_opening(self, index: int) -> None:
        files, wish, calibrations = self.files, self._wish(), self.calibrations
        self._opening.start("Opening", lambda context: self._opened(context, files, index, wish, calibrations))

    def show_part(self, part: Scan) -> None:
        """Shows another scan of the file on show."""
        parts = self.parts
        if self.run.busy or part is self.scan or not any(part is one for one in parts):
            return
        files, index, wish = self.files, self.index, self._wish()

        def job(_: Context) -> Opened:
            return Opened(files, index, Shown.of(part, pick_channel(part, wish)), parts=parts)

        self._opening.start("Opening", job)

    def show_channel(self, channel: Channel) -> None:
        """Shows another channel of the scan."""
        scan = self.scan
        if scan is None or self.run.busy or (self.shown and channel is self.shown.raw.channel):
            return
        files, index, parts = self.files, self.index, self.parts

        def job(_: Context) -> Opened:
            return Opened(files, index, Shown.of(scan, channel), parts=parts)

        self._opening.start("Reading the channel", job)

    def _wish(self) -> Channel | ChannelWish | None:
        return self.wish or (self.shown.raw.channel if self.shown else None)

    @property
    def busy(self) -> bool:
        """Whether a scan is being opened."""
        return self._opening.busy

    @property
    def exporting(self) -> bool:
        """Whether a result is being written."""
        return self._exporting.busy

    def _opened(
        self,
        context: Context,
        files: tuple[Path, ...],
        index: int,
        wish: Channel | ChannelWish | None,
        calibrations: Mapping[str, Calibration],
    ) -> Opened:
        """Runs in a job: the file at `index` with its first scan, or why it cannot be opened."""
        try:
            parts = self._load(context, files[index], calibrations)
            shown = Shown.of(parts[0], pick_channel(parts[0], wish))
            context.progress.check()
        except StmviewerError as error:
            return Opened(files, index, None, str(error))
        return Opened(files, index, shown, parts=parts)

    def _load(self, context: Context, path: Path, calibrations: Mapping[str, Calibration]) -> tuple[Scan, ...]:
        parts = self._services.open_job(path)(context)
        if not (isinstance(parts, tuple) and parts and all(isinstance(part, Scan) for part in parts)):
            raise FileError(path, "it holds no scan")
        said = next((calibrations[k] for k in (key_of(path, False), key_of(path, True)) if k in calibrations), None)
        return tuple(filled_in(part, said) for part in parts) if said is not None else parts

    def _on_opening(self, event: events.Event) -> None:
        match event:
            case events.Finished(Opened(files, index, shown, fault, parts)):
                if fault:
                    self.complained.emit(fault, "")
                if shown is None and len(files) == 1:
                    return  # what was on show stays
                same_scan = shown is not None and shown.scan is self.scan
                # pictures follow the channel that the user chooses, not the one that a file happens to have
                follows = same_scan or files != self.files
                same_file = bool(parts) and parts is self.parts
                self.files, self.index, self.shown, self.parts = files, index, shown, parts
                self.mask, self.mask_fault, self.run = None, "", Run()
                if not same_file:
                    self._leave_scan()
                if not same_scan:
                    self.opened.emit()
                if follows:
                    self.listed.emit(self._wish())
                self.shown_changed.emit()
            case events.Failed(message, details):
                self.complained.emit(message, details)

    # processing

    def process(self, history: History) -> None:
        """Shows what these steps make of the channel on show; of two calls the later one counts."""
        shown = self.shown
        if shown is None or self.run.busy:
            return
        raw = shown.raw
        if shown.history.enabled == history.enabled:
            self._processing.drop()
            return
        known = raw if not history.enabled else self._processed.get((raw.channel, history.to_text()))
        if known is not None:
            self._processing.drop()
            self._show_processed(known)
            return
        self._processing_since = monotonic()
        self._processing.start("Processing", lambda context: processed_shown(raw, history, context.progress))

    def cancel_processing(self) -> None:
        """Stops steps that take long; what was shown before stays."""
        self._processing.cancel()

    def _on_processed(self, event: events.Event) -> None:
        if isinstance(event, events.FINAL):
            self.processing_progress.emit(-1.0)
        match event:
            case events.Advanced(fraction) if monotonic() - self._processing_since > _LONG_S:
                self.processing_progress.emit(fraction)
            case events.Cancelled():
                self.step_failed.emit(StepFault(-1, "Cancelled: the image is as it was before"))
            case events.Finished(Shown() as shown) if self.shown is not None and shown.raw is self.shown.raw:
                self._processed[shown.raw.channel, shown.history.to_text()] = shown
                while len(self._processed) > _MOST_PROCESSED:
                    self._processed.pop(next(iter(self._processed)))
                self._show_processed(shown)
            case events.Finished(StepFault() as fault):
                self.step_failed.emit(fault)
            case events.Failed(message, details):
                self.step_failed.emit(StepFault(-1, message))
                if details:
                    self.complained.emit(message, details)

    def _show_processed(self, shown: Shown) -> None:
        self.shown = shown
        self.mask, self.mask_fault, self.run = None, "", Run()
        self.shown_changed.emit()

    def _leave_scan(self) -> None:
        self._processed.clear()
        self._processing.drop()
        self._results.clear()
        self._chosen.clear()
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
        raw = shown.raw
        steps = shown.history.to_text()
        request = request.replaced(channel=raw.channel.name, direction=raw.channel.direction, process=steps)
        inner = self._services.restore_job(raw.scan, request)

        def job(context: Context) -> Restored:
            started = monotonic()
            restoration = inner(context)
            return Restored.of(restoration, shown.scan.geometry, monotonic() - started)

        self._judging.drop()  # what the user asks for comes first
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
                kept = self._results.setdefault(self.shown.channel, [])
                kept.append(restored)
                del kept[:-MOST_RESULTS]
                self._chosen[self.shown.channel] = restored
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

    # the tip

    def judge_tip(self) -> None:
        """Asks what the tip was like that measured the channel on show; unless something more urgent is under way."""
        shown = self.shown
        raw = shown.raw if shown is not None else None
        if raw is None or raw.obstacle or self.run.busy or raw.channel.role != "raw":
            return
        self._judging.start("Tip", self._services.tip_state_job(raw.scan, raw.channel))

    def drop_tip(self) -> None:
        """The answer for what was on show is not wanted any more."""
        self._judging.drop()

    def _on_tip(self, event: events.Event) -> None:
        match event:
            case events.Finished(TipState() as state):
                self.tip_judged.emit(state)
            case events.Failed(message):  # a scan that cannot be judged says nothing
                _log.info("the tip was not judged: %s", message)

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
        self._exporting.start("Export", self._services.export_job(restored.restoration, shown.raw.scan, path))

    def save_picture(self, png: bytes, path: Path) -> None:
        """Writes a picture of what is seen to `path`; never over the file that was measured."""
        if self.scan is not None:
            self._exporting.start("Export", exporting.picture_job(png, self.scan, path))

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
        command = self.restored.restoration.request.command(str(self.shown.scan.path))
        scan = self.shown.raw.scan
        more = [] if scan.part.number == 1 else ["--part", str(scan.part.number)]
        said = of_facts(scan.calibration)
        return " ".join([command, *map(shlex.quote, more + (said.flags() if said is not None else []))])

    def close(self) -> bool:
        """Cancels every job; False when one did not stop in time."""
        return self.desk.close()


def _taken(scan: Scan, wish: Channel | ChannelWish | None, _: Context) -> Opened:
    return Opened((), -1, Shown.of(scan, pick_channel(scan, wish)), parts=(scan,))
