"""Writes results and pictures; never over the file that was measured."""

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from stmviewer.gui.session.stage import Stage
from stmviewer.restore import Restoration
from stmviewer.services import events, exporting


class Exporting(QObject):
    """`exported` carries the path that was written."""

    exported = Signal(object)

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._stage = stage
        self._lane = stage.desk.lane(stage.desk.files, self._on_written)

    @property
    def busy(self) -> bool:
        """Whether something is being written."""
        return self._lane.busy

    def export(self, restoration: Restoration, path: Path) -> None:
        """Writes a result of the scan on show to `path`."""
        scan = self._stage.scan
        if scan is None:
            return
        if scan.path and path.resolve() == scan.path.resolve():
            self._stage.complained.emit(
                f"{path}: this is the measured file, which is never overwritten. Choose another name", ""
            )
            return
        self._lane.start("Export", self._stage.services.export_job(restoration, scan, path))

    def save_picture(self, png: bytes, path: Path) -> None:
        """Writes a picture of what is seen to `path`."""
        if self._stage.scan is not None:
            self._lane.start("Export", exporting.picture_job(png, self._stage.scan, path))

    def _on_written(self, event: events.Event) -> None:
        match event:
            case events.Finished(path):
                self.exported.emit(path)
            case events.Failed(message, details):
                self._stage.complained.emit(message, details)
