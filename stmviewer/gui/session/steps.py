"""What processing steps make of the channel on show."""

from time import monotonic

from PySide6.QtCore import QObject, Signal

from stmviewer.gui.delayed import delayed
from stmviewer.gui.session.stage import Stage
from stmviewer.gui.shown import Shown, StepFault, processed_shown
from stmviewer.scan import Channel, History
from stmviewer.services import events

#: what steps have made of a channel is kept that often: going back and forth is at once
_MOST_KEPT = 4
#: after the last change of those that are still being set, before they are worked out
_DELAY_MS = 120
#: steps that have taken this long (s) show how far they are
_LONG_S = 0.4


class Steps(QObject):
    """Works them out in a job and shows what came of it.

    `settled` tells that what was asked for last is on show; `failed` carries the StepFault; `progress` the part (0 to
    1) of steps that take long, -1 when they have ended.
    """

    settled = Signal()
    failed = Signal(object)
    progress = Signal(float)

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._stage = stage
        #: by the channel as measured and the steps, the latest last
        self._kept: dict[tuple[Channel, str], Shown] = {}
        self._since = 0.0
        #: what is to be shown soon, and of what
        self._soon: tuple[Shown, History] | None = None
        self._timer = delayed(self, self._show_soon, _DELAY_MS)
        self._lane = stage.desk.lane(stage.desk.files, self._on_done, gives_up=True)
        stage.left.connect(self._leave)

    @property
    def busy(self) -> bool:
        """Whether steps are being worked out, or are about to be."""
        return self._lane.busy or self._timer.isActive()

    def show(self, history: History) -> None:
        """Shows what these steps make of the channel on show; of two calls the later one counts."""
        self._timer.stop()
        shown = self._stage.shown
        if shown is None or self._stage.run.busy:
            return
        raw = shown.raw
        if shown.history.enabled == history.enabled:
            self._lane.drop()
            self.settled.emit()
            return
        known = raw if not history.enabled else self._kept.get((raw.channel, history.to_text()))
        if known is not None:
            self._lane.drop()
            self._show(known)
            return
        self._since = monotonic()
        self._lane.start("Processing", lambda context: processed_shown(raw, history, context.progress))

    def show_soon(self, history: History) -> None:
        """Shows them when no others have come for a moment: a value is being turned up or down."""
        if self._stage.shown is not None:
            self._soon = self._stage.shown.raw, history
            self._timer.start()

    def cancel(self) -> None:
        """Stops steps that take long; what was shown before stays."""
        self._lane.cancel()

    def close(self) -> None:
        self._timer.stop()

    def _show_soon(self) -> None:
        shown = self._stage.shown
        if shown is not None and self._soon is not None and self._soon[0] is shown.raw:
            self.show(self._soon[1])

    def _on_done(self, event: events.Event) -> None:
        if isinstance(event, events.FINAL):
            self.progress.emit(-1.0)
        shown = self._stage.shown
        match event:
            case events.Advanced(fraction) if monotonic() - self._since > _LONG_S:
                self.progress.emit(fraction)
            case events.Cancelled():
                self.failed.emit(StepFault(-1, "Cancelled: the image is as it was before"))
            case events.Finished(Shown() as made) if shown is not None and made.raw is shown.raw:
                self._kept[made.raw.channel, made.history.to_text()] = made
                while len(self._kept) > _MOST_KEPT:
                    self._kept.pop(next(iter(self._kept)))
                self._show(made)
            case events.Finished(StepFault() as fault):
                self.failed.emit(fault)
            case events.Failed(message, details):
                self.failed.emit(StepFault(-1, message))
                if details:
                    self._stage.complained.emit(message, details)

    def _show(self, shown: Shown) -> None:
        self._stage.shown = shown
        self._stage.shown_changed.emit()
        self.settled.emit()

    def _leave(self) -> None:
        self._kept.clear()
        self._lane.drop()
        self._timer.stop()
