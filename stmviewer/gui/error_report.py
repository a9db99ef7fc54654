"""A fault of the program: written to the log, shown with details that can be copied, and survived."""

import logging
import platform
import sys
import threading
import traceback
from collections import deque
from collections.abc import Mapping
from importlib import metadata
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QObject, Qt, Signal, qVersion
from PySide6.QtWidgets import QApplication, QDialog, QDialogButtonBox, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

import stmviewer
from stmviewer import paths

_log = logging.getLogger("stmviewer")
_FORMAT = "%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s"
#: libraries whose versions tell something; they are not loaded for it
_LIBRARIES = ("numpy", "scipy", "scikit-image", "torch", "PySide6-Essentials", "pyqtgraph", "h5py", "tifffile")


class LastLines(logging.Handler):
    """Keeps the last lines of the log in memory, for the panel and for reports."""

    def __init__(self, most: int = 400) -> None:
        super().__init__()
        self._lines: deque[str] = deque(maxlen=most)
        #: how many there have been
        self.count = 0
        self.setFormatter(logging.Formatter(_FORMAT))

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))
        self.count += 1

    def lines(self) -> list[str]:
        return list(self._lines)


LINES = LastLines()


def start_log() -> None:
    """Writes the log to the log folder; where that cannot be written, only to stderr."""
    handler: logging.Handler
    try:
        paths.logs().mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(
            paths.logs() / "stmviewer.log", maxBytes=1_000_000, backupCount=3, encoding="utf-8"
        )
    except OSError:
        handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(_FORMAT))
    _log.addHandler(handler)
    _log.addHandler(LINES)
    _log.setLevel(logging.INFO)


def diagnostics() -> str:
    """Versions and platform, for a report."""
    return (
        f"stmviewer {stmviewer.__version__}, Python {platform.python_version()}, Qt {qVersion()}, "
        f"{platform.platform(terse=True)}"
    )


def report(device: str, settings: Mapping[str, str]) -> str:
    """All that a report of a fault needs; folders of the user's home are written as ~."""
    versions = []
    for name in _LIBRARIES:
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            versions.append(f"{name} not installed")
    said = [f"  {name} = {value}" for name, value in settings.items()]
    parts = [diagnostics(), ", ".join(versions), f"Device: {device}", "Settings:", *said, "Log:", *LINES.lines()]
    home = str(Path.home())
    text = "\n".join(parts)
    return text.replace(home, "~") if len(home) > 3 else text


class ErrorDialog(QDialog):
    """Says what happened and lets the details be copied. It does not block the window."""

    def __init__(self, message: str, details: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Something went wrong")
        self.resize(640, 380)
        headline = QLabel(f"This is a fault of stmviewer, not yours. You can go on working.\n\n{message}")
        headline.setWordWrap(True)
        headline.setTextFormat(Qt.TextFormat.PlainText)
        self.details = QPlainTextEdit(f"{diagnostics()}\n\n{details}")
        self.details.setReadOnly(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.copy_button = buttons.addButton("Copy details", QDialogButtonBox.ButtonRole.ActionRole)
        self.copy_button.clicked.connect(lambda: QApplication.clipboard().setText(self.details.toPlainText()))
        buttons.rejected.connect(self.close)
        layout = QVBoxLayout(self)
        for widget in (headline, self.details, buttons):
            layout.addWidget(widget)


class FaultCatcher(QObject):
    """Takes over what Python calls for an exception that nobody caught, on any thread."""

    _caught = Signal(str, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.window: QWidget | None = None
        self.dialog: ErrorDialog | None = None
        self._before = sys.excepthook, threading.excepthook
        self._caught.connect(self._show)

    def install(self) -> None:
        sys.excepthook = self.caught
        threading.excepthook = lambda args: self.caught(
            args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback
        )

    def uninstall(self) -> None:
        sys.excepthook, threading.excepthook = self._before

    def caught(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            QApplication.quit()
            return
        details = "".join(traceback.format_exception(kind, error, trace))
        _log.error("not caught: %s", details)
        self._caught.emit(str(error) or kind.__name__, details)  # a signal: the fault may be of another thread

    def _show(self, message: str, details: str) -> None:
        if self.dialog is not None:
            # one dialog is enough: a fault while painting would open one at every frame
            return
        self.dialog = ErrorDialog(message, details, self.window)
        self.dialog.destroyed.connect(self._closed)
        self.dialog.show()

    def _closed(self) -> None:
        self.dialog = None
