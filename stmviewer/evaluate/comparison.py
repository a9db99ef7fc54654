"""Simulated images beside the real ones they are to resemble: presets compared on the same surfaces."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stmviewer.evaluate import likeness
from stmviewer.evaluate.likeness import Distance, Values
from stmviewer.evaluate.matched import degraded, matched_fields
from stmviewer.evaluate.real_images import RealImage
from stmviewer.scan import FloatArray, Progress
from stmviewer.scan.marks import flatten_lines
from stmviewer.simulate.presets import Preset

#: the simulated surfaces before anything degrades them: what every preset has to beat
PRISTINE = "pristine"
_LEVELS_OF_8_BITS = 255


@dataclass(frozen=True)
class Comparison:
    """Real images, their marks, and those of each simulated set (`PRISTINE` and the presets, by name).

    `simulated[name][i]` was made for real image i; `distances` are the sets' in the same order, `among_real` the
    families' distances of real sessions from each other.
    """

    surface: str
    seed: int
    real: list[RealImage]
    real_marks: Values
    simulated: dict[str, list[FloatArray]]
    marks: dict[str, Values]
    distances: list[Distance]
    among_real: dict[str, float]

    def distance(self, name: str) -> Distance:
        return next(d for d in self.distances if d.name == name)


def compare(
    real: Sequence[RealImage],
    surface: str,
    presets: Mapping[str, Preset],
    progress: Progress,
    *,
    seed: int = 0,
) -> Comparison:
    """Simulates an image for each real one with every preset, on the same surfaces, and takes all distances.

    Raises RequestError for an unknown surface.
    """
    real = list(real)
    fields = matched_fields(real, surface, seed, progress.part(0.3))
    looking = progress.part(0.1, "Looking at real images", len(real))
    real_marks = likeness.measure([image.data for image in real], looking)
    simulated: dict[str, list[FloatArray]] = {}
    marks: dict[str, Values] = {}
    share = 0.6 / (len(presets) + 1)
    for name in (PRISTINE, *presets):
        work = progress.part(share, f"Simulating {name}", 2 * len(real))
        if name == PRISTINE:
            images = [field.pristine for field in fields]
        else:
            images = degraded(fields, presets[name], seed, work)
        simulated[name] = images
        marks[name] = likeness.measure(stored_alike(images, real), work)
    groups = [image.group for image in real]
    still = progress.part(0.0)
    distances = [likeness.distance(name, real_marks, taken, groups, progress=still) for name, taken in marks.items()]
    among = likeness.among_real(real_marks, groups)
    return Comparison(surface, seed, real, real_marks, simulated, marks, distances, among)


def stored_alike(simulated: Sequence[FloatArray], real: Sequence[RealImage]) -> list[FloatArray]:
    """Each simulated image as the file of its real one would hold it.

    Where that has whole numbers of 8 bits, the simulated one is flattened, stretched over the same levels by its
    least and greatest value and rounded: a spike squeezes the range of both alike. Others stay as they are.
    """
    return [as_8_bits(z, r.data) if has_8_bits(r.data) else z for z, r in zip(simulated, real, strict=True)]


def has_8_bits(data: FloatArray) -> bool:
    """Whether an image holds whole numbers from 0 to 255 alone."""
    return bool(data.min() >= 0 and data.max() <= _LEVELS_OF_8_BITS and (data == np.rint(data)).all())


def as_8_bits(image: FloatArray, like: FloatArray) -> FloatArray:
    """The flattened image on the levels from the least to the greatest of `like`, rounded."""
    flat = flatten_lines(image)
    low, high = float(flat.min()), float(flat.max())
    if not high > low:
        return np.full_like(flat, like.min())
    result: FloatArray = np.rint(like.min() + (flat - low) * ((like.max() - like.min()) / (high - low)))
    return result


def table(comparison: Comparison) -> str:
    """Markdown: a row a kind of mark, a column a set, Wasserstein-1 in units of the real spread; the best in bold."""
    c = comparison
    names = [d.name for d in c.distances]
    lines = [
        "| Wasserstein-1 / real spread | real, other sessions | " + " | ".join(names) + " |",
        "|---|---|" + "---|" * len(names),
    ]
    for family in likeness.FAMILIES:
        values = [d.families[family.name] for d in c.distances]
        lines.append(_line(family.title, c.among_real[family.name], values))
    lines.append(_line("mean of all", likeness.total(c.among_real), [d.total for d in c.distances]))
    intervals = (f"{low:.2f} to {high:.2f}" if low == low else "" for low, high in (d.interval for d in c.distances))
    lines.append("| 95 % interval |  | " + " | ".join(intervals) + " |")
    lines.append("| log10 spectrum, rms |  | " + " | ".join(f"{d.spectrum_error:.2f}" for d in c.distances) + " |")
    return "\n".join(lines)


def _line(title: str, among: float, values: Sequence[float]) -> str:
    best = min(values)
    cells = [f"**{v:.2f}**" if v < best + 0.005 else f"{v:.2f}" for v in values]
    known = f"{among:.2f}" if among == among else ""
    return f"| {title} | {known} | " + " | ".join(cells) + " |"
