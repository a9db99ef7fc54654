"""How the window was left the last time: size, splitter, panels, looks, settings of the restoration."""

from contextlib import suppress
from typing import TYPE_CHECKING

from stmviewer.gui.commands import Command
from stmviewer.gui.looks import AT_FIRST, PANE_NAMES
from stmviewer.gui.on_screen import keep_on_screen
from stmviewer.gui.ranges import Display
from stmviewer.restore import RestoreRequest
from stmviewer.scan import RequestError

if TYPE_CHECKING:
    from stmviewer.gui.window import MainWindow


def recall(window: "MainWindow") -> None:
    """Sets everything to how the user left it."""
    settings = window.settings
    window.session.opening.calibrations = settings.calibrations
    window.resize(window.sizeHint())
    layouts = (("window", window.restoreGeometry), ("splitter", window.workspace.splitter.restoreState))
    for name, restore in layouts:
        layout = settings.layout(name)
        if layout is not None:
            restore(layout)
    keep_on_screen(window)
    window.view.set_display(Display.from_json(settings.text("display")))
    window.view.set_wanted([n for n in PANE_NAMES if settings.flag(f"pane-{n}", n in AT_FIRST)])
    window.tabs.show_tab(settings.text("tab", "restore"))
    window.tabs.setVisible(settings.flag("side-panel", True))
    with suppress(RequestError):  # written by another version
        window.controls.show_request(RestoreRequest.from_json(settings.text("request", "{}")))


def remember(window: "MainWindow") -> None:
    """Keeps what is not kept at every change: where the window and its parts are."""
    window.settings.set_layout("window", window.saveGeometry())
    if window.files.isVisibleTo(window.workspace):  # or its width would be remembered as none
        window.settings.set_layout("splitter", window.workspace.splitter.saveState())
    window.settings.save()


def show_files(window: "MainWindow") -> None:
    """The list of files is there for more than one file, unless the user has put it away."""
    wanted = window.settings.flag("folder-panel", True)
    window.files.setVisible(wanted and (len(window.session.opening.files) > 1 or window.live.folder is not None))


def panel_commands(window: "MainWindow") -> tuple[Command, ...]:
    """Showing and hiding the panels at the left and at the right; the window remembers it."""

    def set_files(on: bool) -> None:
        window.settings.set_flag("folder-panel", on)
        window.files.setVisible(on and bool(window.session.opening.files))
        window.refresh()

    def set_side(on: bool) -> None:
        window.settings.set_flag("side-panel", on)
        window.tabs.setVisible(on)
        window.refresh()

    return (
        Command(
            "folder-panel",
            "View",
            "&Files at the left",
            lambda _w, on: set_files(on),
            "F9",
            lambda s: s.count > 0,
            checked=lambda _: window.files.isVisibleTo(window.workspace),
            separator=True,
            after="reset-zoom",
        ),
        Command(
            "side-panel",
            "View",
            "&Panel at the right",
            lambda _w, on: set_side(on),
            "F10",
            lambda s: s.scan or s.count > 0,
            checked=lambda _: window.tabs.isVisibleTo(window.workspace),
            after="folder-panel",
        ),
    )
