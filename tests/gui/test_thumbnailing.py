import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QIcon, QImage
from pytestqt.qtbot import QtBot

from stmviewer.gui.folder.panel import FolderPanel
from stmviewer.gui.thumbnailing import ICON_SIDE, Thumbnailer, blank, picture
from stmviewer.gui.window import MainWindow
from stmviewer.gui.worker import JobDesk
from stmviewer.scan import Channel
from stmviewer.services.events import Thumbnail
from stmviewer.services.jobs import Context, Job
from stmviewer.services.thumbnails import ThumbnailRequest

from .bench import listed

GAP = QColor("#123456")
FILES = (Path("a.npy"), Path("b.npy"))


@pytest.fixture
def desk(qtbot: QtBot) -> Iterator[JobDesk]:
    made = JobDesk()
    yield made
    assert made.close()


def _thumbnail(path: Path, label: str = "Z forward") -> Thumbnail:
    return Thumbnail(path, np.full((8, 8), 255, dtype=np.uint8), label)


def _tip(window: MainWindow, row: int) -> str:
    return str(window.files.model.index(row).data(Qt.ItemDataRole.ToolTipRole))


def _picture(window: MainWindow, row: int) -> QImage:
    """A file's picture as the list draws it; made when it is seen."""
    window.files.grab()
    return window.files.model.entries[row].drawn.pixmap(ICON_SIDE).toImage()


def _colour(icon: QIcon, x: int = 0, y: int = 0, mode: QIcon.Mode = QIcon.Mode.Normal) -> str:
    """The colour so far from the middle of an icon."""
    pixmap = icon.pixmap(QSize(2 * ICON_SIDE, 2 * ICON_SIDE), 1.0, mode)
    return pixmap.toImage().pixelColor(ICON_SIDE + x, ICON_SIDE + y).name()


def test_pictures_have_gaps_and_the_colours_of_heights(qtbot: QtBot) -> None:
    image = np.full((20, 40), 255, dtype=np.uint8)
    image[:, 20:] = 0
    icon = picture(Thumbnail(FILES[0], image, "Z forward"), GAP)
    assert _colour(icon, x=-10) == "#ffffff"
    assert _colour(icon, x=10) == GAP.name()
    # the one that is selected is no other picture
    assert _colour(icon, x=-10, mode=QIcon.Mode.Selected) == "#ffffff"


def test_a_file_that_cannot_be_shown_is_crossed_out(qtbot: QtBot) -> None:
    fault = Thumbnail(FILES[0], np.zeros((0, 0), dtype=np.uint8), "", "it is broken")
    assert _colour(picture(fault, GAP)) == GAP.name()
    assert _colour(blank(GAP)) != GAP.name()
    files = FolderPanel()
    qtbot.addWidget(files)
    files.show_files(FILES, 0)
    files.model.show_thumbnail(fault)
    assert files.model.index(0).data(Qt.ItemDataRole.ToolTipRole) == "it is broken"
    assert files.model.entries[0].facts_text == "cannot be opened"


def test_a_new_list_or_channel_asks_anew_and_drops_what_comes_late(qtbot: QtBot, desk: JobDesk) -> None:
    gate = threading.Event()
    asked: list[ThumbnailRequest] = []

    def make_job(files: Sequence[Path], request: ThumbnailRequest) -> Job:
        asked.append(request)

        def job(context: Context) -> None:
            if request.channel == "slow":
                gate.wait(5)
            for path in files:
                context.emit(_thumbnail(path, str(request.channel)))

        return job

    got: list[Thumbnail] = []
    thumbnailer = Thumbnailer(desk, make_job)
    thumbnailer.ready.connect(got.append)
    slow, fast = (Channel(name, "m", np.zeros((2, 2))) for name in ("slow", "fast"))
    thumbnailer.show_files(FILES, slow)
    thumbnailer.show_files(FILES, fast)
    thumbnailer.show_files(FILES, fast)
    gate.set()
    qtbot.waitUntil(lambda: not desk.busy)
    assert [request.channel for request in asked] == ["slow", "fast"]
    assert [(t.path, t.label) for t in got] == [(path, "fast") for path in FILES]
    thumbnailer.show_files(FILES[:1], fast)  # it is on show
    thumbnailer.show_files((), None)
    assert len(asked) == 2


def _folder(folder: Path, count: int = 3) -> list[Path]:
    folder.mkdir()
    paths = [folder / f"{k}.npy" for k in range(count)]
    for k, path in enumerate(paths):
        np.save(path, np.random.default_rng(k).normal(size=(16, 24)))
    return paths


def test_thumbnails_come_beside_the_names(qtbot: QtBot, tmp_path: Path, open_window: Callable[..., MainWindow]) -> None:
    paths = _folder(tmp_path / "scans")
    (tmp_path / "scans" / "broken.npy").write_bytes(b"broken")
    window = open_window(tmp_path / "scans")
    for row, path in enumerate(paths):
        assert _tip(window, row).startswith(f"{path}\nHeight forward")
    assert "is not a scan" in _tip(window, 3)
    pictures = [_picture(window, row) for row in range(4)]
    assert pictures[0] != pictures[1]
    window.step_file(1)  # another file of the same list asks for nothing
    qtbot.waitUntil(lambda: not window.session.desk.busy)
    assert _picture(window, 0) == pictures[0]


def test_a_folder_that_takes_long_holds_up_nothing(
    qtbot: QtBot, tmp_path: Path, open_window: Callable[..., MainWindow], monkeypatch: pytest.MonkeyPatch
) -> None:
    started = threading.Event()

    def endless(*_: object) -> Job:
        def job(context: Context) -> None:
            started.set()
            while True:
                context.progress.check()

        return job

    window = open_window()
    window.browsing.thumbnails._make_job = endless
    window.open_paths([tmp_path / "scans"] if _folder(tmp_path / "scans") else [])
    qtbot.waitUntil(started.is_set)
    qtbot.waitUntil(lambda: window.session.shown is not None)
    window.step_file(1)
    qtbot.waitUntil(lambda: window.session.opening.index == 1)
    window.close()
    assert window.ended_cleanly


def test_the_newest_can_be_first(qtbot: QtBot, tmp_path: Path, open_window: Callable[..., MainWindow]) -> None:
    paths = _folder(tmp_path / "scans")
    for age, path in enumerate(paths):
        os.utime(path, (1e9 + age, 1e9 + age))
    window = open_window(tmp_path / "scans")
    shown = window.session.shown
    window.files.order.setCurrentIndex(1)
    window.files.order.activated.emit(1)
    qtbot.waitUntil(lambda: not window.session.desk.busy)
    assert listed(window) == ["2.npy", "1.npy", "0.npy"]
    # the scan on show stays, at its new place
    assert window.session.shown is shown and window.session.opening.index == 2 == window.files.current()
    assert _tip(window, 0).startswith(str(paths[2]))
    assert window.settings.text("file-order") == "newest"
    window.open_paths([tmp_path / "scans"])  # and stays chosen
    qtbot.waitUntil(lambda: not window.session.desk.busy)
    assert window.session.opening.files == tuple(reversed(paths))
