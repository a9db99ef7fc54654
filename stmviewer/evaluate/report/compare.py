"""Two reports beside each other: what became better, what worse, and whether that is more than chance."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from stmviewer.evaluate.hidden import bootstrap
from stmviewer.evaluate.report.wording import goodness, method_title, number, span
from stmviewer.evaluate.spaces import LEAST_GROUPS
from stmviewer.evaluate.study.measures import BY_KEY, MEASURES
from stmviewer.evaluate.study.result import Mean, Study
from stmviewer.scan import RequestError

#: what is compared; time depends on the computer and is told apart
_SKIPPED = ("residual_percent", "residual_pm")


@dataclass(frozen=True)
class Change:
    """One measure of one method in both: `difference` is second minus first over the `shared` images (those of the same
    name and file), with its 95 % interval; without such images the difference of the means, and no interval.

    `verdict`: better, worse, the same (within the interval), or '' where no direction is good or nothing can be said
    (fewer than five places or sessions).
    """

    task: str
    method: str
    measure: str
    first: float
    second: float
    difference: float
    interval: tuple[float, float]
    shared: int
    verdict: str


@dataclass(frozen=True)
class Comparison:
    names: tuple[str, str]
    changes: list[Change]
    notes: list[str]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def compare(first: Study, second: Study, names: tuple[str, str]) -> Comparison:
    """Everything that both have. Raises RequestError when that is nothing."""
    changes = []
    for mean in first.means:
        other = second.mean(mean.task, mean.method, mean.measure)
        if other is not None and mean.measure in BY_KEY and mean.measure not in _SKIPPED:
            changes.append(_change(first, second, mean, other))
    if not changes:
        raise RequestError("these reports have no task and method in common, so there is nothing to compare")
    return Comparison(names, changes, _notes(first, second, names, changes))


def _change(first: Study, second: Study, mean: Mean, other: Mean) -> Change:
    wanted = (mean.task, mean.method)
    before = {
        (r.image, r.sha256): r.numbers.get(mean.measure, np.nan) for r in first.rows if (r.task, r.method) == wanted
    }
    pairs = [
        (r.group, r.numbers.get(mean.measure, np.nan) - before[r.image, r.sha256])
        for r in second.rows
        if (r.task, r.method) == wanted and (r.image, r.sha256) in before
    ]
    pairs = [(g, d) for g, d in pairs if np.isfinite(d)]
    difference, interval = other.value - mean.value, (float("nan"), float("nan"))
    if pairs:
        values = np.array([d for _, d in pairs])
        difference, interval = float(values.mean()), bootstrap(values, np.array([g for g, _ in pairs]))
    verdict = ""
    measure = BY_KEY[mean.measure]
    if np.isfinite(interval[0]) and measure.better:
        gain = goodness(measure, mean.value + difference) - goodness(measure, mean.value)
        if interval[0] <= 0 <= interval[1]:
            verdict = "the same"
        elif len({g for g, _ in pairs}) >= LEAST_GROUPS:
            verdict = "better" if gain > 0 else "worse"
    return Change(
        mean.task, mean.method, mean.measure, mean.value, other.value, difference, interval, len(pairs), verdict
    )


def _notes(first: Study, second: Study, names: tuple[str, str], changes: list[Change]) -> list[str]:
    """What differs between the reports other than what is compared."""
    notes = []
    for one in first.sets:
        other = next((s for s in second.sets if s.role == one.role), None)
        if other is not None and other.sha256 != one.sha256:
            sizes = f"{one.folder} ({one.images} images), {other.folder} ({other.images})"
            notes.append(f"The {one.role} sets differ: {sizes}")
    if not any(c.shared for c in changes):
        notes.append("No image is in both: differences are of means, and say little")
    hashes = {m.name: m.sha256 for m in first.models}
    for m in second.models:
        if m.sha256 != hashes.get(m.name, m.sha256):
            notes.append(f"{m.name} has other weights in the second report")
    for what in ("version", "device", "platform"):
        a, b = getattr(first, what), getattr(second, what)
        if a != b:
            notes.append(f"The {what} differs: {a} in {names[0]}, {b} in {names[1]}")
    skipped = {"images", "clip", "pristine", "degraded", "question", "models", "tasks", "device"}
    for key in sorted(set(first.request) & set(second.request) - skipped):
        if first.request[key] != second.request[key]:
            notes.append(f"{key} was {first.request[key]} in {names[0]} and {second.request[key]} in {names[1]}")
    return notes


def table(comparison: Comparison) -> str:
    """Markdown: a table a task, the measures that have a verdict, and the time."""
    blocks = [f"{comparison.names[0]} beside {comparison.names[1]}"]
    blocks += ["\n".join(f"- {n}" for n in comparison.notes)] if comparison.notes else []
    for task in dict.fromkeys(c.task for c in comparison.changes):
        lines = [task, "", "| method | measure | first | second | difference (95 %) | |", "|---|---|---|---|---|---|"]
        for c in (c for c in comparison.changes if c.task == task):
            m = BY_KEY[c.measure]
            title = f"{m.title} ({m.unit})" if m.unit else m.title
            low_high = span(c.interval, m.digits)
            more = f"{number(c.difference, m.digits)} ({low_high})" if low_high else number(c.difference, m.digits)
            cells = (
                method_title(c.method),
                title,
                number(c.first, m.digits),
                number(c.second, m.digits),
                more,
                c.verdict,
            )
            lines.append("| " + " | ".join(cells) + " |")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def page(comparison: Comparison, *, plain: bool = False) -> str:
    """The comparison as one HTML file; `plain` without styles, for the window's own simple HTML."""
    from stmviewer.evaluate.report.html import render

    order = {m.key: n for n, m in enumerate(MEASURES)}
    tasks = [
        (task, sorted((c for c in comparison.changes if c.task == task), key=lambda c: (c.method, order[c.measure])))
        for task in dict.fromkeys(c.task for c in comparison.changes)
    ]
    return render(
        "comparison.html.j2",
        comparison=comparison,
        tasks=tasks,
        measures=BY_KEY,
        number=number,
        span=span,
        method_title=method_title,
        plain=plain,
    )
