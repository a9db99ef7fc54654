"""What was measured, in the words and numbers of a table. No Qt."""

from collections.abc import Sequence

from stmviewer.gui.measuring.work import Source, Waves
from stmviewer.gui.quantities import MINUS, quantity
from stmviewer.scan.statistics import Histogram, Statistics

Rows = list[list[str]]


def statistics_table(found: Sequence[tuple[Source, Statistics]]) -> Rows:
    """One column an image; the first row has their names."""

    def told(name: str, field: str) -> list[str]:
        return [name, *(_quantity(getattr(s, field), s.rms, source.channel.unit) for source, s in found)]

    def plain(name: str, field: str) -> list[str]:
        return [name, *(f"{getattr(s, field):.3g}".replace("-", MINUS) for _, s in found)]

    return [
        ["", *(source.name for source, _ in found)],
        told("Mean", "mean"),
        told("Median", "median"),
        told("Rms", "rms"),
        told("Ra", "mean_deviation"),
        told("Lowest", "least"),
        told("Highest", "most"),
        plain("Skew", "skew"),
        plain("Kurtosis", "kurtosis"),
        ["Pixels", *(f"{s.count}" for _, s in found)],
    ]


def _quantity(value: float, rms: float, unit: str) -> str:
    """What is rounding beside the roughness is zero."""
    return quantity(value if abs(value) > 1e-6 * rms else 0.0, unit)


def waves_table(found: Sequence[tuple[Source, Waves]]) -> Rows:
    """The peaks of each image, strongest first: period, direction, amplitude."""
    rows: Rows = []
    for source, waves in found:
        rows.append([source.name, "angle", "amplitude"])
        for number, wave in enumerate(waves.waves[:6], 1):
            period = f"{1e9 * wave.period:.3g} nm" if waves.geometry.calibrated else f"{wave.period:.3g} px"
            amplitude = quantity(wave.amplitude, source.channel.unit, 2)
            rows.append([f"{number}: {period}", f"{wave.angle_deg:.0f}°", amplitude])
        if not waves.waves:
            rows.append(["no peak stands out", "", ""])
    return rows


def terraces_table(found: Sequence[tuple[Source, Histogram]]) -> Rows:
    """Terraces from the lowest up, with the step to the next."""
    rows: Rows = []
    for source, histogram in found:
        unit = source.channel.unit
        rows.append([source.name, "part", "step up"])
        steps = [*(quantity(s, unit) for s in histogram.steps), ""]
        for terrace, step in zip(histogram.terraces, steps, strict=False):
            rows.append([quantity(terrace.height, unit), f"{100 * terrace.share:.0f} %", step])
        if len(histogram.terraces) < 2:
            rows.append(["one level only", "", ""])
    return rows


def as_text(rows: Rows) -> str:
    """For the clipboard: tabs between columns, and the minus that programs read."""
    return "\n".join("\t".join(row) for row in rows).replace(MINUS, "-")
