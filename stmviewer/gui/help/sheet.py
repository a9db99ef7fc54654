"""The sheet of shortcuts: every command that has one, to look at and to print."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from PySide6.QtCore import QSize
from PySide6.QtGui import QKeySequence, QPageSize, QPdfWriter, QTextDocument
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFileDialog, QTextBrowser, QVBoxLayout, QWidget

from stmviewer.gui.commands import Command

#: what the mouse does, and keys that are held: no command has these
MOUSE = (
    ("Wheel", "Zoom at the cursor"),
    ("Drag", "Move the image"),
    ("Double click", "The whole image"),
    ("Space, held", "The raw image in place of the restored one"),
    ("Drop files or a folder", "Open them"),
)
_COLUMNS = 3
#: how high the name of a menu is, in lines
_HEAD = 2


def sheet_html(commands: Sequence[Command]) -> str:
    """All shortcuts by menu, in the order of the menus, in columns."""
    menus: dict[str, list[tuple[str, str]]] = {}
    for command in commands:
        if command.shortcut:
            keys = QKeySequence(command.shortcut).toString(QKeySequence.SequenceFormat.NativeText)
            menus.setdefault(command.menu.split("/")[0], []).append((keys, command.title))
    menus["Mouse"] = list(MOUSE)
    cells = []
    for column in _columns({menu: len(lines) + _HEAD for menu, lines in menus.items()}):
        parts = []
        for menu in column:
            parts.append(f"<p><b>{escape(menu)}</b></p><table cellpadding='1' width='100%'>")
            parts += [f"<tr><td width='42%'>{escape(k)}</td><td>{escape(text)}</td></tr>" for k, text in menus[menu]]
            parts.append("</table>")
        cells.append(f"<td width='33%' style='vertical-align: top'>{''.join(parts)}</td>")
    return f"<h2>stmviewer: shortcuts</h2><table cellspacing='8' width='100%'><tr>{''.join(cells)}</tr></table>"


def _columns(heights: Mapping[str, int]) -> list[list[str]]:
    """The menus in their order in columns, the highest of which is as low as can be."""
    for limit in range(max(heights.values()), sum(heights.values()) + 1):
        columns: list[list[str]] = [[]]
        for menu, height in heights.items():
            if sum(heights[other] for other in columns[-1]) + height > limit:
                columns.append([])
            columns[-1].append(menu)
        if len(columns) <= _COLUMNS:
            break
    return columns


class ShortcutSheet(QDialog):
    """Shows the sheet; it can be printed or saved as a PDF."""

    def __init__(self, commands: Sequence[Command], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Shortcuts – stmviewer")
        self._html = sheet_html(commands)
        self.text = QTextBrowser()
        self.text.setHtml(self._html)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        save = buttons.addButton("Save as PDF…", QDialogButtonBox.ButtonRole.ActionRole)
        save.clicked.connect(self._ask)
        printed = buttons.addButton("Print…", QDialogButtonBox.ButtonRole.ActionRole)
        printed.clicked.connect(self._print)
        buttons.rejected.connect(self.close)
        layout = QVBoxLayout(self)
        layout.addWidget(self.text)
        layout.addWidget(buttons)
        self.resize(self.sizeHint())

    def sizeHint(self) -> QSize:
        return QSize(1080, 716)

    def save(self, path: Path) -> None:
        """Writes the sheet as a PDF, A4."""
        writer = QPdfWriter(str(path))
        writer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
        writer.setTitle("stmviewer: shortcuts")
        self._document().print_(writer)

    def _document(self) -> QTextDocument:
        document = QTextDocument()  # black on white, whatever the theme
        document.setDefaultStyleSheet("body { color: black }")
        document.setHtml(f"<body>{self._html}</body>")
        return document

    def _ask(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "Save the shortcuts", "stmviewer-shortcuts.pdf", "PDF (*.pdf)")
        if name:
            self.save(Path(name))

    def _print(self) -> None:
        from PySide6.QtPrintSupport import QPrintDialog, QPrinter

        printer = QPrinter()
        if QPrintDialog(printer, self).exec() == QDialog.DialogCode.Accepted:
            self._document().print_(printer)
