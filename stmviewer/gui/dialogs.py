"""The few dialogs: what to open, where to export to, whether to stop or delete."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from stmviewer.files import READABLE
from stmviewer.gui.sentences import sentence
from stmviewer.restore import Restoration
from stmviewer.scan import Scan
from stmviewer.services.exporting import EXPORT_FORMATS, default_name, free_path


def ask_files(parent: QWidget, folder: Path) -> list[Path]:
    """Files to open; empty when the user thinks better of it."""
    suffixes = " ".join(f"*{suffix}" for suffix in READABLE)
    filters = f"Scans ({suffixes});;All files (*)"
    names, _ = QFileDialog.getOpenFileNames(parent, "Open scans", str(folder), filters)
    return [Path(name) for name in names]


def ask_folder(parent: QWidget, folder: Path) -> list[Path]:
    """A folder to open; empty when the user thinks better of it."""
    name = QFileDialog.getExistingDirectory(parent, "Open a folder of scans", str(folder))
    return [Path(name)] if name else []


def ask_export_path(parent: QWidget, restoration: Restoration, scan: Scan, folder: Path, last: str) -> Path | None:
    """A path whose suffix is one of the export formats; None when the user thinks better of it.

    `last` is the format chosen the time before.
    """
    file_format = last if last in EXPORT_FORMATS else next(iter(EXPORT_FORMATS))
    filters = {f"{text} (*.{suffix})": suffix for suffix, text in EXPORT_FORMATS.items()}
    chosen_filter = next(name for name, suffix in filters.items() if suffix == file_format)
    start = folder / default_name(restoration, scan, file_format)
    name, used = QFileDialog.getSaveFileName(
        parent, "Export the restoration", str(start), ";;".join(filters), chosen_filter
    )
    return with_suffix(Path(name), filters.get(used, file_format)) if name else None


def ask_picture_path(parent: QWidget, start: Path) -> Path | None:
    """Where to save a picture of what is seen, a .png; None when the user thinks better of it."""
    name, _ = QFileDialog.getSaveFileName(parent, "Save the figure as it is seen", str(free_path(start)), "PNG (*.png)")
    if not name:
        return None
    path = Path(name)
    return path if path.suffix.lower() == ".png" else free_path(path.with_name(f"{path.name}.png"))


def with_suffix(path: Path, file_format: str) -> Path:
    """`path` as it is where its suffix names a format; else with the suffix of the chosen one, under a free name.

    The dialog has asked about overwriting what was typed, not what it becomes.
    """
    if path.suffix.lower().lstrip(".") in EXPORT_FORMATS:
        return path
    return free_path(path.with_name(f"{path.name}.{file_format}"))


def ask_stop(parent: QWidget, under_way: Sequence[str]) -> bool:
    """Asks whether to close although that stops what is under way."""
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("Close stmviewer?")
    many = len(under_way) > 1
    what = " and ".join(under_way)
    box.setText(f"{sentence(what)} {'are' if many else 'is'} under way.")
    box.setInformativeText(f"Closing stops {'them' if many else 'it'}. What is written already stays.")
    close = box.addButton("Stop and close", QMessageBox.ButtonRole.AcceptRole)
    stay = box.addButton("Go on working", QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(stay)
    box.setEscapeButton(stay)
    box.exec()
    return box.clickedButton() is close


def ask_delete(parent: QWidget, name: str) -> bool:
    """Asks whether to delete a stopped training."""
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("Delete the training?")
    box.setText(f"The stopped training '{name}' and what it has learned will be deleted.")
    box.setInformativeText("It cannot be resumed then. The scans, and models that were kept from it, stay.")
    delete = box.addButton("Delete", QMessageBox.ButtonRole.DestructiveRole)
    keep = box.addButton("Keep it", QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(keep)
    box.setEscapeButton(keep)
    box.exec()
    return box.clickedButton() is delete


def show_folder(folder: Path) -> None:
    """Opens a folder in the desktop's own file manager."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
