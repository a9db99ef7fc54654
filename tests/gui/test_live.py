"""The live folder: what lands opens, is restored if wished, and nothing that happens to the folder is fatal."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from stmviewer.gui.live import control
from stmviewer.gui.window import MainWindow

from .bench import Bench, listed, settled

Opener = Callable[..., MainWindow]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "POLL_MS", 30)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "live"
    made.mkdir()
    return made


def save(path: Path, seed: int = 0) -> Path:
    partial = path.with_name("partial.tmp")
    with partial.open("wb") as file:
        np.save(file, np.random.default_rng(seed).normal(size=(32, 32)))
    return partial.rename(path)


def test_the_newest_scan_opens_and_is_restored_as_it_lands(
    folder: Path, bench: Bench, open_window: Opener, qtbot: QtBot
) -> None:
    window = open_window()
    window.live.start(folder)  # still empty
    assert window.live.strip.isVisible() and window.workspace.isVisible()
    qtbot.waitUntil(lambda: "waiting for the next scan" in window.live.strip.text.full_text)
    first = save(folder / "a.npy")
    qtbot.waitUntil(lambda: window.session.scan is not None and window.session.scan.path == first)
    assert not bench.restorer.requests
    window.live.strip.restoring.setChecked(True)
    second = save(folder / "b.npy", 1)
    qtbot.waitUntil(lambda: window.session.restored is not None)
    assert window.session.scan.path == second and listed(window) == ["a.npy", "b.npy"]
    assert bench.restorer.requests == [window.controls.request().replaced(channel="Height", direction="forward")]
    assert "last scan b.npy" in window.live.strip.text.full_text
    window.menus.actions["live"].trigger()
    assert not window.live.strip.isVisible() and window.live.folder is None
    save(folder / "c.npy", 2)
    settled(qtbot, window)
    assert window.session.scan.path == second


def test_what_is_there_already_is_listed_and_the_newest_shown(folder: Path, open_window: Opener, qtbot: QtBot) -> None:
    import os

    for k, name in enumerate(("b.npy", "a.npy", "c.npy")):
        os.utime(save(folder / name, k), (1000 + k, 1000 + k))
    window = open_window()
    window.live.start(folder)
    qtbot.waitUntil(lambda: window.session.scan is not None)
    assert window.session.scan.path == folder / "c.npy" and listed(window) == ["a.npy", "b.npy", "c.npy"]
    assert window.files.current() == 2
    settled_thumbnail = window.files.model.entries[2].thumbnail
    os.utime(save(folder / "c.npy", 9), (5000, 5000))  # it has grown: opened again, with a new picture
    shown = window.session.shown
    qtbot.waitUntil(lambda: window.session.shown is not shown and window.session.scan.path == folder / "c.npy")
    qtbot.waitUntil(lambda: window.files.model.entries[2].thumbnail is not settled_thumbnail)


def test_a_scan_waits_for_the_restoration_under_way(
    folder: Path, bench: Bench, open_window: Opener, qtbot: QtBot
) -> None:
    save(folder / "a.npy")
    window = open_window()
    window.live.start(folder)
    qtbot.waitUntil(lambda: window.session.scan is not None)
    settled_once = window.session.scan
    bench.restorer.gate.clear()
    window.restore()
    save(folder / "b.npy", 1)
    qtbot.waitUntil(lambda: window.live._next is not None)
    assert window.session.scan is settled_once and window.session.run.busy
    window.session.restoring.cancel()
    qtbot.waitUntil(lambda: window.session.scan.path == folder / "b.npy")


def test_a_result_stays_on_show_when_a_scan_has_landed_meanwhile(
    folder: Path, bench: Bench, open_window: Opener, qtbot: QtBot
) -> None:
    save(folder / "a.npy")
    window = open_window()
    window.live.start(folder)
    qtbot.waitUntil(lambda: window.session.scan is not None)
    bench.restorer.gate.clear()
    window.restore()
    save(folder / "b.npy", 1)
    qtbot.waitUntil(lambda: window.live._next is not None)
    bench.restorer.gate.set()
    qtbot.waitUntil(lambda: window.session.restored is not None)
    settled(qtbot, window)
    assert window.session.scan.path == folder / "a.npy" and window.session.restored is not None
    assert listed(window) == ["a.npy", "b.npy"]
    assert "last scan b.npy" in window.live.strip.text.full_text
    assert window.live.strip.text.full_text.endswith("in the list")
    save(folder / "c.npy", 2)  # nothing is under way
    qtbot.waitUntil(lambda: window.session.scan.path == folder / "c.npy")


def test_a_folder_that_vanishes_is_survived(folder: Path, open_window: Opener, qtbot: QtBot) -> None:
    save(folder / "a.npy")
    window = open_window()
    window.live.start(folder)
    qtbot.waitUntil(lambda: window.session.scan is not None)
    folder.rename(folder.parent / "gone")
    qtbot.waitUntil(lambda: "Still trying" in window.live.strip.text.full_text)
    assert window.live.strip.mark.text() == "○ Live" and window.session.scan is not None
    (folder.parent / "gone").rename(folder)
    qtbot.waitUntil(lambda: window.live.strip.mark.text() == "● Live")
    save(folder / "b.npy", 1)
    qtbot.waitUntil(lambda: window.session.scan.path == folder / "b.npy")
    window.close()
    assert window.ended_cleanly


def test_an_empty_folder_says_that_it_waits_and_a_first_scan_has_its_picture(
    folder: Path, open_window: Opener, qtbot: QtBot
) -> None:
    window = open_window()
    window.live.start(folder)
    assert window.view.panes["raw"]._hint.text() == "Waiting for the first scan"
    first = save(folder / "a.npy")
    qtbot.waitUntil(lambda: window.session.scan is not None and window.session.scan.path == first)
    assert not window.view.panes["raw"]._hint.text()
    qtbot.waitUntil(lambda: window.files.model.entries[0].thumbnail is not None)


def test_a_folder_that_comes_only_later_is_listed_then(folder: Path, open_window: Opener, qtbot: QtBot) -> None:
    save(folder / "a.npy")
    folder.rename(folder.parent / "later")
    window = open_window()
    window.live.start(folder)
    qtbot.waitUntil(lambda: "Still trying" in window.live.strip.text.full_text)
    (folder.parent / "later").rename(folder)
    qtbot.waitUntil(lambda: window.session.scan is not None and listed(window) == ["a.npy"])
