"""How a training goes: what its child process said so far, for curves and lines of text. No Qt."""

import math
from dataclasses import dataclass, field

from stmviewer.gui.quantities import duration
from stmviewer.services.training_events import (
    CheckpointMade,
    Kept,
    ProbesMade,
    Saved,
    Stopped,
    TrainingEvent,
    TrainingStarted,
    TrainingStep,
    Validated,
)

#: the sets of a validation, the most telling first, and what they are called
SETS = {"real": "scans kept aside", "own scans": "the training scans, other places", "simulated": "simulated scans"}
TASKS = {"repair": "Bad tips repaired", "sparse": "Sparse scans rebuilt"}

#: what a model is compared with
WITHOUT = {"repair": "not repaired", "sparse": "interpolation"}


@dataclass(frozen=True)
class Line:
    """A validation curve: SSIM over minutes; `baseline` is that of the plain interpolation or the degraded image."""

    task: str
    minutes: tuple[float, ...]
    scores: tuple[float, ...]
    baseline: tuple[float, ...]


@dataclass
class Course:
    """Everything that was said, in order; of a training that is resumed from what it said before."""

    started: TrainingStarted | None = None
    steps: list[TrainingStep] = field(default_factory=list)
    validations: list[Validated] = field(default_factory=list)
    probes: list[ProbesMade] = field(default_factory=list)
    checkpoints: list[CheckpointMade] = field(default_factory=list)
    kept: Kept | None = None
    saved: Saved | None = None
    stopped: Stopped | None = None

    def take(self, event: TrainingEvent) -> None:
        match event:
            case TrainingStarted():
                self.started = event
                self._forget_after(event.resumed_from)
            case TrainingStep():
                self.steps.append(event)
            case Validated():
                self.validations.append(event)
            case ProbesMade():
                self.probes.append(event)
            case CheckpointMade() if event.name:  # the others are to go on from
                self.checkpoints.append(event)
            case Kept():
                self.kept = event
            case Saved():
                self.saved = event
            case Stopped():
                self.stopped = event

    def _forget_after(self, step: int) -> None:
        """What came after the state that a training goes on from did not happen; a new training begins at 0."""
        self.steps = [s for s in self.steps if s.step <= step]
        self.validations = [v for v in self.validations if v.step <= step]
        self.probes = [p for p in self.probes if p.step <= step]
        self.saved = self.kept = self.stopped = None

    @property
    def last(self) -> TrainingStep | None:
        return self.steps[-1] if self.steps else None

    def losses(self) -> tuple[list[float], list[float]]:
        """Minutes and losses; steps whose loss was never finite are left out."""
        good = [s for s in self.steps if math.isfinite(s.loss)]
        return [s.seconds / 60 for s in good], [s.loss for s in good]

    def sets(self) -> list[str]:
        """Sets that were validated on, the most telling first."""
        keys = {key for v in self.validations for key in v.scores}
        return [name for name in SETS if any(key.startswith(f"{name} ") for key in keys)]

    def lines(self, of: str) -> list[Line]:
        """The curves of one set, by task."""
        found = []
        for task in TASKS:
            model, start = f"{of} {task} model", f"{of} {task} start"
            rows = [
                (v.seconds / 60, v.scores[model], v.scores.get(start, math.nan))
                for v in self.validations
                if model in v.scores
            ]
            if rows:
                minutes, scores, baseline = zip(*rows, strict=True)
                found.append(Line(task, minutes, scores, baseline))
        return found


def progress_text(course: Course) -> str:
    """`34 %, about 4 min left`."""
    last = course.last
    if last is None:
        return "reading scans" if course.started is None else "first steps"
    share = f"{100 * last.done:.0f} %" if last.done is not None else f"step {last.step:,}"
    if (last.done or 0) >= 1:
        return share if course.saved is not None else f"{share}, the last check"
    left = f", about {duration(last.eta_s)} left" if last.eta_s is not None else ""
    return share + left


def machine_text(course: Course) -> str:
    """`CPU, 2 of 2 threads · 1.2 GB · 23 images per second`: what computes, and how fast."""
    parts = [course.started.device] if course.started is not None and course.started.device else []
    last = course.last
    if last is not None:
        if last.memory_mb is not None:
            parts.append(f"{last.memory_mb / 1000:.1f} GB of memory")
        if math.isfinite(last.images_per_second):
            parts.append(f"{last.images_per_second:.3g} images per second")
        if math.isfinite(last.waiting_share) and last.waiting_share > 0.05:
            parts.append(f"{100 * last.waiting_share:.0f} % of the time waiting for images")
        if last.skipped:
            parts.append(f"{last.skipped} step{'s' * (last.skipped != 1)} without a result left out")
    return "  ·  ".join(parts)


def verdict(course: Course) -> str:
    """How the model stands beside what one would have without it, in one line; '' before the first validation."""
    sets = course.sets()
    if not sets:
        return ""
    said = []
    for line in course.lines(sets[0]):
        gain = line.scores[-1] - line.baseline[-1]
        text = f"{TASKS[line.task]}: {line.scores[-1]:.3f}"
        if math.isfinite(gain):
            better = "better" if gain > 0.002 else "worse" if gain < -0.002 else "as good"
            text += f" ({better}; {WITHOUT[line.task]} {line.baseline[-1]:.3f})"
        said.append(text)
    return "   ".join(said)
