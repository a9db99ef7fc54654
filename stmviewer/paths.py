"""Where resources, shipped models, user models, settings and logs are.

One question with three answers: in the source tree they lie beside the package, in an installed wheel inside it
(`stmviewer/_data`), in a frozen application below `sys._MEIPASS`.

The user's own things lie where the system wants them (platformdirs). A frozen application with a file `portable.txt`
beside it keeps them in `stmviewer-data` beside it instead: for microscope PCs and memory sticks.
"""

import os
import sys
from pathlib import Path

import platformdirs

_PACKAGE = Path(__file__).resolve().parent
_APP = "stmviewer"
#: beside the executable; what is in it does not matter
PORTABLE_MARK = "portable.txt"
_PORTABLE_DATA = "stmviewer-data"


def _data_root() -> Path:
    frozen = getattr(sys, "_MEIPASS", None)
    if frozen is not None:
        return Path(frozen)
    installed = _PACKAGE / "_data"
    return installed if installed.is_dir() else _PACKAGE.parent


def resources() -> Path:
    """Folder with icons, colour maps, help pages and sample scans (read only)."""
    return _data_root() / "resources"


def shipped_models() -> Path:
    """Folder with the models that came with this version (read only)."""
    return _data_root() / "models"


def licences() -> Path | None:
    """The text with the licences of all libraries in a frozen application; None elsewhere, where pip installed them."""
    text = _data_root() / "licences" / "THIRD_PARTY_LICENSES.txt"
    return text if text.is_file() else None


def frozen() -> bool:
    """Whether this is the application with everything in one folder, not Python with a package."""
    return bool(getattr(sys, "frozen", False))


def command() -> list[str]:
    """The words that start this very stmviewer once more, before the arguments: for children with a command to run.

    On Windows the program of the window has no stdout; the one beside it with a console has.
    """
    if not frozen():
        return [sys.executable, "-m", "stmviewer"]
    console = Path(sys.executable).with_name("stmviewer-cli.exe")
    return [str(console if console.is_file() else sys.executable)]


def portable() -> Path | None:
    """The folder with all that the user has, where this is a portable copy; None where the system's places are used.

    A copy whose folder cannot be written uses the system's places, or it would forget everything.
    """
    if not frozen():
        return None
    beside = Path(sys.executable).resolve().parent
    if beside.parts[-2:] == ("Contents", "MacOS"):  # inside stmviewer.app: beside that
        beside = beside.parents[2]
    if not (beside / PORTABLE_MARK).is_file():
        return None
    data = beside / _PORTABLE_DATA
    return data if os.access(data if data.is_dir() else beside, os.W_OK) else None


def _own(part: str, system: str) -> Path:
    kept = portable()
    return kept / part if kept is not None else Path(system)


def user_models() -> Path:
    """Folder for models that the user trained; it may not exist yet. STMVIEWER_MODELS overrides it."""
    override = os.environ.get("STMVIEWER_MODELS")
    return Path(override) if override else user_data() / "models"


def user_data() -> Path:
    """Folder for what the user has said of files that lie where nothing can be written; it may not exist yet."""
    return _own("data", platformdirs.user_data_dir(_APP, appauthor=False))


def settings() -> Path:
    """Folder for settings; it may not exist yet."""
    return _own("settings", platformdirs.user_config_dir(_APP, appauthor=False))


def logs() -> Path:
    """Folder for log files; it may not exist yet."""
    return _own("logs", platformdirs.user_log_dir(_APP, appauthor=False))


def cache() -> Path:
    """Folder for what can be made again; it may not exist yet."""
    return _own("cache", platformdirs.user_cache_dir(_APP, appauthor=False))
