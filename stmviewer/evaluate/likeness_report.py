"""The report of a comparison: one HTML file with its figures inside, to be mailed and looked at anywhere."""

import base64
import html
import io
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

import stmviewer
from stmviewer.evaluate import likeness
from stmviewer.evaluate.comparison import PRISTINE, Comparison
from stmviewer.files.colours import lookup_table
from stmviewer.scan import FloatArray
from stmviewer.scan.marks import BAND_EDGES, flatten_lines, normalised

_REAL = "#1f1f1f"
_COLOURS = ("#2f6f9f", "#c2571a", "#4b8b3b", "#8a4f9e", "#a08a1c", "#b03060")
_STRIP = 8
_DPI = 110
_CURVES = (("lines", "lines apart"), ("pixels", "pixels apart"))
#: what is shown as a histogram: family and member
_SHOWN = (
    ("scars", 0),
    ("scars", 1),
    ("jumps", 0),
    ("jumps", 1),
    ("noise", 0),
    ("noise", 1),
    ("asymmetry", 0),
    ("heights", 6),
)

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 1080px; margin: 2em auto; padding: 0 1em; color: #1d1f22; }
table { border-collapse: collapse; margin: 1em 0; } th, td { padding: 3px 10px; text-align: right; }
th { border-bottom: 1px solid #999; font-weight: 600; } th:first-child, td:first-child { text-align: left; }
td.best { font-weight: 700; } tr.sum td { border-top: 1px solid #999; } img { max-width: 100%; }
p, figcaption { color: #44474b; max-width: 75ch; } figure { margin: 1.5em 0; } h2 { margin-top: 1.8em; }
"""


def report(comparison: Comparison, preset: str) -> str:
    """The HTML page; `preset` is the one that is shown in the strip and drawn first."""
    order = [preset, *(d.name for d in comparison.distances if d.name != preset)]
    c = comparison
    sessions = len({image.group for image in c.real})
    estimated = sum(image.estimated for image in c.real)
    sizes = np.array([image.pixel_m for image in c.real]) * 1e9
    facts = (
        f"{len(c.real)} real images of {sessions} sessions; pixels of {sizes.min():.3g} to {sizes.max():.3g} nm "
        f"(median {np.median(sizes):.3g} nm)"
        + (f", of {estimated} estimated from the dimer rows, 0.768 nm apart" if estimated else "")
        + f". For each one image of {c.surface} was simulated with its shape and pixel size (seed {c.seed}); all sets "
        "have the same surfaces. Every image was flattened line by line and put on its own 5 to 95 % range."
    )
    parts = [
        f"<h1>{html.escape(c.surface)} simulated, beside real images</h1><p>{html.escape(facts)}</p>",
        _table(c),
        "<p>Wasserstein-1 distances of the distributions over images, in units of the real images' spread, mean over "
        "the numbers of each kind. “Real, other sessions” is one half of the sessions against the other: a perfect "
        "simulation would come near it, and less is chance. The interval is by bootstrap over sessions.</p>",
        "<h2>Images</h2>",
        _figure(strip(c, preset), f"Above real images, below the ones simulated for them: {preset}, then {PRISTINE}."),
        "<h2>Spectra and correlations</h2>",
        _figure(curves(c, order), "Lines: medians over images. Bands: 16 to 84 % of the real ones and of " + preset),
        "<h2>Distributions over images</h2>",
        _figure(histograms(c, order[:3]), "Real images filled, simulated ones as lines."),
        f"<p>Written by stmviewer {stmviewer.__version__}.</p>",
    ]
    title = f"{html.escape(c.surface)}: simulated beside real"
    head = f'<meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
    return f'<!DOCTYPE html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>\n'


def _table(c: Comparison) -> str:
    names = [d.name for d in c.distances]
    head = "".join(f"<th>{html.escape(n)}</th>" for n in ("", "real, other sessions", *names))
    rows = [_row(f.title, c.among_real[f.name], [d.families[f.name] for d in c.distances]) for f in likeness.FAMILIES]
    rows.append(_row("mean of all", likeness.total(c.among_real), [d.total for d in c.distances], "sum"))
    spans = [f"{low:.2f}–{high:.2f}" if low == low else "" for low, high in (d.interval for d in c.distances)]
    rows.append("<tr><td>95 % interval</td><td></td>" + "".join(f"<td>{s}</td>" for s in spans) + "</tr>")
    errors = "".join(f"<td>{d.spectrum_error:.2f}</td>" for d in c.distances)
    rows.append(f"<tr><td>log10 spectrum, rms</td><td></td>{errors}</tr>")
    return f"<table><tr>{head}</tr>{''.join(rows)}</table>"


def _row(title: str, among: float, values: Sequence[float], kind: str = "") -> str:
    best = min(values)
    cells = "".join(f"<td{' class=best' if v < best + 0.005 else ''}>{v:.2f}</td>" for v in values)
    known = f"{among:.2f}" if among == among else ""
    return f"<tr class='{kind}'><td>{html.escape(title)}</td><td>{known}</td>{cells}</tr>"


def _figure(figure: Figure, caption: str) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI)
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    words = html.escape(caption)
    return f'<figure><img alt="{words}" src="data:image/png;base64,{data}"><figcaption>{words}</figcaption></figure>'


def _new(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def strip(c: Comparison, preset: str) -> Figure:
    """Real images over the ones simulated for them, from as many sessions as there are columns."""
    chosen = _spread([image.group for image in c.real], _STRIP)
    rows: list[tuple[str, list[FloatArray]]] = [("real", [image.data for image in c.real])]
    rows += [(name, c.simulated[name]) for name in dict.fromkeys((preset, PRISTINE))]
    figure = _new(1.35 * len(chosen) + 0.4, 1.35 * len(rows) + 0.1)
    axes = figure.subplots(len(rows), len(chosen), squeeze=False)
    colours = ListedColormap(lookup_table() / 255.0)
    for row, (title, images) in zip(axes, rows, strict=True):
        for place, k in zip(row, chosen, strict=True):
            shown = normalised(flatten_lines(images[k]))
            place.imshow(shown, cmap=colours, vmin=-1.5, vmax=2.0, interpolation="antialiased")
            place.set_xticks([])
            place.set_yticks([])
        row[0].set_ylabel(title)
    return figure


def _spread(groups: Sequence[str], count: int) -> list[int]:
    """Indices of at most `count` images, of different groups while these last."""
    seen: dict[str, int] = {}
    turns = []
    for k, group in enumerate(groups):
        turns.append((seen.get(group, 0), k))
        seen[group] = seen.get(group, 0) + 1
    first = [k for turn, k in sorted(turns)][: max(count, len(seen))]
    return sorted(first[:: max(1, len(first) // count)][:count])


def curves(c: Comparison, order: Sequence[str]) -> Figure:
    """Median radial spectra, anisotropies and line correlations of every set, with the real ones' 16 to 84 % band."""
    figure = _new(11, 6.6)
    (left, right), below = figure.subplots(2, 2)
    bands = np.sqrt(BAND_EDGES[1:] * BAND_EDGES[:-1])
    for axes, family, label in ((left, "spectrum", "log10 of power share"), (right, "anisotropy", "log10 slow / fast")):
        _curve(axes, c, order, family, bands)
        axes.set_xscale("log", base=2)
        axes.set_xlabel("cycles per pixel")
        axes.set_ylabel(label)
    for axes, (family, label) in zip(below, _CURVES, strict=True):
        lags = [float(name.split()[0]) for name in _family(family).members]
        _curve(axes, c, order, family, np.array(lags))
        axes.set_xscale("log", base=2)
        axes.set_xlabel(label)
        axes.set_ylabel("log10 of 1 − correlation")
    left.legend(fontsize=8, frameon=False)
    return figure


def _curve(axes: Axes, c: Comparison, order: Sequence[str], family: str, at: FloatArray) -> None:
    sets = [("real", c.real_marks[family], _REAL)]
    sets += [(name, c.marks[name][family], _COLOURS[k % len(_COLOURS)]) for k, name in enumerate(order)]
    for number, (name, values, colour) in enumerate(sets):
        low, middle, high = np.nanpercentile(values, (16, 50, 84), axis=0)
        if number < 2:
            axes.fill_between(at, low, high, color=colour, alpha=0.15, linewidth=0)
        width = 2.0 if number < 2 else 1.0
        axes.plot(at, middle, color=colour, linewidth=width, marker="o", markersize=3, label=name)


def histograms(c: Comparison, order: Sequence[str]) -> Figure:
    """Histograms over images of single marks: real filled, simulated sets as outlines."""
    figure = _new(11, 5.6)
    for axes, (family, member) in zip(figure.subplots(2, 4).ravel(), _SHOWN, strict=True):
        about = _family(family)
        sets = {name: c.marks[name][family][:, member] for name in order}
        real = c.real_marks[family][:, member]
        everything = np.concatenate([real, *sets.values()])
        low, high = np.percentile(everything, (1, 99))
        bins = np.linspace(low, high if high > low else low + 1, 21)
        axes.hist(np.clip(real, low, high), bins=bins, density=True, color=_REAL, alpha=0.25, label="real")
        for k, (name, values) in enumerate(sets.items()):
            kept = np.clip(values, low, high)
            axes.hist(kept, bins=bins, density=True, histtype="step", color=_COLOURS[k], linewidth=1.4, label=name)
        axes.set_title(f"{about.title.removesuffix(' (log10)')}: {about.members[member]}", fontsize=8.5)
        axes.set_yticks([])
        axes.tick_params(labelsize=8)
    figure.axes[0].legend(fontsize=8, frameon=False)
    return figure


def _family(name: str) -> likeness.Family:
    return next(f for f in likeness.FAMILIES if f.name == name)
