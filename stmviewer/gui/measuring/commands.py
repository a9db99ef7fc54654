"""The commands of the Measure menu."""

from stmviewer.gui.commands import Command, Commanded
from stmviewer.gui.measuring.controller import Measuring
from stmviewer.gui.measuring.panel import TOOLS
from stmviewer.gui.measuring.work import Mode

_KEYS: dict[Mode, str] = {"profile": "P", "region": "G", "spectrum": "F", "autocorrelation": "Shift+F", "steps": "H"}


def measure_commands(measuring: Measuring) -> tuple[Command, ...]:
    def tool(mode: Mode) -> Command:
        def run(window: Commanded, on: bool) -> None:
            window.show_tab("measure")
            measuring.use(mode if on else None)

        return Command(
            f"measure-{mode}",
            "Measure",
            TOOLS[mode][0],
            run,
            _KEYS[mode],
            enabled=lambda s: s.scan,
            checked=lambda _: measuring.mode == mode,
        )

    return tuple(tool(mode) for mode in TOOLS)
