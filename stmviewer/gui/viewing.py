"""What one does with the images on show: panes, display, comparing, copies; with the commands for all of it."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QMainWindow

from stmviewer.gui import dialogs
from stmviewer.gui.beside import BesideWindow
from stmviewer.gui.candidates import try_also
from stmviewer.gui.commands import Command
from stmviewer.gui.hold_key import HoldKey
from stmviewer.gui.looks import PANE_NAMES, PaneLook, PaneName
from stmviewer.gui.panes.figure import copy, png_of
from stmviewer.gui.relief import ReliefDialog
from stmviewer.gui.scan_view import ScanView
from stmviewer.gui.seen import figure, pane_figure
from stmviewer.gui.session import Session
from stmviewer.gui.settings import Settings
from stmviewer.restore import RestoreRequest

_SAID_MS = 5000


class Viewing(QObject):
    """Connects the view with the session, the settings and the keyboard.

    `tell` shows a line for a moment, `refresh` brings the menus up to date, `begin` clears messages before a run.
    """

    def __init__(
        self,
        window: QMainWindow,
        view: ScanView,
        session: Session,
        settings: Settings,
        refresh: Callable[[], None],
        begin: Callable[[], None],
    ) -> None:
        super().__init__(window)
        self._window, self.view, self._session, self._settings = window, view, session, settings
        self._refresh, self._begin = refresh, begin
        self.space = HoldKey(window)
        self.space.held.connect(self.show_raw)
        view.changed.connect(self._changed)
        view.result_chosen.connect(session.restoring.choose)
        view.copy_asked.connect(self.copy_figure)
        view.candidate_menu.try_asked.connect(self.try_also)
        view.offers = self.offers
        self.relief = BesideWindow(lambda: ReliefDialog(self.reliefs, window))
        for signal in (view.changed, session.shown_changed, session.restoring.restored_changed):
            # after the view was told, too
            signal.connect(lambda *_: QTimer.singleShot(0, self, self._refresh_relief))

    def show_results(self) -> None:
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
            self._begin()
            self.view.set_pane_visible("compare", True)
            self._session.restoring.start(request)

    def show_raw(self, held: bool) -> None:
        self.view.hold_raw(held)
        self._refresh()

    def copy_figure(self) -> None:
        if copy(figure(self.view)):
            self._tell("Copied: the panes and colour bars as they are seen")

    def copy_pane(self) -> None:
        if copy(pane_figure(self.view)):
            self._tell("Copied: the pane as it is seen")

    def save_figure(self) -> None:
        """Writes what is seen into a PNG file."""
        image, scan = figure(self.view), self._session.scan
        if image is None or scan is None:
            return
        beside = scan.path.parent if scan.path else Path.home()
        folder = Path(self._settings.text("export-folder") or beside)
        path = dialogs.ask_picture_path(self._window, folder / f"{Path(scan.name).stem}_view.png")
        if path is not None:
            self._settings.set_text("export-folder", str(path.parent))
            self._session.exporting.save_picture(png_of(image), path)

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

    def _tell(self, text: str) -> None:
        self._window.statusBar().showMessage(text, _SAID_MS)

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
        Command(
            "copy-figure",
            "File",
            "&Copy figure",
            lambda *_: viewing.copy_figure(),
            "Ctrl+Shift+C",
            lambda s: s.scan,
            separator=True,
            after="calibrate",
        ),
        Command(
            "copy-pane",
            "File",
            "Copy &pane",
            lambda *_: viewing.copy_pane(),
            "Ctrl+Alt+C",
            lambda s: s.scan,
            after="copy-figure",
        ),
        Command(
            "save-figure",
            "File",
            "&Save figure…",
            lambda *_: viewing.save_figure(),
            "Ctrl+Alt+S",
            lambda s: s.scan,
            after="copy-pane",
        ),
    )
