"""The state of a restoration run, and what its button and progress bar show. Pure functions, no Qt.

The state comes from the job's events and from nothing else; a button shows the state and never sets it.
"""

from dataclasses import dataclass, replace
from enum import Enum, auto

from stmviewer.gui.quantities import duration
from stmviewer.services import events


class Phase(Enum):
    IDLE = auto()
    RUNNING = auto()
    CANCELLING = auto()
    DONE = auto()
    FAILED = auto()


@dataclass(frozen=True)
class Run:
    """One restoration run as the window knows it."""

    phase: Phase = Phase.IDLE
    fraction: float = 0.0
    step: str = ""
    eta_s: float | None = None
    message: str = ""

    @property
    def busy(self) -> bool:
        return self.phase in (Phase.RUNNING, Phase.CANCELLING)

    def submitted(self) -> "Run":
        return Run(Phase.RUNNING, step="Waiting for its turn")

    def cancel_asked(self) -> "Run":
        return replace(self, phase=Phase.CANCELLING, eta_s=None) if self.busy else self

    def after(self, event: events.Event) -> "Run":
        """The state after an event of the job; a job that is being cancelled says so until its last event."""
        match event:
            case events.Started():
                return replace(self, step="Starting")
            case events.Advanced(fraction, step, eta_s):
                eta = None if self.phase is Phase.CANCELLING else eta_s
                return replace(self, fraction=fraction, step=step or self.step, eta_s=eta)
            case events.Message(text):
                return replace(self, message=text)
            case events.Finished():
                return Run(Phase.DONE, 1.0, message="Done")
            case events.Failed(message):
                return Run(Phase.FAILED, message=message)
            case events.Cancelled():
                return Run(Phase.IDLE, message="Cancelled")
            case _:
                return self


@dataclass(frozen=True)
class Look:
    """What the run controls show.

    `cancels`: the button cancels instead of starting. `progress` in [0, 1] or None for no bar; `status` is the line
    under the button, `reason` why the button is disabled. `locked`: the settings cannot be changed now.
    """

    button: str
    enabled: bool
    cancels: bool = False
    progress: float | None = None
    status: str = ""
    reason: str = ""
    locked: bool = False


def look(run: Run, obstacle: str | None = None) -> Look:
    """What is shown in state `run`; `obstacle` is why nothing could be restored now, None when it could."""
    if run.phase is Phase.CANCELLING:
        return Look("Cancelling…", False, True, run.fraction, "Stops at the next step", locked=True)
    if run.phase is Phase.RUNNING:
        left = f" · about {duration(run.eta_s)} left" if run.eta_s is not None else ""
        return Look("Cancel", True, True, run.fraction, f"{run.step}{left}", locked=True)
    if obstacle:
        return Look("Restore", False, reason=obstacle)
    return Look(
        "Restore", True, status="Failed: see the message at the top" if run.phase is Phase.FAILED else run.message
    )
