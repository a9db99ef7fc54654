"""The commands of the list of files."""

from stmviewer.gui.commands import Command
from stmviewer.gui.folder.browsing import Browsing


def browse_commands(browsing: Browsing) -> tuple[Command, ...]:
    panel = browsing.panel

    def known() -> bool:
        return panel.entry() is not None

    def find() -> None:
        panel.show()
        panel.filter.text.setFocus()
        panel.filter.text.selectAll()

    return (
        Command(
            "find-file", "File", "&Filter files", lambda _w, _: find(), "Ctrl+F", lambda s: s.count > 1, after="next"
        ),
        Command(
            "star",
            "File",
            "&Star this file",
            lambda _w, _: browsing.toggle_star(),
            "S",
            lambda _: known(),
            checked=lambda _: bool(known() and panel.star.isChecked()),
            after="find-file",
        ),
        Command(
            "note",
            "File",
            "&Note on this file…",
            lambda _w, _: browsing.edit_note(),
            "N",
            lambda _: known(),
            after="star",
        ),
        Command(
            "judge-folder",
            "View",
            "&Judge the tips of the folder",
            lambda _w, on: browsing.set_judging(on),
            checked=lambda _: browsing.judges,
            after="folder-panel",
        ),
    )
