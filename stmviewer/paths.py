"""Where resources, shipped models, user models, settings and logs are.

One question with three answers: in the source tree they lie beside the package, in an installed wheel inside it
(`stmviewer/_data`), in a frozen application below `sys._MEIPASS`.
"""

import os
import sys
from pathlib import Path

import platformdirs

_PACKAGE = Path(__file__).resolve().parent
_APP = "stmviewer"


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


def user_models() -> Path:
    """Folder for models that the user trained; it may not exist yet. STMVIEWER_MODELS overrides it."""
    override = os.environ.get("STMVIEWER_MODELS")
    return Path(override) if override else Path(platformdirs.user_data_dir(_APP, appauthor=False)) / "models"


def user_data() -> Path:
    """Folder for what the user has said of files that lie where nothing can be written; it may not exist yet."""
    return Path(platformdirs.user_data_dir(_APP, appauthor=False))


def settings() -> Path:
    """Folder for settings; it may not exist yet."""
    return Path(platformdirs.user_config_dir(_APP, appauthor=False))


def logs() -> Path:
    """Folder for log files; it may not exist yet."""
    return Path(platformdirs.user_log_dir(_APP, appauthor=False))


def cache() -> Path:
    """Folder for what can be made again; it may not exist yet."""
    return Path(platformdirs.user_cache_dir(_APP, appauthor=False))
