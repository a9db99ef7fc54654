"""The simulation beside the window: live preview, wishes, opening as a scan, pairs in files."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from stmviewer.gui.simulating.dialog import SimulateDialog
from stmviewer.gui.simulating.wishes import part_of, title_of
from stmviewer.gui.window import MainWindow
from stmviewer.simulate import simulate_scan
from stmviewer.simulate.wishes import Entry

from .bench import Bench, settled

Opener = Callable[..., MainWindow]


@pytest.fixture
def dialog(open_window: Opener, qtbot: QtBot) -> SimulateDialog:
    window = open_window()
    window.menus.actions["simulate"].trigger()
    found = window.companions.simulation.dialog
    assert isinstance(found, SimulateDialog)
    # small, so that the tests are quick
    for box in (found.form.columns, found.form.rows):
        box.setValue(48)
    at_rest(qtbot, found)
    return found


def at_rest(qtbot: QtBot, dialog: SimulateDialog) -> None:
    qtbot.waitUntil(lambda: dialog.form.isEnabled() and not dialog.busy, timeout=20_000)


def shown(dialog: SimulateDialog) -> np.ndarray:
    preview = dialog.panes.preview
    assert preview is not None
    return preview.simulated.pair.degraded


def test_the_preview_is_the_scan_of_the_command_line(dialog: SimulateDialog, qtbot: QtBot) -> None:
    pair = simulate_scan("si001h", 48, 48, 0.1e-9, "realistic", 0)
    np.testing.assert_allclose(shown(dialog), pair.degraded, atol=1e-20)
    pristine, degraded = dialog.panes.pristine, dialog.panes.degraded
    assert pristine.picture is not None
    np.testing.assert_allclose(pristine.picture.data, pair.clean, atol=1e-20)
    assert pristine.raster._limits == degraded.raster._limits  # the same colours
    bar = degraded.overlay.shown_scale_bar()
    assert bar is not None
    assert bar.label == "1 nm"


def test_a_change_makes_a_new_image_and_only_the_last_one_counts(dialog: SimulateDialog, qtbot: QtBot) -> None:
    before = shown(dialog)
    for seed in (1, 2, 3):
        dialog.form.seed.setValue(seed)
        dialog._timer.timeout.emit()  # as if the user had waited: the jobs of 1 and 2 are under way
    at_rest(qtbot, dialog)
    pair = simulate_scan("si001h", 48, 48, 0.1e-9, "realistic", 3)
    np.testing.assert_allclose(shown(dialog), pair.degraded, atol=1e-20)
    assert not np.array_equal(before, shown(dialog))
    dialog.form.another.click()
    assert dialog.form.request().seed == 4
    at_rest(qtbot, dialog)


def test_wishes_show_up_in_the_image(dialog: SimulateDialog, qtbot: QtBot) -> None:
    wishes = dialog.form.wishes
    wishes.none.click()
    at_rest(qtbot, dialog)
    preview = dialog.panes.preview
    assert preview is not None
    np.testing.assert_array_equal(preview.simulated.pair.degraded, preview.simulated.pair.clean)
    assert preview.simulated.happened == ()
    wishes.set_wish("Scars", "always", 1.0)
    at_rest(qtbot, dialog)
    preview = dialog.panes.preview
    assert preview is not None
    assert preview.simulated.happened == ("Scars",)
    assert wishes._rows["Scars"].label.font().bold()
    assert not wishes._rows["Spikes"].label.font().bold()
    wishes.by_chance.click()
    assert dialog.form.request().wishes == ()
    at_rest(qtbot, dialog)


def test_every_degradation_has_its_row_with_its_chance(dialog: SimulateDialog, qtbot: QtBot) -> None:
    from stmviewer.simulate.wishes import catalogue

    wishes = dialog.form.wishes
    assert wishes.names() == [e.name for e in sorted(catalogue(), key=lambda e: wishes.names().index(e.name))]
    assert set(wishes.names()) == {e.name for e in catalogue()}
    dialog.form.preset.setCurrentText("reference")
    assert wishes._rows["BluntTip"].how.itemText(0) == "By chance, 50 %"
    assert wishes._rows["Scars"].how.itemText(0) == "Not in preset"
    at_rest(qtbot, dialog)


def test_a_class_that_nobody_has_named_here_is_shown_all_the_same() -> None:
    entry = Entry("STMHeadDropped", "It fell", "gravity_well", {"severe": 0.1})
    assert title_of(entry.name) == "STM head dropped"
    assert title_of("SeveralTips") == "Several tips"
    assert part_of(entry) == "Gravity well"


def test_the_scan_is_opened_in_the_window(dialog: SimulateDialog, qtbot: QtBot) -> None:
    window = dialog.parent()
    assert isinstance(window, MainWindow)
    dialog.open_button.click()
    settled(qtbot, window)
    assert window.session.scan is not None
    np.testing.assert_array_equal(window.session.scan.channel("Z", "forward").data, shown(dialog))
    assert window.session.shown is not None
    assert window.session.shown.obstacle is None
    assert window.header._name.text() == "simulated scan"
    window.restore()
    settled(qtbot, window)
    assert window.session.restored is not None
    assert window.session.restoring.command() is None  # no file, no command line
    assert dialog.isVisible()


def test_pairs_are_written(
    dialog: SimulateDialog, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "pairs"
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    dialog.count.setValue(3)
    dialog.save_button.click()
    qtbot.waitUntil(lambda: not dialog._saving.busy)
    assert sorted(p.name for p in folder.glob("*.npz")) == [f"si001h-realistic-0-0000{k}.npz" for k in range(3)]
    assert dialog.status.full_text == f"Written: 3 pairs in {folder}"
    assert not dialog.progress.isVisible()
    assert dialog.save_button.text() == "Save pairs…"


def test_writing_pairs_is_cancelled(dialog: SimulateDialog, qtbot: QtBot, tmp_path: Path) -> None:
    dialog.count.setValue(5000)
    dialog.save_to(tmp_path)
    assert dialog.save_button.text() == "Cancel"
    qtbot.waitUntil(lambda: any(tmp_path.glob("*.npz")))
    assert dialog.progress.isVisible()
    dialog.save_button.click()
    assert dialog.save_button.text() == "Cancelling…"
    qtbot.waitUntil(lambda: not dialog._saving.busy)
    assert "Cancelled" in dialog.status.full_text
    assert len(list(tmp_path.glob("*.npz"))) < 5000
    assert dialog.save_button.isEnabled()


def test_a_folder_that_cannot_be_written_to_is_said(dialog: SimulateDialog, qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    dialog.save_to(tmp_path / "file")
    qtbot.waitUntil(lambda: not dialog._saving.busy)
    assert "file" in dialog.status.full_text
    assert dialog.save_button.text() == "Save pairs…"


def test_closing_ends_what_is_under_way_and_opens_anew(
    dialog: SimulateDialog, open_window: Opener, qtbot: QtBot, bench: Bench, tmp_path: Path
) -> None:
    window = dialog.parent()
    assert isinstance(window, MainWindow)
    dialog.count.setValue(5000)
    dialog.save_to(tmp_path)
    dialog.form.seed.setValue(9)
    dialog.close()
    qtbot.waitUntil(lambda: window.companions.simulation.dialog is None and not window.session.desk.busy)
    assert len(list(tmp_path.glob("*.npz"))) < 5000
    window.menus.actions["simulate"].trigger()
    assert isinstance(window.companions.simulation.dialog, SimulateDialog)
    at_rest(qtbot, window.companions.simulation.dialog)


def test_the_cursor_reads_both_images(dialog: SimulateDialog) -> None:
    from PySide6.QtCore import QPointF

    dialog.panes.degraded.hovered.emit(QPointF(1.0, 2.0))
    text = dialog.status.full_text
    assert "pristine" in text
    assert "degraded" in text
    dialog.panes.degraded.hovered.emit(None)
    assert dialog.status.full_text == ""
