"""How fast a folder can be browsed: until the list and its first scan are there, until the last picture is."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stmviewer.evaluate.timing import Timing

_PATIENCE_S = 120.0


@dataclass(frozen=True)
class Browsed:
    """Seconds from asking for a folder; `stalled_s` is the longest time that the window answered nothing."""

    listed_s: float
    first_picture_s: float
    all_pictures_s: float
    stalled_s: float


def browse(files: Sequence[Path], cache: Path) -> Browsed:
    """Opens the window on the folder of `files`, with thumbnails kept in `cache`. Draws off screen without a display.

    Raises RuntimeError when the window does not get there.
    """
    from stmviewer.gui.app import has_display

    if not has_display():
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from stmviewer.gui.app import make_app
    from stmviewer.gui.services_used import Services
    from stmviewer.gui.settings import Settings
    from stmviewer.gui.window import MainWindow
    from stmviewer.services.thumbnail_cache import ThumbnailCache
    from stmviewer.services.thumbnails import thumbnails_job

    app = make_app()
    kept = ThumbnailCache(cache)
    settings = Settings(cache / "window.ini")
    settings.set_flag("judge-folder", False)
    window = MainWindow(Services(thumbnails_job=lambda some, wish: thumbnails_job(some, wish, kept)), settings)
    window.show()
    app.processEvents()
    begun = last = time.perf_counter()
    listed = first = stalled = 0.0
    try:
        window.open_paths([files[0].parent])
        while True:
            app.processEvents()
            now = time.perf_counter()
            stalled, last = max(stalled, now - last), now
            entries = window.files.model.entries
            there = sum(entry.thumbnail is not None for entry in entries)
            if not listed and len(entries) == len(files) and window.session.shown is not None:
                listed = now - begun
            if not first and there:
                first = now - begun
            if listed and there == len(files):
                return Browsed(listed, first, now - begun, stalled)
            if now - begun > _PATIENCE_S:
                raise RuntimeError(f"{there} of {len(files)} thumbnails came within {_PATIENCE_S:.0f} s")
            time.sleep(0.001)
    finally:
        window.asks_before_closing = False
        window.close()
        window.deleteLater()
        app.processEvents()


def bench_folder(files: Sequence[Path], cache: Path) -> list[Timing]:
    """Times a folder that was never seen, and the same when its thumbnails are on the disk."""
    found = []
    for what in ("", ", seen before"):
        one = browse(files, cache)
        note = f"first picture {one.first_picture_s:.2f} s, longest pause of the window {1e3 * one.stalled_s:.0f} ms"
        name = f"window, folder of {len(files)} files"
        found += [
            Timing(f"{name}{what}: listed, a scan on show", one.listed_s, one.listed_s, one.listed_s),
            Timing(f"{name}{what}: all pictures", one.all_pictures_s, one.all_pictures_s, one.all_pictures_s, note),
        ]
    return found
