"""The list of files, and which file, scan and channel of it is on show."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from stmviewer.files.calibration import Calibration
from stmviewer.gui.session.opened import Opened, Reading, Wish
from stmviewer.gui.session.stage import Stage
from stmviewer.gui.shown import ChannelWish, Shown, pick_channel
from stmviewer.scan import Channel, Scan
from stmviewer.services import events, thumbnails
from stmviewer.services.jobs import Context
from stmviewer.services.thumbnails import Order


class Opening(QObject):
    """Of two calls the later one counts. A restoration that runs keeps its scan: only another file ends it.

    `opened` tells that another scan is on show; `listed` carries the channel that the pictures of the list follow: it
    comes with a new list, and when the user has chosen another channel; `sorted` that the list has other places; `kept`
    that what is on show stays, and what was chosen in its place is not waited for.
    """

    opened = Signal()
    listed = Signal(object)
    sorted = Signal()
    kept = Signal()

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._stage = stage
        self.files: tuple[Path, ...] = ()
        self.index = -1
        self.order: Order = "name"
        #: the channel of the whole folder; None for what the scan on show has
        self.wish: ChannelWish | None = None
        #: every scan of the file on show; most files hold one
        self.parts: tuple[Scan, ...] = ()
        #: what the user has said about images without size or unit, by file or folder
        self.calibrations: Mapping[str, Calibration] = {}
        self._lane = stage.desk.lane(stage.desk.files, self._on_opened)

    @property
    def busy(self) -> bool:
        """Whether a scan is being opened."""
        return self._lane.busy

    # what is on show

    def open(self, paths: Sequence[Path], *, newest: bool = False) -> None:
        """Opens files and folders: lists them and shows the first, or the newest."""
        services, order, reading = self._stage.services, self.order, self._reading()

        def job(context: Context) -> Opened:
            files = tuple(services.scan_files(paths))
            if order != "name":  # by name they are within each folder
                files = tuple(thumbnails.in_order(files, order))
            index = files.index(thumbnails.in_order(files, "newest")[0]) if newest else 0
            return reading.file(context, files, index)

        self._lane.start("Opening", job)

    def take(self, scan: Scan) -> None:
        """Shows a scan that lies in no file."""
        reading = self._reading()
        self._lane.start("Opening", lambda _: reading.part(scan, (), -1, (scan,)))

    def show_file(self, index: int) -> None:
        """Shows another file of the list; beyond its ends does nothing."""
        if not 0 <= index < len(self.files):
            return
        if index == self.index and self._stage.shown:
            self._keep()
            return
        self._read(index)

    def reopen(self) -> None:
        """Opens the file on show once more, with what the user now says about it."""
        if self._stage.shown is not None:
            self.reopen_file(self.index)

    def reopen_file(self, index: int) -> None:
        """Opens a file of the list, also the one on show, which has changed."""
        if 0 <= index < len(self.files) and not self._stage.run.busy:
            self._read(index)

    def show_part(self, part: Scan) -> None:
        """Shows another scan of the file on show."""
        parts = self.parts
        if self._stage.run.busy or part is self._stage.scan or not any(part is one for one in parts):
            return
        files, index, reading = self.files, self.index, self._reading()
        self._lane.start("Opening", lambda _: reading.part(part, files, index, parts))

    def show_channel(self, channel: Channel) -> None:
        """Shows another channel of the scan."""
        shown, scan = self._stage.shown, self._stage.scan
        if shown is None or scan is None or self._stage.run.busy:
            return
        if channel is shown.raw.channel:
            self._keep()
            return
        files, index, parts = self.files, self.index, self.parts
        self._lane.start("Reading the channel", lambda _: Opened(files, index, Shown.of(scan, channel), parts=parts))

    def wish_for(self, wish: ChannelWish | None) -> None:
        """Shows that channel of every file that has it, from the one on show on; None: each as the one before."""
        self.wish = wish
        shown = self._stage.shown
        if shown is None or wish is None:
            return
        channel = pick_channel(shown.raw.scan, wish)
        if channel is shown.raw.channel or self._stage.run.busy:
            self.listed.emit(wish)
        else:
            self.show_channel(channel)

    # the list

    def reorder(self, files: tuple[Path, ...]) -> None:
        """Lists the same files in another order; the one on show stays on show."""
        if sorted(files) == sorted(self.files) and not self.busy:
            self._list(files)

    def add_files(self, files: Sequence[Path]) -> None:
        """Lists files that have come since: at their places by name, else the newest first or last."""
        new = tuple(path for path in files if path not in set(self.files))
        if new and not self.busy:
            by_name = tuple(sorted((*self.files, *new)))
            self._list((*new[::-1], *self.files) if self.order == "newest" else by_name)
            self.listed.emit(self._wish())

    def _list(self, files: tuple[Path, ...]) -> None:
        shown = self.files[self.index] if self.files else None
        self.files = files
        self.index = files.index(shown) if shown is not None else -1
        self.sorted.emit()

    # how

    def _wish(self) -> Wish:
        return self.wish or (self._stage.shown.raw.channel if self._stage.shown else None)

    def _reading(self) -> Reading:
        return Reading(self._stage.services.open_job, self._wish(), self.calibrations)

    def _keep(self) -> None:
        """Back again before the other one had come."""
        self._lane.drop()
        self.kept.emit()

    def _read(self, index: int) -> None:
        files, reading = self.files, self._reading()
        self._lane.start("Opening", lambda context: reading.file(context, files, index))

    def _on_opened(self, event: events.Event) -> None:
        match event:
            case events.Finished(Opened() as opened):
                if opened.fault:
                    self._stage.complained.emit(opened.fault, "")
                if opened.shown is not None or len(opened.files) != 1:  # else what was on show stays
                    self._show(opened)
            case events.Failed(message, details):
                self._stage.complained.emit(message, details)

    def _show(self, opened: Opened) -> None:
        shown, stage = opened.shown, self._stage
        same_scan = shown is not None and shown.scan is stage.scan
        same_file = bool(opened.parts) and opened.parts is self.parts
        # pictures follow the channel that the user chooses, not the one that a file happens to have
        follows = same_scan or opened.files != self.files
        self.files, self.index, self.parts, stage.shown = opened.files, opened.index, opened.parts, shown
        if not same_file:
            stage.left.emit()
        if not same_scan:
            self.opened.emit()
        if follows:
            self.listed.emit(self._wish())
        stage.shown_changed.emit()
