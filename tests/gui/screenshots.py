"""Takes pictures of the real window: opens a file, restores it if asked, and saves what is seen.

    python tests/gui/screenshots.py OUT.png [--file SCAN] [--task repair|sparse] [--mask lines:4] [--model NAME]
                                    [--steps N] [--samples K] [--channel Z] [--size 1280x800] [--theme light|dark]
                                    [--panes raw,restored,difference] [--cursor 0.4,0.6] [--without-time]
    python tests/gui/screenshots.py OUT.png --simulate [SeveralTips=0.7 ...] [--seed 0] [--size 1280x720]

With --simulate it is the picture of the simulation, with these degradations always and that strong.

Without a display it draws off screen (QT_QPA_PLATFORM=offscreen). Settings of the user are neither read nor written.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or sys.platform in ("win32", "darwin")):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QApplication

from stmviewer.gui.app import make_app
from stmviewer.gui.looks import PANE_NAMES
from stmviewer.gui.settings import Settings
from stmviewer.gui.simulating.dialog import SimulateDialog
from stmviewer.gui.state import Phase
from stmviewer.gui.window import MainWindow
from stmviewer.restore import RestoreRequest

_PATIENCE_S = 900


def settle(app: QApplication, window: MainWindow) -> None:
    """Lets the window work until no job is under way and everything is painted."""
    until = time.monotonic() + _PATIENCE_S
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < 0.4:
        app.processEvents()
        time.sleep(0.01)
        if window.session.desk.busy or window.session.tip.waiting:
            quiet_since = time.monotonic()
        if time.monotonic() > until:
            raise SystemExit("the window did not come to rest")


def wait_for_part(app: QApplication, window: MainWindow, part: float) -> None:
    """Waits until a run has done that part of its work."""
    while window.session.run.busy and window.session.run.fraction < part:
        app.processEvents()
        time.sleep(0.01)


def take(options: argparse.Namespace) -> None:
    app = make_app()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(Path(folder) / "window.ini")
        settings.theme = options.theme
        window = MainWindow(settings=settings)
        window.asks_before_closing = False
        width, height = map(int, options.size.split("x"))
        window.resize(width, height)
        window.show()
        settle(app, window)
        if options.simulate is not None:
            take_simulation(app, window, options)
            window.close()
            return
        if options.file:
            window.open_paths([Path(name) for name in options.file])
            settle(app, window)
        if options.channel:
            scan = window.session.scan
            assert scan is not None
            window.session.opening.show_channel(scan.channel(options.channel))
            settle(app, window)
        if options.task:
            request = RestoreRequest(
                task=options.task,
                mask=options.mask if options.task == "sparse" else None,
                model=options.model,
                steps=options.steps,
                samples=options.samples,
            )
            window.controls.show_request(request)
            settle(app, window)
            if not options.preview:
                window.restore()
                if options.until is None:
                    settle(app, window)
                else:
                    wait_for_part(app, window, options.until)
                if window.session.run.phase is Phase.FAILED:
                    print(window.session.run.message, file=sys.stderr)
        if options.panes:
            window.view.set_wanted(options.panes.split(","))
            app.processEvents()
        if options.zoom:
            window.zoom(options.zoom)
        if options.without_time and window.session.restored is not None:
            window.view.legend._summary.setText(window.session.restored.title)
        if options.cursor and window.session.shown:
            frame = window.session.shown.picture.frame
            fx, fy = map(float, options.cursor.split(","))
            window.view.panes["raw"].hovered.emit(QPointF(frame.x + fx * frame.width, frame.y + fy * frame.height))
        app.processEvents()
        options.out.parent.mkdir(parents=True, exist_ok=True)
        window.grab().save(str(options.out))
        window.close()


def take_simulation(app: QApplication, window: MainWindow, options: argparse.Namespace) -> None:
    window.companions.simulation.show()
    dialog = window.companions.simulation.dialog
    assert isinstance(dialog, SimulateDialog)
    dialog.resize(*map(int, options.size.split("x")))
    settle(app, window)
    dialog.form.seed.setValue(options.seed)
    for wish in options.simulate:
        name, _, strength = wish.partition("=")
        dialog.form.wishes.set_wish(name, "always", float(strength or 0.5))
    while dialog.busy:
        app.processEvents()
        time.sleep(0.01)
    settle(app, window)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    dialog.grab().save(str(options.out))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--file", nargs="*", help="files or folders")
    parser.add_argument("--size", default="1280x800")
    parser.add_argument("--theme", choices=("light", "dark"), default="light")
    parser.add_argument("--channel")
    parser.add_argument("--task", choices=("repair", "sparse"))
    parser.add_argument("--mask", default="lines:4")
    parser.add_argument("--model", default="regression")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--samples", type=int, default=1)
    parser.add_argument("--preview", action="store_true", help="sets the task, but does not restore")
    parser.add_argument("--until", type=float, help="takes the picture when this part (0 to 1) of a run is done")
    parser.add_argument("--panes", help=f"which panes, of {','.join(PANE_NAMES)}")
    parser.add_argument("--zoom", type=float)
    parser.add_argument("--without-time", action="store_true", help="how long it took says nothing of other machines")
    parser.add_argument("--simulate", nargs="*", metavar="NAME=STRENGTH", help="the simulation instead")
    parser.add_argument("--seed", type=int, default=0, help="of the simulation")
    parser.add_argument("--cursor", help="position as parts of the frame, such as 0.4,0.6")
    take(parser.parse_args())


if __name__ == "__main__":
    main()
