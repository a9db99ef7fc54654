"""What this is: version, where it keeps the user's things, and the licences of all that comes with it."""

from importlib import metadata

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

import stmviewer
from stmviewer import paths
from stmviewer.gui.empty_state import app_icon
from stmviewer.gui.error_report import diagnostics

_TEXT = (
    "Restores scanning tunnelling microscope images: repairs what a bad tip did, rebuilds sparse scans. "
    "Restored pixels are inferred, not measured."
)


class AboutDialog(QDialog):
    """Version and places; *Licences* opens the texts in a window of their own."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("About stmviewer")
        icon = QLabel()
        icon.setPixmap(app_icon().pixmap(QSize(72, 72), self.devicePixelRatioF()))
        headline = QLabel(f"stmviewer {stmviewer.__version__}")
        font = headline.font()
        font.setPixelSize(22)
        headline.setFont(font)
        text = QLabel(_TEXT)
        text.setWordWrap(True)
        text.setMinimumWidth(380)
        words = QVBoxLayout()
        for widget in (headline, text, _quiet("MIT licence. Third-party software under its own licences.")):
            words.addWidget(widget)
        top = QHBoxLayout()
        top.setSpacing(18)
        top.addWidget(icon, 0, Qt.AlignmentFlag.AlignTop)
        top.addLayout(words, 1)
        places = QGridLayout()
        places.setHorizontalSpacing(12)
        for row, (name, value) in enumerate(facts()):
            places.addWidget(_quiet(name), row, 0, Qt.AlignmentFlag.AlignTop)
            line = QLabel(value)
            line.setWordWrap(True)
            line.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            places.addWidget(line, row, 1)
        places.setColumnStretch(1, 1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.licences_button = buttons.addButton("Licences…", QDialogButtonBox.ButtonRole.ActionRole)
        self.licences_button.clicked.connect(lambda _: LicenceDialog(self).open())
        self.copy_button = buttons.addButton("Copy", QDialogButtonBox.ButtonRole.ActionRole)
        self.copy_button.clicked.connect(lambda _: QApplication.clipboard().setText(_as_text()))
        buttons.rejected.connect(self.close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(22, 22, 22, 16)
        layout.setSpacing(16)
        layout.addLayout(top)
        layout.addLayout(places)
        layout.addWidget(buttons)


class LicenceDialog(QDialog):
    """The licences of every library, as the build found them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Licences – stmviewer")
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setAccessibleName("Licences")
        self.text.setPlainText(licence_text())
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        layout = QVBoxLayout(self)
        layout.addWidget(self.text, 1)
        layout.addWidget(buttons)

    def sizeHint(self) -> QSize:
        return QSize(880, 560)


def show_about(parent: QWidget) -> AboutDialog:
    """Opens it over `parent`."""
    dialog = AboutDialog(parent)
    dialog.open()
    return dialog


def facts() -> tuple[tuple[str, str], ...]:
    """What is asked for when something does not work: versions, the kind of installation, the user's places."""
    if paths.portable() is not None:
        kind = f"portable: everything is kept in {paths.portable()}"
    else:
        kind = "installed as an application" if paths.frozen() else "run from Python"
    return (
        ("Versions", diagnostics()),
        ("Kind", kind),
        ("Own models", str(paths.user_models())),
        ("Settings", str(paths.settings())),
        ("Log", str(paths.logs())),
    )


def licence_text() -> str:
    """The texts that the build collected; run from Python, what the installed libraries declare."""
    collected = paths.licences()
    if collected is not None:
        try:
            return collected.read_text(encoding="utf-8")
        except OSError as error:
            return f"{collected} cannot be read: {error}"
    said = {d.metadata["Name"]: (d.version, _declared(d)) for d in metadata.distributions() if d.metadata["Name"]}
    width = max((len(name) for name in said), default=0)
    lines = [f"{name:<{width}}  {said[name][0]:<14}  {said[name][1]}" for name in sorted(said, key=str.lower)]
    return "\n".join(["Python packages of this environment, with the licences that they declare:", "", *lines])


def _declared(distribution: metadata.Distribution) -> str:
    said = distribution.metadata
    classes = [c.rpartition(" :: ")[2] for c in said.get_all("Classifier") or () if c.startswith("License ::")]
    first = str(said["License-Expression"] or said["License"] or "").strip().partition("\n")[0]
    return first or ", ".join(classes) or "not declared"


def _as_text() -> str:
    return "\n".join(f"{name}: {value}" for name, value in facts())


def _quiet(text: str) -> QLabel:
    label = QLabel(text)
    label.setObjectName("quiet")
    return label
