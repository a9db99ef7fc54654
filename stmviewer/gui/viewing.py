"""What one does with the images on show: panes, display, comparing, copies; with the commands for all of it."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QMainWindow

from stmviewer.gui.beside import BesideWindow
from stmviewer.gui.candidates import try_also
from stmviewer.gui.commands import Command
from stmviewer.gui.display import Frame
from stmviewer.gui.hold_key import HoldKey
from stmviewer.gui.looks import PANE_NAMES, PaneLook, PaneName
from stmviewer.gui.relief import ReliefDialog
from stmviewer.gui.scan_view import ScanView
from stmviewer.gui.session import Session
from stmviewer.gui.settings import Settings
from stmviewer.restore import RestoreRequest


class Viewing(QObject):
    """Connects the view with the session, the settings and the keyboard.

    `refresh` brings the menus up to date, `restore` restores the channel on show as requested, `tell` shows a line for
    a moment.
    """

    def __init__(
        self,
        window: QMainWindow,
        view: ScanView,
        session: Session,
        settings: Settings,
        refresh: Callable[[], None],
        restore: Callable[[RestoreRequest], None],
        tell: Callable[[str], None],
    ) -> None:
        super().__init__(window)
        self.view, self._session, self._settings = view, session, settings
        self._refresh, self._restore, self._tell = refresh, restore, tell
        #: the frame of the channel on show; None when another scan has come, whose whole is shown first
        self._frame: Frame | None = None
        self.space = HoldKey(window)
        self.space.held.connect(self.show_raw)
        view.changed.connect(self._changed)
        view.result_chosen.connect(session.restoring.choose)
        view.candidate_menu.try_asked.connect(self.try_also)
        view.offers = self.offers
        session.opening.opened.connect(self._leave_scan)
        session.shown_changed.connect(self._show_scan)
        session.restoring.restored_changed.connect(self._show_results)
        session.run_changed.connect(lambda: view.set_waiting(session.run.busy))
        self.relief = BesideWindow(lambda: ReliefDialog(self.reliefs, window))
        for signal in (view.changed, session.shown_changed, session.restoring.restored_changed):
            # after the view was told, too
            signal.connect(lambda *_: QTimer.singleShot(0, self, self._refresh_relief))

    def _leave_scan(self) -> None:
        self._frame = None

    def _show_scan(self) -> None:
        shown, before = self._session.shown, self._frame
        self._frame = shown.picture.frame if shown else None
        self.view.show_scan(shown, keep_place=before is not None and before == self._frame)
        self._show_results()

    def _show_results(self) -> None:
        """Shows what the session holds of the channel on show."""
        self.view.show_restored(self._session.restored, self._session.restoring.results)
        self.space.enabled = self._session.restored is not None

    def offers(self) -> list[tuple[str, RestoreRequest]]:
        """What else could be made of the channel on show."""
        restored = self._session.restored
        if restored is None:
            return []
        return try_also(self._session.models, restored.restoration.request, self._session.restoring.results)

    def try_also(self, request: RestoreRequest) -> None:
        """Restores the same once more with another model or seed, and shows it among the candidates."""
        if not self._session.run.busy:
            self.view.set_pane_visible("compare", True)
            self._restore(request)

    def show_raw(self, held: bool) -> None:
        self.view.hold_raw(held)
        self._refresh()

    def reliefs(self) -> list[PaneLook]:
        """What can be seen as a relief: heights, as the panes show them."""
        looks = self.view.looks
        names: tuple[PaneName, ...] = ("restored", "raw")
        return [look for name in names if (look := looks.pane(name)).picture is not None]

    def show_relief(self) -> None:
        self.relief.show()

    def _refresh_relief(self) -> None:
        if isinstance(self.relief.dialog, ReliefDialog):
            self.relief.dialog.refresh()

    def close(self) -> None:
        """No dialog is open after this."""
        self.relief.close()

    def open_colours(self) -> None:
        self.view.legend.open_colours("heights")

    def open_range(self) -> None:
        self.view.legend.open_range("heights")

    def pin(self) -> None:
        self.view.pin()
        self._tell("Kept: open another scan, and its Compare pane shows both")

    def _changed(self) -> None:
        """Panes and display are remembered as soon as they change."""
        self._settings.set_text("display", self.view.display.to_json())
        for name in PANE_NAMES:
            self._settings.set_flag(f"pane-{name}", self.view.pane_visible(name))
        self._refresh()


_PANES: tuple[tuple[PaneName, str], ...] = (
    ("raw", "&Raw image"),
    ("mask", "Sampling &mask"),
    ("restored", "Re&stored image"),
    ("difference", "Di&fference to raw"),
    ("deviation", "De&viation over samples"),
    ("compare", "Co&mpare results"),
)


def _pane_command(view: ScanView, number: int) -> Command:
    name, text = _PANES[number]
    return Command(
        f"pane-{name}",
        "View",
        text,
        lambda _w, on: view.set_pane_visible(name, on),
        f"Alt+{number + 1}",
        # the last pane stays
        lambda s: s.scan and name in view.available() and view.placed() != [name],
        checked=lambda _: view.pane_visible(name),
        separator=number == 0,
        after=f"pane-{_PANES[number - 1][0]}" if number else "reset-zoom",
    )


def view_commands(viewing: Viewing) -> tuple[Command, ...]:
    """The commands of the images."""
    view = viewing.view
    panes = [_pane_command(view, k) for k in range(len(_PANES))]
    return (
        Command(
            "levelled",
            "View",
            "&Level for view",
            lambda _w, on: view.set_levelled(on),
            "L",
            lambda s: s.scan,
            checked=lambda _: view.levelled,
            after="quit",
        ),
        Command(
            "inverted",
            "View",
            "&Invert colours",
            lambda _w, on: view.set_inverted(on),
            "I",
            lambda s: s.scan,
            checked=lambda _: view.inverted,
            after="levelled",
        ),
        Command(
            "colours",
            "View",
            "C&olour map…",
            lambda *_: viewing.open_colours(),
            "M",
            lambda s: s.scan,
            after="inverted",
        ),
        Command(
            "range",
            "View",
            "Colour ran&ge…",
            lambda *_: viewing.open_range(),
            "R",
            lambda s: s.scan,
            after="colours",
        ),
        Command(
            "auto-range",
            "View",
            "&Automatic colour range",
            lambda *_: view.reset_ranges(),
            "Shift+R",
            lambda s: s.scan,
            after="range",
        ),
        *panes,
        Command(
            "show-raw",
            "View",
            "Raw in place of restored (hold Space)",
            lambda _w, on: viewing.show_raw(on),
            enabled=lambda s: s.result,
            checked=lambda _: view.raw_held,
            separator=True,
            after="pane-compare",
        ),
        Command(
            "tint",
            "View",
            "Mark what was infe&rred",
            lambda _w, on: view.set_tint(on),
            "T",
            lambda s: s.result,
            checked=lambda _: view.tint,
            after="show-raw",
        ),
        Command(
            "relief",
            "View",
            "Relie&f (3-D)…",
            lambda *_: viewing.show_relief(),
            "3",
            lambda s: s.scan,
            after="tint",
        ),
        Command(
            "pin",
            "View",
            "&Keep image to compare with other scans",
            lambda *_: viewing.pin(),
            "K",
            lambda s: s.scan,
            after="relief",
        ),
    )
