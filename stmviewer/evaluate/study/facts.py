"""What a report says of its sets, its models and the computer."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stmviewer.evaluate.agreement import spectrum_ratio
from stmviewer.evaluate.study.result import ImageSet, ModelFacts
from stmviewer.evaluate.study.sources import Image
from stmviewer.evaluate.study.work import WorkFile
from stmviewer.restore import library
from stmviewer.restore.request import Device
from stmviewer.scan import FloatArray


def models(names: Sequence[str]) -> list[ModelFacts]:
    """The models of these names, classical ones without weights; what is none (the input) is left out."""
    infos, entries = {i.name: i for i in library.model_infos()}, library.entries()
    found = []
    for name in names:
        if name not in infos:
            continue
        info, entry = infos[name], entries.get(name)
        card = ""
        if entry is not None and entry.card.is_file():
            card = entry.card.read_text(encoding="utf-8", errors="replace")
        found.append(ModelFacts(name, info.kind, info.licence, entry.sha256 if entry else "", info.summary, card))
    return found


def image_set(role: str, folder: Path, images: Sequence[Image]) -> ImageSet:
    whole = hashlib.sha256("".join(f"{i.name}\0{i.sha256}\n" for i in images).encode()).hexdigest()
    return ImageSet(
        role=role,
        folder=folder.resolve().name,
        images=len(images),
        groups=len({i.group for i in images}),
        sha256=whole,
        shape=_span([f"{i.data.shape[1]} × {i.data.shape[0]}" for i in images]),
        pixels=_pixels(images),
    )


def _span(texts: Sequence[str]) -> str:
    kinds = sorted(set(texts))
    return ", ".join(kinds) if len(kinds) <= 3 else f"{kinds[0]} and {len(kinds) - 1} other sizes"


def _pixels(images: Sequence[Image]) -> str:
    sizes = [1e9 * i.scan.geometry.pixel_width for i in images if i.scan.geometry.calibrated]
    if not sizes:
        return "no pixel size in the files"
    low, high = min(sizes), max(sizes)
    text = f"{low:.3g} nm" if high < 1.005 * low else f"{low:.3g} to {high:.3g} nm"
    return text if len(sizes) == len(images) else f"{text} ({len(images) - len(sizes)} without a size)"


def device(wanted: Device) -> str:
    from stmviewer.restore.devices import describe_device

    return describe_device(wanted)


def ratio(image: FloatArray, truth: FloatArray) -> FloatArray:
    return spectrum_ratio(image, truth)


def mean_spectra(work: WorkFile, task: str, labels: Sequence[str], images: Sequence[Image]) -> dict[str, list[float]]:
    """Geometric mean over images of the spectrum ratio of each method; methods without a truth are left out."""
    found = {}
    for label in labels:
        keys = [(task, label, i.name) for i in images if work.has((task, label, i.name))]
        curves = [c for k in keys if (c := work.spectrum(k)).size]
        if not curves:
            continue
        logs = np.log(np.array(curves))
        count = np.isfinite(logs).sum(axis=0)
        mean = np.where(count > 0, np.nansum(logs, axis=0) / np.maximum(count, 1), np.nan)
        found[label] = [float(v) for v in np.exp(mean)]
    return found
