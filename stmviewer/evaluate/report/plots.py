"""The figures of a report, drawn with matplotlib: bars with intervals, image against image, spectra, time."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from stmviewer.evaluate.report.wording import leading, method_title
from stmviewer.evaluate.study.measures import BY_KEY
from stmviewer.evaluate.study.result import Study
from stmviewer.scan.marks import BAND_EDGES

INK, QUIET = "#1d1f22", "#7a7f85"
#: distinguishable also by those who see no red and green (Okabe and Ito), the baseline in grey
_COLOURS = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
    "#7b5ea7",
    "#5f4b32",
    "#c0392b",
    "#16808a",
)
_BASE = "#8d9298"
_SIZE = 8


def new(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def colours(study: Study) -> dict[str, str]:
    """The same colour for a method throughout a report."""
    bases = set(study.baselines.values())
    others = [m for m in dict.fromkeys(r.method for r in study.rows) if m not in bases]
    return {**dict.fromkeys(bases, _BASE), **{m: _COLOURS[k % len(_COLOURS)] for k, m in enumerate(others)}}


def plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=_SIZE, colors=INK)
    for spine in axes.spines.values():
        spine.set_color(QUIET)


def bars(axes: Axes, study: Study, task: str, measure: str) -> None:
    """The mean of each method with its 95 % interval, one below the other, and every image as a dot."""
    m, colour = BY_KEY[measure], colours(study)
    methods = [x for x in study.methods(task) if study.mean(task, x, measure) is not None]
    rng = np.random.default_rng(0)
    for y, method in enumerate(methods):
        mean = study.mean(task, method, measure)
        assert mean is not None
        axes.barh(y, mean.value, height=0.62, color=colour[method], alpha=0.85, linewidth=0)
        values = np.array(study.values(task, method, measure))
        axes.plot(values, y + rng.uniform(-0.2, 0.2, len(values)), ".", color=INK, markersize=2.6, alpha=0.35)
        low, high = mean.interval
        if np.isfinite(low) and np.isfinite(high):
            axes.plot([low, high], [y, y], color=INK, linewidth=1.6, solid_capstyle="butt")
    axes.set_yticks(range(len(methods)), [method_title(x) for x in methods])
    axes.invert_yaxis()
    axes.set_xlabel(f"{m.title} ({m.unit})" if m.unit else m.title, fontsize=_SIZE)
    plain(axes)


def scatter(axes: Axes, study: Study, task: str, measure: str) -> None:
    """Every image: each method against the baseline. Above the line it is better there (or below, for errors)."""
    base, colour, m = study.baselines[task], colours(study), BY_KEY[measure]
    before = {r.image: r.numbers.get(measure, np.nan) for r in study.rows if (r.task, r.method) == (task, base)}
    seen: list[float] = []
    for method in study.methods(task):
        if method == base:
            continue
        rows = [r for r in study.rows if (r.task, r.method) == (task, method)]
        x = np.array([before.get(r.image, np.nan) for r in rows])
        y = np.array([r.numbers.get(measure, np.nan) for r in rows])
        seen += [*x[np.isfinite(x)], *y[np.isfinite(y)]]
        axes.plot(x, y, "o", color=colour[method], markersize=4, alpha=0.75, markeredgewidth=0, label=method)
    if seen:
        low, high = min(seen), max(seen)
        edge = 0.05 * (high - low) or 0.05
        axes.plot([low - edge, high + edge], [low - edge, high + edge], color=QUIET, linewidth=0.8)
        axes.set_xlim(low - edge, high + edge)
        axes.set_ylim(low - edge, high + edge)
        axes.set_aspect("equal")
        axes.legend(fontsize=_SIZE - 1, frameon=False, loc="best")
    axes.set_xlabel(f"{m.title}, {method_title(base)}", fontsize=_SIZE)
    axes.set_ylabel(f"{m.title} of the method", fontsize=_SIZE)
    plain(axes)


def spectra(axes: Axes, study: Study, task: str) -> None:
    """The radial power spectrum over the truth's."""
    colour = colours(study)
    bands = np.sqrt(BAND_EDGES[1:] * BAND_EDGES[:-1])
    axes.axhline(1.0, color=QUIET, linewidth=0.8)
    for method, curve in study.spectra.get(task, {}).items():
        axes.plot(bands, curve, "o-", color=colour[method], markersize=3, linewidth=1.3, label=method_title(method))
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    ticks = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2)
    axes.set_xticks(ticks, ["1/32", "1/16", "1/8", "1/4", "1/2"])
    axes.minorticks_off()
    low, high = axes.get_ylim()
    decades = [v for v in (1e-3, 1e-2, 0.1, 0.3, 0.5, 1, 2, 3, 10, 100) if 0.8 * low <= v <= 1.25 * high]
    axes.set_yticks(decades, [f"{v:g}" for v in decades])
    axes.set_xlabel("cycles per pixel", fontsize=_SIZE)
    axes.set_ylabel("power over the truth's", fontsize=_SIZE)
    plain(axes)


def time_and_quality(axes: Axes, study: Study, task: str) -> None:
    """What a method costs and what it gives."""
    colour, key = colours(study), leading(study, task)
    points = []
    for method in study.methods(task):
        mean, seconds = study.mean(task, method, key), study.mean(task, method, "seconds")
        if mean is None or seconds is None or not seconds.value > 0:
            continue
        axes.plot(seconds.value, mean.value, "o", color=colour[method], markersize=6)
        points.append((mean.value, seconds.value, method))
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.set_xlim(low / 1.3, high * 40)  # room for names
    low, high = axes.get_ylim()
    places = apart([(value - low) / (high - low) for value, _, _ in sorted(points)], 0.075)
    for (value, seconds_, method), y in zip(sorted(points), places, strict=True):
        axes.annotate(
            method, (seconds_, value), xytext=(0.97, y), textcoords="axes fraction", fontsize=_SIZE - 1,
            ha="right", va="center", color=INK,
            arrowprops={"arrowstyle": "-", "color": QUIET, "linewidth": 0.5, "shrinkA": 1, "shrinkB": 3},
        )  # fmt: skip
    axes.set_xlabel("seconds an image", fontsize=_SIZE)
    axes.set_ylabel(BY_KEY[key].title, fontsize=_SIZE)
    plain(axes)


def apart(places: Sequence[float], least: float) -> list[float]:
    """Places (ascending, of 0 to 1) moved until neighbours are `least` apart, within 0 and 1 as far as they fit."""
    found: list[float] = []
    for place in places:
        found.append(max(place, found[-1] + least) if found else place)
    top = 1.0
    for k in reversed(range(len(found))):
        found[k] = min(found[k], top)
        top = found[k] - least
    return found


def task_figure(study: Study, task: str, width: float = 10.6) -> Figure:
    """Bars, image against image, and spectra (or time, where no truth is known)."""
    key = leading(study, task)
    count = len(study.methods(task))
    figure = new(width, max(0.29 * width, 0.9 + 0.3 * count))
    left, middle, right = figure.subplots(1, 3, width_ratios=(1.25, 1, 1.1))
    bars(left, study, task, key)
    scatter(middle, study, task, key)
    if study.spectra.get(task):
        spectra(right, study, task)
    else:
        time_and_quality(right, study, task)
    return figure


def distance_figure(study: Study, task: str, width: float = 10.6) -> Figure | None:
    """Bars of the distance to the good images in each space, with intervals; None where none is known."""
    keys = [k for k in study.spaces if any(d.task == task and d.space == k for d in study.distances)]
    if not keys:
        return None
    colour = colours(study)
    most = max(len([d for d in study.distances if d.space == k and d.task in (task, "")]) for k in keys)
    figure = new(width, 0.9 + 0.3 * most)
    for axes, key in zip(np.atleast_1d(figure.subplots(1, len(keys))), keys, strict=True):
        shown = [d for d in study.distances if d.space == key and d.task in ("", task)]
        for y, d in enumerate(shown):
            axes.barh(y, d.value, height=0.62, color=colour.get(d.method, INK), alpha=0.85, linewidth=0)
            if np.isfinite(d.interval[0]):
                axes.plot(d.interval, [y, y], color=INK, linewidth=1.6, solid_capstyle="butt")
        axes.axvline(0, color=QUIET, linewidth=0.8)
        axes.set_yticks(range(len(shown)), [method_title(d.method) for d in shown])
        axes.invert_yaxis()
        axes.set_xlabel(study.spaces[key][0], fontsize=_SIZE)
        plain(axes)
    return figure
