"""The Restore page at work: from its settings to the mask, from its button to the run."""

from contextlib import suppress

from PySide6.QtCore import QObject, QTimer, Signal

from stmviewer.gui.delayed import delayed
from stmviewer.gui.messages import Messages
from stmviewer.gui.sentences import sentence
from stmviewer.gui.session import Session
from stmviewer.gui.settings import Settings
from stmviewer.gui.shown import Shown
from stmviewer.gui.state import Look, look
from stmviewer.gui.workspace import Workspace
from stmviewer.restore import FILE_MASK, RestoreRequest
from stmviewer.scan import RequestError

#: after the last change of the settings, before the mask is drawn anew
_PREVIEW_DELAY_MS = 120
_BAD_PATTERN = "The pattern is not right yet"


class RestorePage(QObject):
    """Connects the settings and the button with the session. `changed` tells that menus must be looked at again."""

    changed = Signal()

    def __init__(
        self, session: Session, place: Workspace, messages: Messages, settings: Settings, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._session, self._messages, self._settings = session, messages, settings
        self._controls, self._run_controls, self._view = place.controls, place.run_controls, place.view
        #: what was asked for while steps were being worked out: what they make is what is to be restored
        self._next: tuple[Shown, RestoreRequest] | None = None
        self._timer = delayed(self, self._preview)
        self._connect()

    def _connect(self) -> None:
        session, controls = self._session, self._controls
        controls.changed.connect(self._on_controls)
        self._run_controls.restore_asked.connect(self.restore)
        self._run_controls.cancel_asked.connect(session.restoring.cancel)
        session.steps.settled.connect(lambda: QTimer.singleShot(0, self, self._start_next))  # all show it by then
        session.steps.failed.connect(lambda _: self._forget_next())
        session.shown_changed.connect(self._on_shown)
        session.sampling.changed.connect(self._on_mask)
        session.run_changed.connect(self.changed)
        session.models_changed.connect(lambda: controls.set_models(session.models))

    @property
    def waiting(self) -> bool:
        """Whether the mask is about to be drawn anew."""
        return self._timer.isActive()

    def close(self) -> None:
        self._timer.stop()  # its job would find the runners closed

    # restoring

    def obstacle(self) -> str | None:
        """Why nothing can be restored now, in one line; None when it can."""
        shown = self._session.shown
        if shown is None:
            return "Open a scan first"
        if shown.obstacle:
            return f"Cannot be restored: {shown.obstacle}"
        if self._next is not None:
            return "Begins when the steps of the Process page are worked out"
        if self._controls.invalid.text():
            return _BAD_PATTERN  # what is wrong with it stands below it
        try:
            self._controls.request()
        except RequestError as error:
            return sentence(str(error))
        return sentence(self._session.sampling.fault) or None

    def look(self) -> Look:
        """What the button and the bar show."""
        return look(self._session.run, self.obstacle())

    def restore(self) -> None:
        """Restores with the settings of the page, if they can be."""
        if not self.obstacle():  # else it stands under the button
            self.start(self._controls.request())

    def start(self, request: RestoreRequest) -> None:
        """Restores the channel on show; steps that are still being worked out come first."""
        self._messages.clear()
        shown = self._session.shown
        if shown is not None and self._session.steps.busy:
            self._next = shown.raw, request
            self.changed.emit()
        else:
            self._session.restoring.start(request)

    def _forget_next(self) -> None:
        if self._next is not None:
            self._next = None
            self.changed.emit()

    def _start_next(self) -> None:
        asked, self._next = self._next, None
        if asked is not None:
            self.start(asked[1])

    # what happens

    def _on_shown(self) -> None:
        shown = self._session.shown
        if shown is not None:
            self._controls.set_file_mask(shown.has_own_gaps)
        wanted = self._controls.pattern() != FILE_MASK
        self._messages.tell_offer(shown if wanted else None, self._controls.take_offer)
        self._timer.start(0)
        if self._next is not None and (shown is None or shown.raw is not self._next[0]):
            self._next = None  # it was asked for another channel

    def _on_mask(self) -> None:
        mask = self._session.sampling.mask
        self._view.show_mask(mask, sentence(self._session.sampling.fault))
        self._controls.set_saving(mask.saving if mask else "")
        self.changed.emit()

    def _on_controls(self) -> None:
        with suppress(RequestError):  # half-typed, or the models are not known yet: the last good one stays
            self._settings.set_text("request", self._controls.request().replaced(process="").to_json())
        if self._controls.pattern() == FILE_MASK:
            self._messages.tell_offer(None, self._controls.take_offer)
        self._timer.start(_PREVIEW_DELAY_MS)
        self.changed.emit()

    def _preview(self) -> None:
        try:
            self._session.sampling.preview(self._controls.sampling())
        except RequestError:
            self._view.show_mask(None, _BAD_PATTERN)
            self._controls.set_saving("")
