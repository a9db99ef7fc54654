"""Files with several scans, and images without a size, in the window."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QDialogButtonBox
from pytestqt.qtbot import QtBot

from stmviewer.files import save_parts
from stmviewer.files.calibration import Calibration
from stmviewer.gui.calibration_dialog import CalibrationDialog
from stmviewer.gui.number_box import NumberBox
from stmviewer.gui.settings import Settings
from stmviewer.gui.window import MainWindow
from stmviewer.scan import Channel, Geometry, Part, Scan

from .bench import Bench, make_scan, settled, surface

Opener = Callable[..., MainWindow]


@pytest.fixture
def two_scans(tmp_path: Path) -> Path:
    """A file with a scan of Z and Current, and a smaller one of Phase."""
    folder = tmp_path / "several"
    folder.mkdir()
    first = make_scan()
    second = Scan([Channel("Phase", "deg", surface(24, 40) * 1e9)], Geometry(40, 24, 30e-9, 18e-9))
    named = [replace(s, part=Part(k, 2, name)) for k, s, name in ((1, first, "both"), (2, second, "phase"))]
    return save_parts(named, folder / "two.gwy")


def test_a_file_with_one_scan_has_no_chooser(bench: Bench, open_window: Opener) -> None:
    assert not open_window(bench.add("scan.sxm")).header.part.isVisible()


def test_another_scan_of_the_file_is_chosen_above_the_picture(
    two_scans: Path, bench: Bench, open_window: Opener, qtbot: QtBot
) -> None:
    window = open_window(two_scans)
    chooser = window.header.part
    assert chooser.isVisible()
    assert [chooser.itemText(k) for k in range(chooser.count())] == ["1: both", "2: phase"]
    assert window.session.shown is not None
    first = window.session.shown.channel
    window.restore()
    settled(qtbot, window)
    assert window.session.restored is not None
    chooser.activated.emit(1)
    settled(qtbot, window)
    assert window.session.shown.channel.name == "Phase"
    assert window.session.shown.picture.data.shape == (24, 40)
    assert chooser.currentText() == "2: phase"
    assert window.session.restored is None
    window.restore()
    settled(qtbot, window)
    assert bench.restorer.requests[-1].channel == "Phase"
    command = window.session.restoring.command()
    assert command is not None
    assert command.endswith("--part 2")
    # and back: the result of the first is still there
    chooser.activated.emit(0)
    settled(qtbot, window)
    assert window.session.shown.channel is first
    assert window.session.restored is not None
    assert "--part" not in (window.session.restoring.command() or "")


def test_the_chooser_is_locked_while_a_restoration_runs(
    two_scans: Path, bench: Bench, open_window: Opener, qtbot: QtBot
) -> None:
    window = open_window(two_scans)
    bench.restorer.gate.clear()
    window.restore()
    qtbot.waitUntil(bench.restorer.at_gate.is_set)
    assert not window.header.part.isEnabled()
    window.session.opening.show_part(window.session.opening.parts[1])
    bench.restorer.gate.set()
    settled(qtbot, window)
    assert window.session.scan is window.session.opening.parts[0]
    assert window.header.part.isEnabled()


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    """Two images of one folder that bring no size."""
    folder = tmp_path / "images"
    folder.mkdir()
    paths = [folder / "a.npy", folder / "b.npy"]
    for path in paths:
        np.save(path, 1e9 * surface(32, 48))
    return paths


def dialog_of(window: MainWindow) -> CalibrationDialog:
    found = [d for d in window.findChildren(CalibrationDialog) if d.isVisible()]
    assert len(found) == 1
    return found[0]


def ok(dialog: CalibrationDialog) -> None:
    dialog.buttons.button(QDialogButtonBox.StandardButton.Ok).click()


def test_an_image_without_size_gets_one_that_its_folder_keeps(
    images: list[Path], bench: Bench, open_window: Opener, qtbot: QtBot
) -> None:
    window = open_window(*images)
    note = window.messages.message("notes")
    assert note is not None
    assert note.button is not None
    assert window.menus.actions["calibrate"].isEnabled()
    note.button.click()
    dialog = dialog_of(window)
    dialog.across.setValue(0.5)
    assert dialog.down.value() == 0.5
    dialog.unit.setCurrentText("nm")
    ok(dialog)
    settled(qtbot, window)
    scan = window.session.scan
    assert scan is not None
    assert (scan.geometry.width, scan.geometry.height) == (pytest.approx(24e-9), pytest.approx(16e-9))
    assert scan.channel().unit == "m"
    window.restore()
    settled(qtbot, window)
    assert "--pixel-nm 0.5x0.5 --unit nm" in (window.session.restoring.command() or "")
    # the next image of the folder has it, and so has the next window
    window.step_file(1)
    settled(qtbot, window)
    assert window.session.scan is not None
    assert window.session.scan.geometry.width == pytest.approx(24e-9)
    assert Settings(bench.settings_path).calibrations or window.settings.calibrations
    # and it can be forgotten
    window.ask_calibration()
    forget = next(b for b in dialog_of(window).buttons.buttons() if b.text() == "Forget")
    forget.click()
    settled(qtbot, window)
    assert not window.session.scan.geometry.calibrated
    assert window.settings.calibrations == {}


def test_a_size_for_one_file_alone(images: list[Path], open_window: Opener, qtbot: QtBot) -> None:
    window = open_window(*images)
    window.ask_calibration()
    dialog = dialog_of(window)
    dialog.kind.setCurrentText("Whole size")
    dialog.across.setValue(60.0)
    assert dialog.down.value() == pytest.approx(40.0)
    dialog.square.setChecked(False)
    dialog.down.setValue(50.0)
    dialog.folder.setChecked(False)
    assert "60 × 50 nm" in dialog.told.text()
    ok(dialog)
    settled(qtbot, window)
    assert window.session.scan is not None
    assert window.session.scan.geometry.height == pytest.approx(50e-9)
    window.step_file(1)
    settled(qtbot, window)
    assert not window.session.scan.geometry.calibrated


def test_what_no_image_can_have_is_said_in_the_dialog(images: list[Path], open_window: Opener) -> None:
    window = open_window(images[0])
    window.ask_calibration()
    dialog = dialog_of(window)
    dialog.unit.setCurrentText("5 nm")
    assert "is not a unit" in dialog.told.text()
    assert not dialog.buttons.button(QDialogButtonBox.StandardButton.Ok).isEnabled()
    dialog.reject()


def test_a_scan_with_size_and_units_is_not_asked_about(bench: Bench, open_window: Opener) -> None:
    window = open_window(bench.add("scan.sxm"))
    assert not window.menus.actions["calibrate"].isEnabled()


def test_spoilt_settings_are_no_calibration(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "w.ini")
    for text in ("", "[]", "{", '{"/a": 3}', '{"/a": "{}"}'):
        settings.set_text("calibrations", text)
        assert all(not said for said in settings.calibrations.values())
    for k in range(250):
        settings.set_calibration(f"/{k}", Calibration(pixel_nm=(1.0, 1.0)))
    assert len(settings.calibrations) == 200
    assert "/249" in settings.calibrations


def test_numbers_have_no_zeros_at_their_end(qtbot: QtBot) -> None:
    box = NumberBox()
    qtbot.addWidget(box)
    box.setDecimals(6)
    box.setRange(-1e6, 1e6)
    for value, text in ((0.1, "0.1"), (120.0, "120"), (1e-6, "0.000001"), (-2.5, "-2.5"), (0.0, "0")):
        box.setValue(value)
        assert box.cleanText().replace(box.locale().groupSeparator(), "") == text
        assert box.value() == value
