"""What the window remembers from one day to the next, in one ini file."""

import json
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings

from stmviewer import paths
from stmviewer.files.calibration import Calibration
from stmviewer.gui.theme import THEME_CHOICES, ThemeChoice

_MOST_RECENT = 12
_MOST_CALIBRATIONS = 200


class Settings:
    """Typed access to the settings; a value that somebody has spoilt by hand reads as its default."""

    def __init__(self, path: Path | None = None) -> None:
        self._store = QSettings(str(path or paths.settings() / "window.ini"), QSettings.Format.IniFormat)

    def flag(self, name: str, default: bool) -> bool:
        value = str(self._store.value(name, default)).lower()
        return value == "true" if value in ("true", "false") else default

    def set_flag(self, name: str, value: bool) -> None:
        self._store.setValue(name, value)

    def text(self, name: str, default: str = "") -> str:
        value = self._store.value(name, default)
        return value if isinstance(value, str) else default

    def set_text(self, name: str, value: str) -> None:
        self._store.setValue(name, value)

    def number(self, name: str, default: int) -> int:
        try:
            return int(str(self._store.value(name, default)))
        except ValueError:
            return default

    def set_number(self, name: str, value: int) -> None:
        self._store.setValue(name, value)

    def layout(self, name: str) -> QByteArray | None:
        value = self._store.value(f"layout/{name}")
        return value if isinstance(value, QByteArray) else None

    def set_layout(self, name: str, value: QByteArray) -> None:
        self._store.setValue(f"layout/{name}", value)

    @property
    def theme(self) -> ThemeChoice:
        wanted = self.text("theme", "system")
        return next((choice for choice in THEME_CHOICES if choice == wanted), "system")

    @theme.setter
    def theme(self, choice: ThemeChoice) -> None:
        self.set_text("theme", choice)

    @property
    def recent(self) -> list[Path]:
        """Files and folders opened before, the latest first."""
        value = self._store.value("recent", [])
        names = [value] if isinstance(value, str) else value if isinstance(value, list) else []
        return [Path(name) for name in names if isinstance(name, str) and name]

    def add_recent(self, opened: Sequence[Path]) -> None:
        """Puts what was just opened to the front."""
        names = [str(path.absolute()) for path in opened]
        older = [str(path) for path in self.recent if str(path) not in names]
        self._store.setValue("recent", [*names, *older][:_MOST_RECENT])

    def clear_recent(self) -> None:
        self._store.remove("recent")

    @property
    def calibrations(self) -> dict[str, Calibration]:
        """What was said about images without size or unit, by file or folder, the latest last."""
        try:
            found = json.loads(self.text("calibrations", "{}"))
            texts = {str(key): str(text) for key, text in found.items()}
        except (ValueError, AttributeError):
            return {}
        said = {key: Calibration.from_json(text) for key, text in texts.items()}
        return {key: one for key, one in said.items() if one is not None}

    def set_calibration(self, key: str, said: Calibration | None) -> None:
        """Remembers what was said under `key`; None forgets it."""
        kept = {k: one for k, one in self.calibrations.items() if k != key}
        if said is not None:
            kept[key] = said
        latest = list(kept.items())[-_MOST_CALIBRATIONS:]
        self.set_text("calibrations", json.dumps({k: one.to_json() for k, one in latest}))

    def told(self) -> dict[str, str]:
        """The settings for a report: no layouts, no lists of files."""
        kept_back = ("layout/", "recent", "calibrations", "export-folder", "live-folder")
        names = [name for name in self._store.allKeys() if not name.startswith(kept_back)]
        return {name: str(self._store.value(name)) for name in names}

    def save(self) -> None:
        self._store.sync()
