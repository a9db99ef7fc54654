"""Which pixels of the channel on show a restoration would start from."""

from PySide6.QtCore import QObject, Signal

from stmviewer.gui.session.stage import Stage
from stmviewer.gui.shown import ShownMask, preview_mask
from stmviewer.restore import RestoreRequest
from stmviewer.services import events


class Sampling(QObject):
    """The mask before a run, or why there can be none."""

    changed = Signal()

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._stage = stage
        self.mask: ShownMask | None = None
        self.fault = ""
        self._lane = stage.desk.lane(stage.desk.files, self._on_mask)
        stage.shown_changed.connect(self._forget)

    def preview(self, request: RestoreRequest) -> None:
        """Works out the mask that `request` would use on the channel on show."""
        shown = self._stage.shown
        if shown is not None:
            self._lane.start("Mask", lambda _: preview_mask(shown, request))

    def _on_mask(self, event: events.Event) -> None:
        match event:
            case events.Finished(mask):
                self.mask, self.fault = mask, ""
            case events.Failed(message):
                self.mask, self.fault = None, message
            case _:
                return
        self.changed.emit()

    def _forget(self) -> None:
        self._lane.drop()
        self.mask, self.fault = None, ""
