"""Real pairs of degraded and good images: one session shows one place again, with a bad tip and with a good one.

Degraded images are laid upon the good ones of the same series (run). What counts as the same place is decided by a
null: the phase correlation of degraded images with good ones of other sessions, which show other places for certain.
"""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stmviewer.evaluate.registration import Match, Overlay, Spectrum, agreement, match, overlay, prepared, spectrum
from stmviewer.files import open_scan
from stmviewer.scan import FileError, FloatArray, Progress, Scan

GOOD = "pristine"
DEGRADED = ("double_tip", "tip_change", "blurry")
#: share of the null that passes as a match
FALSE_RATE = 0.005
#: the peak must be so much higher than the next one
LEAST_LEAD = 1.2
#: pairs of different sessions that the null is taken from
_NULL_PAIRS = 600
#: shared part of an image that is worth a comparison
_LEAST_SHARE = 0.35
#: correlation of the details of two images of one place; a constant image has none with anything
_LEAST_AGREEMENT = 0.2
_NAME = re.compile(r"(?P<session>[^_]+)_s--(?P<run>\d+)_(?P<number>\d+)$")


@dataclass(frozen=True)
class LabelledImage:
    """One image: the `kind` that people gave it, its session, and the series of scans of one place that it is from."""

    scan: Scan
    kind: str
    session: str
    run: str

    @property
    def place(self) -> str:
        return f"{self.session} {self.run}"

    @property
    def data(self) -> FloatArray:
        return self.scan.channel().data


@dataclass(frozen=True)
class RealPair:
    """A degraded image, and good ones of the same place in its frame; `others` are further good ones, for how far
    two good images are apart. Windows are those of the degraded image. `partner` is the whole image of `good`."""

    degraded: LabelledImage
    partner: LabelledImage
    good: Overlay
    others: tuple[Overlay, ...] = ()


@dataclass(frozen=True)
class Pairing:
    """The pairs found, the height that counts as a match, and how many of `tested` pairs would pass by chance."""

    pairs: tuple[RealPair, ...]
    threshold: float
    tested: int
    null_pairs: int


def read_labelled(data: Path, sessions: Sequence[str] | None = None) -> list[LabelledImage]:
    """The labelled images below `data`/si100h; of the validation sessions, or of `sessions` when given.

    Raises FileError where they are not.
    """
    root = data / "si100h"
    try:
        wanted = set(sessions or (root / "validation_sessions.txt").read_text(encoding="utf-8").split())
        with (root / "labels.csv").open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["session"] in wanted]
    except (OSError, KeyError) as error:
        raise FileError(
            root, f"it is not the folder of labelled images ({error})", "Let STMVIEWER_REAL_DATA point at the real data"
        ) from error
    images = []
    for row in rows:
        kind, _, name = row["file"].partition("/")
        named = _NAME.match(Path(name).stem)
        run = named["run"] if named else name
        images.append(LabelledImage(open_scan(root / row["file"]), kind, row["session"], run))
    if not images:
        raise FileError(root, f"no image is of the sessions {', '.join(sorted(wanted))}")
    return images


def find_pairs(images: Sequence[LabelledImage], progress: Progress) -> Pairing:
    """Lays each degraded image upon the good image of its series that it matches best, where one matches."""
    degraded = [i for i in images if i.kind in DEGRADED]
    good = [i for i in images if i.kind == GOOD]
    jobs = [(d, g) for d in degraded for g in good if d.place == g.place and d.data.shape == g.data.shape]
    null = _null(degraded, good)
    progress = progress.part(1.0, "Finding the same places", len(jobs) + len(null) + len(degraded))
    spectra: dict[int, Spectrum] = {}

    def matched(a: LabelledImage, b: LabelledImage) -> Match:
        for image in (a, b):
            if id(image) not in spectra:
                spectra[id(image)] = spectrum(prepared(image.data))
        progress.tick()
        return match(spectra[id(a)], spectra[id(b)])

    chance = [m.height if m.lead >= LEAST_LEAD else 0.0 for m in (matched(d, g) for d, g in null)]
    threshold = float(np.quantile(chance, 1 - FALSE_RATE)) if chance else float("inf")
    found: dict[int, list[tuple[Match, LabelledImage]]] = {}
    for d, g in jobs:
        m = matched(d, g)
        if m.height > threshold and m.lead >= LEAST_LEAD:
            found.setdefault(id(d), []).append((m, g))
    pairs = []
    for d in degraded:
        progress.tick()
        laid = []
        for m, g in sorted(found.get(id(d), []), key=lambda one: -one[0].height)[:3]:
            over = overlay(d.data, g.data, m)
            if over is None or over.image.size < _LEAST_SHARE * d.data.size:
                continue
            if agreement(d.data[over.window], over.image) >= _LEAST_AGREEMENT:
                laid.append((g, over))
        if laid:
            pairs.append(RealPair(d, *laid[0], tuple(over for _, over in laid[1:])))
    return Pairing(tuple(pairs), threshold, len(jobs), len(null))


def _null(
    degraded: Sequence[LabelledImage], good: Sequence[LabelledImage]
) -> list[tuple[LabelledImage, LabelledImage]]:
    """Pairs of different sessions, always the same ones."""
    apart = [(d, g) for d in degraded for g in good if d.session != g.session and d.data.shape == g.data.shape]
    rng = np.random.default_rng(0)
    pick = rng.permutation(len(apart))[:_NULL_PAIRS]
    return [apart[k] for k in sorted(pick)]
