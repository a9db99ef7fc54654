"""Restoring from the window: the button, the result, cancelling, failing, exporting, closing."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from stmviewer.gui import dialogs
from stmviewer.gui.state import Phase
from stmviewer.gui.window import MainWindow
from stmviewer.restore import RestoreRequest
from stmviewer.scan import RequestError

from .bench import Bench, settled

Opener = Callable[..., MainWindow]


def start(qtbot: QtBot, bench: Bench, window: MainWindow) -> None:
    """Presses Restore and waits until the job is in the middle of its work."""
    bench.restorer.gate.clear()
    bench.restorer.at_gate.clear()
    window.run_controls.button.click()
    qtbot.waitUntil(bench.restorer.at_gate.is_set)
    qtbot.waitUntil(lambda: window.session.run.fraction == 0.5)


def test_a_restoration_from_button_to_image(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    window = open_window(bench.add("scan.sxm"))
    window.controls.show_request(RestoreRequest("sparse", model="flow-sim", mask="lines:4", steps=4))
    settled(qtbot, window)
    start(qtbot, bench, window)
    button = window.run_controls.button
    assert button.text() == "Cancel"
    assert window.run_controls.progress.isVisible()
    assert window.run_controls.progress.value() == 500
    assert window.run_controls.status.text() == "Sampling · about 12 s left"
    assert not window.controls.isEnabled()
    assert not window.header.channel.isEnabled()
    bench.restorer.gate.set()
    settled(qtbot, window)
    assert window.session.run.phase is Phase.DONE
    assert button.text() == "Restore"
    assert window.controls.isEnabled()
    request = bench.restorer.requests[-1]
    assert (request.channel, request.direction, request.steps, request.mask) == ("Z", "forward", 4, "lines:4")
    pane = window.view.panes["restored"]
    assert pane.title == "Restored: Texture network · simulated, 4 steps"
    raw = window.view.panes["raw"].value_at(3.0, 4.0)
    assert raw is not None
    assert pane.value_at(3.0, 4.0) == pytest.approx(raw + 1e-12, abs=1e-16)
    assert window.view.legend.summary.startswith("Texture network · simulated, 4 steps, ")
    texts = [row.text for row in window.view.legend.trust.rows]
    assert any(text.startswith("Residual: 1 pm rms at measured pixels") for text in texts)
    assert pane.overlay.badge == "residual 1 pm rms"
    assert window.view.legend.score_texts()[1:] == [
        ["Texture network · simulated", "0.930", "30.0 dB", "2 pm"],
        ["Linear interpolation", "0.810", "24.0 dB", "6 pm"],
    ]
    assert window.device_line.text() == "CPU, 2 threads"


def test_both_panes_share_colours_and_plane(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    window = open_window(bench.add("scan.sxm"))
    window.restore()
    settled(qtbot, window)
    raw, restored = window.view.panes["raw"].raster, window.view.panes["restored"].raster
    assert raw.plane == restored.plane
    assert raw._limits == restored._limits == window.view.limits()


def test_difference_and_deviation(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    window = open_window(bench.add("scan.sxm"))
    window.controls.show_request(RestoreRequest("repair", model="flow-sim", samples=8))
    settled(qtbot, window)
    assert not window.menus.actions["pane-difference"].isEnabled()
    assert not window.view.bar.chips["difference"].isVisible()
    window.restore()
    settled(qtbot, window)
    window.menus.actions["pane-deviation"].trigger()
    window.view.bar.chips["difference"].click()
    assert window.view.placed() == ["raw", "restored", "difference", "deviation"]
    deviation, difference = window.view.panes["deviation"], window.view.panes["difference"]
    assert deviation.title == "Deviation: Texture network · simulated, 8 samples"
    assert deviation.value_at(5, 5) == 3e-12
    assert difference.value_at(5, 5) == pytest.approx(1e-12, abs=1e-16)
    bars = window.view.legend.bars
    assert bars["deviation"].isVisible()
    low, high = bars["difference"].limits
    assert low == -high
    assert bars["deviation"].limits[0] == 0
    window.view.panes["deviation"].cross.click()
    assert window.view.placed() == ["raw", "restored", "difference"]
    assert not bars["deviation"].isVisible()


def test_without_samples_there_is_no_deviation(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    window = open_window(bench.add("scan.sxm"))
    window.restore()
    settled(qtbot, window)
    assert window.menus.actions["pane-difference"].isEnabled()
    assert not window.menus.actions["pane-deviation"].isEnabled()


def test_cancel(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    window = open_window(bench.add("scan.sxm"))
    start(qtbot, bench, window)
    window.run_controls.button.click()
    assert window.run_controls.button.text() == "Cancelling…"
    assert not window.run_controls.button.isEnabled()
    settled(qtbot, window)
    assert window.session.run.phase is Phase.IDLE
    assert window.run_controls.status.text() == "Cancelled"
    assert window.session.restored is None
    bench.restorer.gate.set()
    window.run_controls.button.click()  # and again
    settled(qtbot, window)
    assert window.session.restored is not None


def test_on_other_pages_the_status_bar_tells_of_the_run(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    window = open_window(bench.add("scan.sxm"))
    start(qtbot, bench, window)
    assert window.run_line.text() == ""  # the page's own bar is seen
    window.show_tab("measure")
    assert window.run_line.text() == "Restoring: Sampling · about 12 s left (Esc cancels)"
    bench.restorer.gate.set()
    settled(qtbot, window)
    assert window.run_line.text() == ""


def test_a_refused_request_is_said_in_one_line(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    window = open_window(bench.add("scan.sxm"))
    bench.restorer.error = RequestError("device cuda: no CUDA GPU can be used on this computer; choose auto or cpu")
    window.restore()
    settled(qtbot, window)
    message = window.messages.message("error")
    assert message is not None
    assert message.kind == "error"
    assert message.text.startswith("Device cuda: no CUDA GPU")
    assert window.session.run.phase is Phase.FAILED
    assert window.run_controls.button.isEnabled()
    bench.restorer.error = None
    window.restore()
    assert window.messages.message("error") is None
    settled(qtbot, window)
    assert window.session.run.phase is Phase.DONE


@pytest.mark.parametrize("error", [ZeroDivisionError("division by zero"), MemoryError()])
def test_a_fault_of_ours_leaves_the_window_alive(
    bench: Bench, open_window: Opener, qtbot: QtBot, error: Exception
) -> None:
    window = open_window(bench.add("scan.sxm"))
    bench.restorer.error = error
    window.restore()
    settled(qtbot, window)
    message = window.messages.message("error")
    assert message is not None
    assert ("division by zero" in message.text) or ("out of memory" in message.text)
    assert QApplication.activeModalWidget() is None


def test_warnings_of_a_result_are_shown(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    window = open_window(bench.add("scan.sxm"))
    window.controls.show_request(RestoreRequest("repair", model="flow-sim", seed=13))
    window.restore()
    settled(qtbot, window)
    message = window.messages.message("warnings")
    assert message is not None
    assert (message.kind, message.text) == ("note", "This is only a test")


def test_another_scan_ends_the_run_and_its_late_answer_is_dropped(
    bench: Bench, open_window: Opener, qtbot: QtBot
) -> None:
    window = open_window(bench.add("first.sxm"))
    start(qtbot, bench, window)
    window.open_paths([bench.add("second.sxm")])
    qtbot.waitUntil(lambda: window.windowTitle().startswith("second"))
    assert window.session.run.phase is Phase.IDLE
    assert window.workspace.processing.list.isEnabled()  # its steps had waited for the run
    bench.restorer.gate.set()
    settled(qtbot, window)
    assert window.session.restored is None
    assert window.view.panes["restored"].picture is None
    window.restore()
    settled(qtbot, window)
    assert window.session.restored is not None


def test_what_was_found_on_one_scan_is_not_said_of_the_next(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    window = open_window(bench.add("a.sxm"), bench.add("b.sxm"))
    trust = window.view.legend.trust
    for channel_alone in (True, False):
        window.restore()
        settled(qtbot, window)
        assert trust.isVisible() and trust.rows
        if channel_alone:
            window.step_direction()
        else:
            window.session.opening.show_file(1)
        settled(qtbot, window)
        assert window.session.restored is None
        assert not trust.isVisible() and not trust.rows


def test_each_channel_keeps_its_result(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    window = open_window(bench.add("scan.sxm"))
    window.restore()
    settled(qtbot, window)
    window.step_direction()
    settled(qtbot, window)
    assert window.session.restored is None
    window.step_direction()
    settled(qtbot, window)
    assert window.session.restored is not None
    assert window.view.panes["restored"].picture is window.session.restored.mean


def test_the_command_line_of_a_run(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    path = bench.add("scan.sxm")
    window = open_window(path)
    assert not window.menus.actions["copy-command"].isEnabled()
    window.controls.show_request(RestoreRequest("sparse", model="linear", mask="grid:2"))
    settled(qtbot, window)
    window.restore()
    settled(qtbot, window)
    window.menus.actions["copy-command"].trigger()
    assert QApplication.clipboard().text() == bench.restorer.requests[-1].command(str(path))


# export


def test_export_writes_and_says_where(
    bench: Bench, open_window: Opener, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = open_window(bench.add("scan.sxm"))
    assert not window.menus.actions["export"].isEnabled()
    window.restore()
    settled(qtbot, window)
    asked: list[str] = []

    def dialog(_parent: object, _title: str, start: str, filters: str, chosen: str) -> tuple[str, str]:
        asked.append(start)
        assert chosen in filters.split(";;")
        return str(bench.folder / "result"), next(f for f in filters.split(";;") if "*.npz" in f)

    monkeypatch.setattr(dialogs.QFileDialog, "getSaveFileName", dialog)
    window.menus.actions["export"].trigger()
    settled(qtbot, window)
    assert Path(asked[0]).name == "scan_Z-forward_repair.gwy"
    assert bench.exported == [bench.folder / "result.npz"]
    message = window.messages.message("done")
    assert message is not None
    assert message.text == f"Written: {bench.folder / 'result.npz'}"
    assert window.settings.text("export-format") == "npz"


def test_the_measured_file_is_never_overwritten(
    bench: Bench, open_window: Opener, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = bench.add("scan.gwy")
    window = open_window(path)
    window.restore()
    settled(qtbot, window)
    monkeypatch.setattr(dialogs, "ask_export_path", lambda *_: path)
    window.outgoing.export()
    settled(qtbot, window)
    assert bench.exported == []
    assert path.read_bytes() == b"a scan"
    message = window.messages.message("error")
    assert message is not None
    assert "never overwritten" in message.text
    monkeypatch.setattr(dialogs, "ask_export_path", lambda *_: path.with_name("another.gwy"))
    window.outgoing.export()
    settled(qtbot, window)
    assert window.messages.message("error") is None  # it was of the other name
    assert window.messages.message("done") is not None


def test_a_name_without_a_suffix_gets_the_format_and_a_free_name(tmp_path: Path) -> None:
    (tmp_path / "a.gwy").touch()
    assert dialogs.with_suffix(tmp_path / "a", "gwy") == tmp_path / "a-2.gwy"
    assert dialogs.with_suffix(tmp_path / "a.gwy", "npz") == tmp_path / "a.gwy"
    assert dialogs.with_suffix(tmp_path / "scan.042", "tif") == tmp_path / "scan.042.tif"


# the end


def test_closing_during_a_run_leaves_nothing(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    window = open_window(bench.add("scan.sxm"))
    start(qtbot, bench, window)
    assert any(t.name.startswith("stmviewer-restore") for t in threading.enumerate())
    window.close()
    assert window.ended_cleanly
    assert not window.isVisible()
    assert not [t for t in threading.enumerate() if t.name.startswith("stmviewer-")]


def test_a_job_that_will_not_stop_is_not_waited_for_forever(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    window = open_window(bench.add("scan.sxm"))
    release = threading.Event()
    inside = threading.Event()

    def stubborn(_: object) -> None:
        inside.set()
        release.wait()

    window.session.restoring._lane.start("Stubborn", stubborn)
    qtbot.waitUntil(inside.is_set)
    window.session.tip.close()  # on a busy machine it may come after the close
    assert window.session.desk.close(patience_s=0.05) is False
    release.set()
    assert window.session.desk.close() is True


def test_the_timer_runs_only_while_jobs_do(bench: Bench, open_window: Opener, qtbot: QtBot) -> None:
    window = open_window(bench.add("scan.sxm"))
    timer = window.session.desk._timer
    assert not timer.isActive()
    start(qtbot, bench, window)
    assert timer.isActive()
    bench.restorer.gate.set()
    settled(qtbot, window)
    qtbot.waitUntil(lambda: not timer.isActive())
