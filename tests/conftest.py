"""What every test shares: Qt without a screen, the real scans where they are, nobody's own settings touched."""

import os

# without a display and without this, Qt aborts the whole test process: set before anything imports it
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# two OpenMP threads on a busy machine were five times slower than one
os.environ.setdefault("OMP_NUM_THREADS", "1")

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder with the real scans; the test is skipped where there is none."""
    folder = os.environ.get("STMVIEWER_REAL_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("STMVIEWER_REAL_DATA does not point at the real scans")
    return Path(folder)


@pytest.fixture(autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings, logs and user models of the tests go to a fresh folder, never to the user's."""
    home = tmp_path_factory.mktemp("home")
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(home))
    monkeypatch.setenv("STMVIEWER_MODELS", str(home / "models"))
