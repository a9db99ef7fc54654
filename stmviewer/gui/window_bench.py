"""How fast the window shows things: the frames of large images, and a scan from the drop to the screen."""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stmviewer.evaluate.timing import Timing
from stmviewer.scan import Channel, Geometry, Progress, Scan, make_mask

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from stmviewer.gui.scan_view import ScanView

#: pixels a side of the large images, of the view (columns, rows) and of the scan that is dropped
_LARGE, _VIEW, _DROPPED = 4096, (1700, 900), 512
_FRAMES, _DROPS = 60, 7
_PATIENCE_S = 60.0


def bench_window(progress: Progress) -> list[Timing]:
    """Times of the real widgets, drawn off screen where there is no display."""
    from stmviewer.gui.app import has_display

    if not has_display():
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from stmviewer.gui.app import make_app

    app = make_app()
    progress = progress.part(1.0, "Window", 2)
    timings = _drops(app)
    progress.tick()
    timings += _frames(app)
    progress.tick()
    return timings


def _surface(side: int) -> np.ndarray:
    """A tilted lattice with noise, heights in m."""
    at = np.arange(side)
    noise = np.random.default_rng(0).normal(0, 5e-12, (side, side))
    surface: np.ndarray = noise + 1e-10 * np.sin(at / 3)[:, None] * np.cos(at / 4)[None, :] + 1e-11 * at
    return surface


def _frames(app: "QApplication") -> list[Timing]:
    """Three linked panes of large images: raw, mask, restored."""
    from stmviewer.gui.panes.linking import Place
    from stmviewer.gui.scan_view import ScanView
    from stmviewer.gui.shown import Restored, Shown, ShownMask
    from stmviewer.restore import Restoration, RestoreRequest

    data = _surface(_LARGE)
    scan = Scan([Channel("Z", "m", data)], Geometry(_LARGE, _LARGE, 400e-9, 400e-9))
    mask = make_mask("lines:4", _LARGE, _LARGE, 0)
    request = RestoreRequest("sparse", mask="lines:4", model="linear")
    residual = np.where(mask.measured, 0.0, np.nan)
    result = Restoration(data, mask, data, None, residual, scan.geometry, "m", scan.channels[0], request, "linear")
    shown = Shown.of(scan, scan.channels[0])
    view = ScanView()
    view.resize(*_VIEW)
    view.show()
    view.show_scan(shown)
    view.show_mask(ShownMask.of(mask, shown.picture.frame))
    view.show_restored(Restored.of(result, scan.geometry))
    view.set_wanted(["raw", "mask", "restored"])
    app.processEvents()
    sines = np.sin(np.linspace(0, 2 * np.pi, _FRAMES))
    found = [
        _moved(view, "zoom", lambda k: Place(200.0, 200.0, 400.0 * 0.93**k)),
        _moved(view, "pan, whole image", lambda k: Place(200 + 60 * sines[k], 200 - 40 * sines[k], 300.0)),
        _moved(view, "pan, pixel by pixel", lambda k: Place(120.0 + 2 * k, 150.0 + k, 50.0)),
    ]
    view.hide()
    view.deleteLater()
    return found


def _moved(view: "ScanView", what: str, place: Callable[[int], object]) -> Timing:
    """Seconds a frame while the panes move along places; the first frames fill what is kept and count, too."""
    wall, busy = [], []
    for k in range(_FRAMES):
        begun, used = time.perf_counter(), time.process_time()
        view.links.go(place(k))  # type: ignore[arg-type]
        for name in view.placed():
            view.panes[name].viewport_widget.viewport().repaint()
        wall.append(time.perf_counter() - begun)
        busy.append(time.process_time() - used)
    rate = 1 / float(np.median(wall))
    processor = float(np.median(busy))
    note = f"{rate:.0f} a second; processor {1e3 * processor:.0f} ms a frame, at most {1e3 * max(busy):.0f}"
    values = {"frames_per_second": rate, "processor_s": processor, "most_processor_s": max(busy)}
    title = f"three panes of {_LARGE} x {_LARGE}: {what}, a frame"
    return Timing(title, float(np.median(wall)), min(wall), max(wall), note, values)


def _drops(app: "QApplication") -> list[Timing]:
    """From the drop of a file to its picture, in a window that shows another scan."""
    from stmviewer.files import save_scan
    from stmviewer.gui.services_used import Services
    from stmviewer.gui.settings import Settings
    from stmviewer.gui.window import MainWindow

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        geometry = Geometry(_DROPPED, _DROPPED, 50e-9, 50e-9)
        data = _surface(_DROPPED)
        paths = [
            save_scan(Scan([Channel("Z", "m", data + k * 1e-12)], geometry), folder / f"scan{k}.sxm")
            for k in range(_DROPS)
        ]
        # the judge of tips would load torch in the middle of it
        services = Services(tip_state_job=lambda _scan, _channel: lambda _: None)
        window = MainWindow(services, Settings(folder / "window.ini"))
        window.resize(1280, 800)
        window.show()
        try:
            times = [_dropped(app, window, path) for path in paths][1:]
        finally:
            window.asks_before_closing = False
            window.close()
    what = f"a .sxm of {_DROPPED} x {_DROPPED}, from the drop to its picture"
    wall, busy = zip(*times, strict=True)
    processor = float(np.median(busy))
    note = f"processor {1e3 * processor:.0f} ms"
    return [Timing(what, float(np.median(wall)), min(wall), max(wall), note, {"processor_s": processor})]


def _dropped(app: "QApplication", window: object, path: Path) -> tuple[float, float]:
    """Seconds by the clock and of the processor."""
    from stmviewer.gui.window import MainWindow

    assert isinstance(window, MainWindow)
    begun, used = time.perf_counter(), time.process_time()
    window.open_paths([path])
    while window.session.scan is None or window.session.scan.path != path:
        app.processEvents()
        time.sleep(0.0005)
        if time.perf_counter() - begun > _PATIENCE_S:
            raise RuntimeError(f"{path.name} was not shown within {_PATIENCE_S:.0f} s")
    window.view.panes["raw"].viewport_widget.viewport().repaint()
    seconds = time.perf_counter() - begun, time.process_time() - used
    while window.session.desk.busy:
        app.processEvents()
    return seconds
