"""What the tip was like that measured the channel on show."""

import logging

from PySide6.QtCore import QObject, Signal

from stmviewer.gui.delayed import delayed
from stmviewer.gui.session.stage import Stage
from stmviewer.scan import Channel
from stmviewer.services import events
from stmviewer.services.judging import TipState

#: after a channel was shown, before it is judged: leafing through a folder judges nothing on the way
_DELAY_MS = 700
_log = logging.getLogger(__name__)


class TipJudging(QObject):
    """Judges every measured channel that stays on show for a moment. Restorations come first: it waits for their end.

    `judged` carries the TipState.
    """

    judged = Signal(object)

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._stage = stage
        #: the channel that was judged last, and how: steps do not change what the tip was like
        self._known: tuple[Channel, TipState | None] | None = None
        self._lane = stage.desk.lane(stage.desk.restoring, self._on_judged)
        self._timer = delayed(self, self._judge)
        stage.shown_changed.connect(self._later)
        stage.run_changed.connect(self._on_run)

    @property
    def waiting(self) -> bool:
        """Whether the channel on show is about to be judged."""
        return self._timer.isActive()

    def close(self) -> None:
        self._timer.stop()

    def _channel(self) -> Channel | None:
        """What there is to judge."""
        raw = self._stage.shown.raw if self._stage.shown is not None else None
        return None if raw is None or raw.obstacle or raw.channel.role != "raw" else raw.channel

    def _is_known(self) -> bool:
        return self._known is not None and self._known[0] is self._channel()

    def _later(self) -> None:
        """The answer for what was on show is not wanted any more."""
        self._lane.drop()
        # of a channel that is known it is said at once, when everybody has shown it
        self._timer.start(0 if self._is_known() else _DELAY_MS)

    def _on_run(self) -> None:
        if self._stage.run.busy:
            self._lane.drop()
            self._timer.stop()
        elif not self._is_known():
            self._timer.start(_DELAY_MS)

    def _judge(self) -> None:
        scan, channel = self._stage.scan, self._channel()
        if scan is None or channel is None or self._stage.run.busy:
            return
        if self._known is not None and self._is_known():
            if self._known[1] is not None:
                self.judged.emit(self._known[1])
            return
        self._lane.start("Tip", self._stage.services.tip_state_job(scan, channel))

    def _on_judged(self, event: events.Event) -> None:
        channel = self._channel()
        match event:
            case events.Finished(state) if channel is not None:
                self._known = (channel, state if isinstance(state, TipState) else None)
                if isinstance(state, TipState):
                    self.judged.emit(state)
            case events.Failed(message) if channel is not None:  # a scan that cannot be judged says nothing
                self._known = (channel, None)
                _log.info("the tip was not judged: %s", message)
