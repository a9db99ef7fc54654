"""What can be laid under the dividers of the compare pane, and what else could be tried. No Qt."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from stmviewer.gui.display import Frame, Picture, Plane, display_plane, frame_of
from stmviewer.gui.mask_words import mask_words
from stmviewer.gui.shown import Restored, Shown, levels
from stmviewer.restore import ModelInfo, RestoreRequest
from stmviewer.scan import Geometry

MOST = 4
#: results that are kept of a channel; the oldest go first
MOST_RESULTS = 6


@dataclass(frozen=True, eq=False)
class Pin:
    """An image of this or another scan that stays at hand to compare with."""

    label: str
    picture: Picture
    geometry: Geometry
    unit: str
    plane: Plane

    @classmethod
    def of(cls, shown: Shown, restored: Restored | None) -> "Pin":
        """The restored image where there is one, else the raw one."""
        result = restored.restoration if restored else None
        geometry = result.geometry if result else shown.scan.geometry
        data = result.mean if result else shown.channel.data
        picture = Picture(data, frame_of(geometry))
        label = f"{shown.scan.name}, {restored.title if restored else 'raw'}"
        plane = display_plane(picture) if levels(shown.channel) else Plane()
        return cls(label, picture, geometry, shown.channel.unit, plane)

    def fits(self, shown: Shown) -> bool:
        """Whether it makes sense beside that channel: the same unit, both with a size or both without."""
        return self.unit == shown.channel.unit and self.geometry.unit == shown.scan.geometry.unit

    def placed(self, reference: Geometry) -> tuple[Picture, Plane]:
        """The picture where it lies seen from the scan on show; at its corner where they do not overlap."""
        frame, own = frame_of(self.geometry, reference), self.picture.frame
        whole = frame_of(reference)
        apart = (
            frame.x >= whole.width
            or frame.y >= whole.height
            or frame.x + frame.width <= 0
            or frame.y + frame.height <= 0
        )
        if apart or self.geometry.angle_deg != reference.angle_deg:
            return self.picture, self.plane
        p = self.plane
        moved = Plane(p.offset - p.slope_x * frame.x - p.slope_y * frame.y, p.slope_x, p.slope_y)
        return Picture(self.picture.data, Frame(frame.x, frame.y, own.width, own.height, own.unit)), moved


@dataclass(frozen=True, eq=False)
class Candidate:
    """One image to compare; `source` is what it is of: "raw", "given", a Restored or a Pin."""

    source: object
    label: str
    picture: Picture
    plane: Plane | None = None  # None: that of the scan on show
    names: str = ""  # the method as the command line names it


def labels(results: Sequence[Restored]) -> list[str]:
    """A name for each result; what tells equal ones apart is added: task, mask, seed, number."""
    names = [r.title for r in results]

    def told_apart(by: Sequence[str]) -> list[str]:
        counts = Counter(names)
        return [f"{n}, {more}" if counts[n] > 1 and more else n for n, more in zip(names, by, strict=True)]

    requests = [r.restoration.request for r in results]
    for words in (
        [r.task for r in requests],
        [mask_words(r.mask or "") for r in requests],
        [f"seed {r.seed}" for r in requests],
        [r.trust for r in requests],
        [f"no. {k + 1}" for k in range(len(results))],
    ):
        same = Counter(zip(names, words, strict=True))
        # words that are the same for all of a name tell nothing apart
        useful = [w if same[n, w] < Counter(names)[n] else "" for n, w in zip(names, words, strict=True)]
        names = told_apart(useful)
    return names


def candidates(shown: Shown, results: Sequence[Restored], pins: Sequence[Pin] = ()) -> list[Candidate]:
    """Everything that could be compared, the raw image first, the latest result last before other scans."""
    found = [Candidate("raw", "Raw", shown.picture)]
    hidden = next((r for r in reversed(results) if r.restoration.truth is not None), None)
    if hidden is not None:
        found.append(Candidate("given", "Measured part", Picture(hidden.restoration.raw, hidden.mean.frame)))
    found += [Candidate(r, name, r.mean, names=r.names) for r, name in zip(results, labels(results), strict=True)]
    for pin in pins:
        if pin.fits(shown):
            picture, plane = pin.placed(shown.scan.geometry)
            found.append(Candidate(pin, pin.label, picture, plane))
    return found


def choose(found: Sequence[Candidate], before: Sequence[object], new: Sequence[Restored] = ()) -> list[object]:
    """Which are shown, by their source: those chosen before that are still there, and what is new; at most four."""
    known = [c.source for c in found]
    kept = [s for s in before if s in known] or ["raw"]
    kept += [r for r in new if r in known and r not in kept]
    while len(kept) > MOST:  # the oldest makes room, never the raw image
        kept.remove(next(s for s in kept if s != "raw"))
    return kept


def try_also(
    models: Sequence[ModelInfo], request: RestoreRequest, results: Sequence[Restored]
) -> list[tuple[str, RestoreRequest]]:
    """What else could be made of the same scan: another seed where it matters, then models not yet tried."""
    offers = []
    by_name = {m.name: m for m in models}
    info = by_name.get(request.model) or next((m for m in models if m.kind == request.model), None)
    asked = [r.restoration.request for r in results]
    if info is not None and info.samples:
        seed = max(r.seed for r in [request, *asked]) + 1
        offers.append((f"{info.title}, seed {seed}", request.replaced(seed=seed)))
    tried = {r.restoration.model for r in results} | {r.model for r in asked}
    for model in models:
        if request.task in model.tasks and model.name not in tried:
            samples = request.samples if model.samples else 1
            offers.append((model.title, request.replaced(model=model.name, steps=None, samples=samples)))
    return offers
