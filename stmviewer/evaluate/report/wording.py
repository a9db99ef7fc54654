"""What a report says in words and cells: numbers with intervals, the best of a column, what follows from it."""

from dataclasses import dataclass

import numpy as np

from stmviewer.evaluate.spaces import LEAST_GROUPS
from stmviewer.evaluate.study.measures import BY_KEY, Measure
from stmviewer.evaluate.study.request import INPUT, REPAIR
from stmviewer.evaluate.study.result import Apart, Mean, Study

_NOMINAL = {"within_1": 68.3, "within_2": 95.4}


@dataclass(frozen=True)
class Cell:
    """`text` with its interval below it; `best` of its column."""

    text: str
    interval: str = ""
    best: bool = False


@dataclass(frozen=True)
class Table:
    title: str
    head: list[str]
    rows: list[tuple[str, list[Cell]]]

    def blocks(self, columns: int) -> "list[Table]":
        """Side by side as many columns as fit on a page, evenly."""
        count = max(1, -(-len(self.head) // columns))
        each = -(-len(self.head) // count)
        return [
            Table(self.title, self.head[k : k + each], [(name, cells[k : k + each]) for name, cells in self.rows])
            for k in range(0, len(self.head), each)
        ]


def number(value: float, digits: int) -> str:
    if not np.isfinite(value):
        return ""
    text = f"{value:.{digits}f}"
    # no minus nothing
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")


def span(interval: tuple[float, float], digits: int) -> str:
    low, high = interval
    return f"{number(low, digits)} to {number(high, digits)}" if np.isfinite(low) and np.isfinite(high) else ""


def task_title(study: Study, task: str) -> str:
    if task == REPAIR:
        return "Repair" + ("" if task in study.paired else " (no truth known)")
    return f"Sparse scan, {task}"


def method_title(method: str) -> str:
    return "as scanned" if method == INPUT else method


def leading(study: Study, task: str) -> str:
    """The measure that a task is ranked by."""
    return "ssim" if task in study.paired else "nearness"


def goodness(measure: Measure, value: float) -> float:
    """Larger is better; NaN where no direction is."""
    if measure.better == "nominal":
        return -abs(value - _NOMINAL[measure.key])
    return {"higher": value, "lower": -value}.get(measure.better, float("nan"))


def task_table(study: Study, task: str) -> Table:
    """A row a method, a column a measure."""
    measures = [BY_KEY[k] for k in study.measures(task) if k in BY_KEY]
    kept = {(m.method, m.measure): m for m in study.means if m.task == task}
    if any(k == "mae_pm" for _, k in kept):  # heights in pm say it already
        measures = [m for m in measures if m.key not in ("mae_percent", "mae_hidden_percent", "residual_percent")]
    rows: list[tuple[str, list[Cell]]] = []
    methods = study.methods(task)
    for method in methods:
        cells = []
        for measure in measures:
            mean = kept.get((method, measure.key))
            cells.append(
                Cell("") if mean is None else _cell(mean, measure, [kept.get((m, measure.key)) for m in methods])
            )
        rows.append((method_title(method), cells))
    heads = [f"{m.title} ({m.unit})" if m.unit else m.title for m in measures]
    return Table(task_title(study, task), heads, rows)


def _cell(mean: Mean, measure: Measure, column: list[Mean | None]) -> Cell:
    there = [goodness(measure, m.value) for m in column if m is not None]
    best = len(there) > 1 and goodness(measure, mean.value) >= max(there) - 0.5 * 10.0**-measure.digits
    return Cell(number(mean.value, measure.digits), span(mean.interval, measure.digits), best)


def distance_table(study: Study, task: str) -> Table | None:
    """How far the set of each method is from the good one, in every space; None where that is not known."""
    there = [d for d in study.distances if d.task == task]
    if not there:
        return None
    heads = []
    for key in dict.fromkeys(d.space for d in there):
        title = study.spaces[key][0]
        heads += [title, f"{title}, against {method_title(study.baselines[task])}"]
        if key == "clip":
            heads.append(f"{title}, unbiased")
    rows = []
    reference = [d for d in study.distances if d.task == ""]
    for method in dict.fromkeys(d.method for d in [*reference, *there]):
        cells = []
        for key in dict.fromkeys(d.space for d in there):
            found = [d for d in [*reference, *there] if (d.method, d.space) == (method, key)]
            best = min((d.value for d in there if d.space == key), default=float("nan"))
            cells += _distance_cells(found[0] if found else None, best, key == "clip")
        rows.append((method_title(method), cells))
    return Table("Distance to the good images", heads, rows)


def _distance_cells(d: Apart | None, best: float, biased: bool) -> list[Cell]:
    if d is None:
        return [Cell("")] * (3 if biased else 2)
    digits = 3 if biased else 1
    cells = [
        Cell(number(d.value, digits), span(d.interval, digits), d.task != "" and d.value <= best),
        Cell(("+" if d.gain > 0 else "") + number(d.gain, digits), span(d.gain_interval, digits)),
    ]
    return [*cells, Cell(number(d.unbiased, digits))] if biased else cells


def in_short(study: Study) -> list[str]:
    """A sentence a task: which method did best, by how much, and whether that is more than chance."""
    found = []
    for task in study.tasks:
        measure = BY_KEY[leading(study, task)]
        base = method_title(study.baselines[task])
        ranked = [
            m for m in study.means if (m.task, m.measure) == (task, measure.key) and m.method != study.baselines[task]
        ]
        before = study.mean(task, study.baselines[task], measure.key)
        if not ranked or before is None:
            continue
        best = max(ranked, key=lambda m: m.value)
        low, high = best.gain_interval
        groups = len({r.group for r in study.rows if (r.task, r.method) == (task, best.method)})
        value = f"{measure.title} {number(best.value, measure.digits)} against {number(before.value, measure.digits)}"
        if not np.isfinite(low):
            sure = "from one place alone, so that nothing can be said of the next"
        elif groups < LEAST_GROUPS:
            sure = f"from {groups} places or sessions alone, too few to tell whether that is chance"
        elif low > 0:
            sure = f"better by {span((low, high), measure.digits)} (95 %), more than chance"
        elif high < 0:
            sure = f"worse by {span((-high, -low), measure.digits)} (95 %): by this measure none of these methods helps"
        else:
            sure = f"a difference of {span((low, high), measure.digits)} (95 %), which may be chance"
        found.append(f"{task_title(study, task)}: {best.method} does best, {value} ({base}); {sure}.")
    return found
