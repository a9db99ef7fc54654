"""Every real .sxm and .gwy in the real window: opened, and restored in both tasks or refused with a reason."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from stmviewer.files import open_scan
from stmviewer.gui.settings import Settings
from stmviewer.gui.state import Phase
from stmviewer.gui.window import MainWindow
from stmviewer.restore import RestoreRequest

from .bench import real_services, settled

pytestmark = pytest.mark.real_data

#: real restorations take their time (ms)
PATIENCE = 120_000
REQUESTS = (
    RestoreRequest("repair", model="row-median"),
    RestoreRequest("sparse", model="cubic", mask="lines:4"),
)


def test_every_real_scan_is_restored_in_both_tasks_or_refused_with_a_reason(
    real_data: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    files = sorted(p for p in (real_data / "scans").rglob("*") if p.suffix in (".sxm", ".gwy"))
    assert len(files) >= 16
    window = MainWindow(real_services(), settings=Settings(tmp_path / "window.ini"))
    window.show()
    qtbot.waitUntil(lambda: bool(window.session.models))
    refused = {}
    try:
        for file in files:
            window.open_paths([file])
            settled(qtbot, window, PATIENCE)
            shown = window.session.shown
            assert shown is not None, file
            assert shown.scan.path == file
            for request in REQUESTS:
                window.controls.show_request(request)
                settled(qtbot, window, PATIENCE)
                reason = window.restore_page.obstacle()
                if reason:
                    refused[file.name] = reason
                    continue
                window.run_controls.button.click()
                settled(qtbot, window, PATIENCE)
                assert window.session.run.phase is Phase.DONE, (file, request, window.session.run.message)
                result = window.session.restored
                assert result is not None
                assert result.restoration.mean.shape == shown.scan.geometry.shape
    finally:
        window.close()
    # exactly the scans whose topography is constant or was never measured
    hopeless = {f.name for f in files if open_scan(f).channel().why_not_restorable()}
    assert set(refused) == hopeless
    assert len(hopeless) < len(files) / 2
    assert all("constant" in r or "never ran" in r for r in refused.values()), refused
