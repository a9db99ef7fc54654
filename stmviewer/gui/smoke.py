"""Opens the window once, without a user: does this installation draw?"""

import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

_PATIENCE_S = 60.0
#: a scan in colours has more than so many; an empty window, or one without its styles, has not
_COLOURS = 200


@dataclass(frozen=True)
class Seen:
    """What was drawn: pixels of the window, Qt's platform (xcb, offscreen, windows, ...) and version."""

    width: int
    height: int
    platform: str
    qt: str


def grab_window(picture: Path) -> Seen:
    """Opens the window on a sample scan, saves what is seen to `picture` (PNG), closes it.

    Without a display it draws off screen. Raises RuntimeError when the scan does not open, nothing is drawn, or what
    Qt needs for icons, pictures and the socket of a second start is missing.
    """
    from stmviewer.gui.app import has_display

    if not has_display():
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from PySide6.QtCore import qVersion

    from stmviewer.gui.app import make_app
    from stmviewer.gui.empty_state import sample_files
    from stmviewer.gui.settings import Settings
    from stmviewer.gui.window import MainWindow

    app = make_app()
    _check_plugins()
    with tempfile.TemporaryDirectory() as folder:
        window = MainWindow(settings=Settings(Path(folder) / "window.ini"))
        window.show()
        try:
            window.open_paths(sample_files()[:1])
            until = time.monotonic() + _PATIENCE_S
            while (window.session.shown is None or window.session.desk.busy) and time.monotonic() < until:
                app.processEvents()
                time.sleep(0.005)
            if window.session.shown is None:
                raise RuntimeError(f"the sample scan was not shown within {_PATIENCE_S:.0f} s")
            seen = window.grab()
            if not seen.save(str(picture)):
                raise RuntimeError(f"the window could not be saved to {picture}")
            small = seen.scaledToWidth(320).toImage()
            colours = {small.pixel(x, y) for x in range(small.width()) for y in range(small.height())}
            if len(colours) < _COLOURS:
                raise RuntimeError(f"the window has only {len(colours)} colours: the scan was not drawn")
            return Seen(seen.width(), seen.height(), app.platformName(), qVersion())
        finally:
            window.close()


def _check_plugins() -> None:
    from PySide6.QtGui import QImageReader
    from PySide6.QtNetwork import QLocalServer

    from stmviewer.gui.empty_state import app_icon

    known = {bytes(form.data()).decode() for form in QImageReader.supportedImageFormats()}
    if missing := {"svg", "png", "jpg"} - known:
        raise RuntimeError(f"Qt cannot read {', '.join(sorted(missing))}")
    if app_icon().pixmap(16, 16).toImage().pixelColor(8, 13).alpha() == 0:
        raise RuntimeError("the icon is not drawn")
    server = QLocalServer()
    if not server.listen(f"stmviewer-smoke-{os.getpid()}"):
        raise RuntimeError(f"no local socket can be opened: {server.errorString()}")
    server.close()
