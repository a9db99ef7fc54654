"""Every real scan in the window, by the real services: shown, or refused with a clear reason."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from stmviewer.gui.settings import Settings
from stmviewer.gui.state import Phase
from stmviewer.gui.window import MainWindow
from stmviewer.restore import RestoreRequest

from .bench import real_services, settled

pytestmark = pytest.mark.real_data


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    made = MainWindow(real_services(), settings=Settings(tmp_path / "window.ini"))
    made.show()
    qtbot.waitUntil(lambda: bool(made.session.models))
    yield made
    made.close()
    made.deleteLater()


def test_every_file_is_shown_or_refused(window: MainWindow, qtbot: QtBot, real_data: Path) -> None:
    shown, refused = [], []
    files = sorted(p for p in (real_data / "scans").rglob("*") if p.is_file())
    for path in files:
        window.open_paths([path])
        settled(qtbot, window)
        message = window.messages.message("error")
        if message is not None:
            assert path.name in message.text
            refused.append(path)
            continue
        assert window.session.shown is not None
        assert window.session.shown.scan.path == path
        assert np.isfinite(window.view.limits()).all()
        grabbed = window.view.panes["raw"].viewport_widget.grab().toImage()
        assert not grabbed.isNull()
        if window.session.shown.obstacle:
            assert not window.run_controls.button.isEnabled()
        shown.append(path)
    assert {p for p in files if p.suffix in (".sxm", ".gwy")} <= set(shown)
    assert {p.suffix for p in refused} <= {".dat", ".3ds", ".sm4"}


@pytest.mark.parametrize(
    ("task", "mask", "model"),
    [("repair", None, "row-median"), ("sparse", "lines:4", "linear"), ("sparse", "file", "linear")],
)
def test_a_real_scan_is_restored(
    window: MainWindow, qtbot: QtBot, real_data: Path, task: str, mask: str | None, model: str
) -> None:
    file = "spmqt-createc/A250320.191933.sxm" if mask == "file" else "fairmat-pynxtools-stm/Au_mica_2023_Y_A_099.sxm"
    window.open_paths([real_data / "scans" / file])
    settled(qtbot, window)
    window.controls.show_request(RestoreRequest(task, model=model, mask=mask))  # type: ignore[arg-type]
    settled(qtbot, window)
    preview = window.session.sampling.mask
    window.run_controls.button.click()
    qtbot.waitUntil(lambda: not window.session.desk.busy, timeout=60_000)
    assert window.session.run.phase is Phase.DONE
    restored = window.session.restored
    assert restored is not None
    assert np.isfinite(restored.mean.data).all()
    # the mask that was shown before is the mask that was used, in the same place
    assert preview is not None
    assert (preview.mask.measured == restored.restoration.mask.measured).all()
    assert preview.picture.frame == restored.mean.frame
    assert bool(window.view.legend.score_texts()) == (mask == "lines:4")
