"""Trains the judge of tips on the labelled images of H:Si(100), and says how good it is.

    python tests/tools/train_tipstate.py REAL_DATA [-o models] [--features CACHE.npz]

REAL_DATA is the folder that STMVIEWER_REAL_DATA names, with `si100h/labels.csv`. The sessions of
`validation_sessions.txt` are used for the last report alone; penalty and temperature come from five folds of the other
sessions. Some five CPU minutes, nearly all for the features, which `--features` keeps. Prints the report as Markdown.
"""

import argparse
import csv
from pathlib import Path

import numpy as np

from stmviewer.evaluate import efficientnet, judges, tip_state
from stmviewer.evaluate.real_pairs import LabelledImage, read_labelled
from stmviewer.evaluate.tip_features import LEAST_SIDE, coarser, tip_features
from stmviewer.evaluate.tip_state import KINDS, NAME, Head, save_head
from stmviewer.evaluate.tip_training import fit_head, fit_temperature, folds, report, soft_labels, table

_LABELS = {"pristine": "good", "double_tip": "double", "tip_change": "change", "blurry": "blurry"}
#: how each image is shown: factor by which it is made coarser, flips (1: columns, 2: rows)
VIEWS = ((1, 0), (2, 1))
#: larger images are judged at half their pixels, as the others are sampled
_FINE = 400
_PENALTIES = (0.03, 0.1, 0.3)


def views(image: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """Number and pixels of each view of an image; lines stay horizontal."""
    if image.shape[0] > _FINE:
        image = coarser(image, 2)
    found = []
    for number, (factor, flips) in enumerate(VIEWS):
        part = coarser(image, factor)
        if min(part.shape) >= LEAST_SIDE:
            part = part[:, ::-1] if flips & 1 else part
            found.append((number, np.ascontiguousarray(part[::-1] if flips & 2 else part)))
    return found


def features(images: list[LabelledImage]) -> tuple[np.ndarray, np.ndarray]:
    """Numbers (views, features), and (image, view) of each row."""
    network = efficientnet.load(judges.weights("efficientnet-lite0"))
    values, which = [], []
    for i, image in enumerate(images):
        for number, pixels in views(image.data):
            values.append(tip_features(pixels, np.ones(pixels.shape, dtype=bool), network, lattice=True).values)
            which.append((i, number))
    return np.array(values), np.array(which)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("models"))
    parser.add_argument("--features", type=Path, help="file that keeps the features for the next time")
    options = parser.parse_args()
    root = options.data / "si100h"
    validation = set((root / "validation_sessions.txt").read_text(encoding="utf-8").split())
    sessions = {line.split(",")[1] for line in (root / "labels.csv").read_text(encoding="utf-8").splitlines()[1:]}
    images = read_labelled(options.data, sorted(sessions))
    if options.features and options.features.is_file():
        kept = np.load(options.features)
        values, which = kept["values"], kept["which"]
    else:
        values, which = features(images)
        if options.features:
            np.savez(options.features, values=values, which=which)
    labels = np.array([KINDS.index(_LABELS[images[i].kind]) for i in which[:, 0]])
    shares = soft_labels(labels, raters(root, images)[which[:, 0]])
    session = np.array([images[i].session for i in which[:, 0]])
    learning = ~np.isin(session, sorted(validation))
    of_session = folds([i.session for i in images if i.session not in validation])
    fold = np.array([of_session.get(s, -1) for s in session])
    whole = which[:, 1] == 0

    best: tuple[float, float, float] | None = None
    for penalty in _PENALTIES:
        logits = out_of_fold(values, labels, shares, fold, learning, penalty)
        shown = learning & whole
        temperature = fit_temperature(logits[learning], labels[learning])
        found = report(tip_state.softmax(logits[shown] / temperature), labels[shown])
        print(f"penalty {penalty}: temperature {temperature:.2f}, accuracy {found.accuracy:.3f}, "
              f"balanced {found.balanced:.3f}, ECE {found.ece:.3f}")  # fmt: skip
        if best is None or found.balanced > best[0]:
            best = (found.balanced, penalty, temperature)
    assert best is not None
    plain = fit_head(values[learning], labels[learning], best[1], shares=shares[learning])
    head = Head(plain.mean, plain.scale, plain.weights, plain.bias, best[2])
    path = options.output / f"{NAME}.safetensors"
    save_head(head, str(path))
    judges.register(NAME, options.output, "tip state", "GPL-3.0", "Good, double or asymmetric, changed or blurry tip")
    print(f"penalty {best[1]}, temperature {best[2]:.2f}\n")
    for number, (factor, _) in enumerate(VIEWS):
        shown = ~learning & (which[:, 1] == number)
        found = report(head.probabilities(values[shown]), labels[shown])
        name = f"{factor} times coarser"
        print(f"validation sessions, {name}: {found.images} images, accuracy {found.accuracy:.3f}, balanced "
              f"{found.balanced:.3f}, ECE {found.ece:.3f}\n\n{table(found)}\n")  # fmt: skip


def raters(root: Path, images: list[LabelledImage]) -> np.ndarray:
    """How many people labelled each image."""
    with (root / "labels.csv").open(encoding="utf-8", newline="") as file:
        counts = {Path(row["file"]).name: int(row["raters"]) for row in csv.DictReader(file)}
    return np.array([counts[Path(image.scan.name).with_suffix(".png").name] for image in images])


def out_of_fold(
    values: np.ndarray,
    labels: np.ndarray,
    shares: np.ndarray,
    fold: np.ndarray,
    learning: np.ndarray,
    penalty: float,
) -> np.ndarray:
    """Logits of every image from a judge that has not seen its session."""
    logits = np.zeros((len(values), len(KINDS)))
    for k in range(int(fold.max()) + 1):
        asked, rest = learning & (fold == k), learning & (fold != k)
        head = fit_head(values[rest], labels[rest], penalty, shares=shares[rest])
        logits[asked] = head.logits(values[asked])
    return logits


if __name__ == "__main__":
    main()
