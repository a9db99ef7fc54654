"""The commands of the Process menu."""

from collections.abc import Callable

from stmviewer.gui.commands import Command, Commanded
from stmviewer.gui.processing.controller import Processing
from stmviewer.scan.processing.catalogue import KINDS
from stmviewer.scan.processing.kinds import Kind


def process_commands(
    processing: Processing, load: Callable[[], None], save: Callable[[], None], folder: Callable[[], None]
) -> tuple[Command, ...]:
    """`load`, `save` and `folder` ask for files and folders."""

    def step(kind: Kind) -> Command:
        def run(window: Commanded, _: bool) -> None:
            window.show_tab("process")
            processing.add(kind.name)

        text = kind.label + ("…" if kind.drawn else "") + (" (alters data)" if kind.alters else "")
        return Command(
            f"step-{kind.name}", f"Process/{kind.group}", text, run, enabled=lambda s: s.scan and not s.run.locked
        )

    def there() -> bool:
        return len(processing.history) > 0

    return (
        Command(
            "undo-step",
            "Process",
            "&Undo step",
            lambda _w, _: processing.undo(),
            "Ctrl+Z",
            lambda s: processing.editor.can_undo and not s.run.locked,
        ),
        Command(
            "redo-step",
            "Process",
            "&Redo step",
            lambda _w, _: processing.redo(),
            "Ctrl+Shift+Z",
            lambda s: processing.editor.can_redo and not s.run.locked,
        ),
        *(step(kind) for kind in KINDS.values()),
        Command(
            "copy-steps",
            "Process",
            "&Copy steps",
            lambda _w, _: processing.copy(),
            enabled=lambda _: there(),
            separator=True,
        ),
        Command(
            "paste-steps",
            "Process",
            "&Paste steps",
            lambda _w, _: processing.paste(),
            enabled=lambda s: s.scan and len(processing.copied) > 0 and not s.run.locked,
        ),
        Command(
            "load-steps",
            "Process",
            "&Load steps…",
            lambda _w, _: load(),
            enabled=lambda s: s.scan and not s.run.locked,
            separator=True,
        ),
        Command("save-steps", "Process", "&Save steps…", lambda _w, _: save(), enabled=lambda _: there()),
        Command(
            "process-folder",
            "Process",
            "&Apply to the whole folder…",
            lambda _w, _: folder(),
            enabled=lambda s: bool(processing.history.enabled) and s.count > 0 and not processing.busy,
            separator=True,
        ),
    )
