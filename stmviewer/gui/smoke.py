"""Opens the window once, without a user: does this installation draw?"""

import os
import tempfile
import time
from pathlib import Path

_PATIENCE_S = 30.0


def grab_window(picture: Path) -> tuple[int, int]:
    """Opens the window on a sample scan, saves what is seen to `picture` (PNG), closes it; returns its pixels.

    Without a display it draws off screen. Raises RuntimeError when the scan does not open or nothing is drawn.
    """
    from stmviewer.gui.app import has_display

    if not has_display():
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from stmviewer.gui.app import make_app
    from stmviewer.gui.empty_state import sample_files
    from stmviewer.gui.settings import Settings
    from stmviewer.gui.window import MainWindow

    app = make_app()
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
            return seen.width(), seen.height()
        finally:
            window.close()
