"""What is known of a result on the very scan, in plain words, each with a mark: ok, look, cannot tell. No Qt."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from stmviewer.gui.quantities import quantity
from stmviewer.restore import Restoration, in_titles, title
from stmviewer.restore.checks import NO_SECOND_END
from stmviewer.restore.ranges import INSIDE
from stmviewer.scan.levelling import fit_plane, robust_range

Mark = Literal["look", "unknown", "ok"]
MARK_TEXTS: Mapping[Mark, str] = {"ok": "ok", "look": "look", "unknown": "cannot tell"}
#: a residual of less than this part of the range of the measurement is called small
_SMALL = 0.1
#: what smaller images are not checked for, as in restore.lattice_check
_LEAST_SIDE, _LEAST_MEASURED = 32, 256
#: checks that have a row of their own
_TOLD = ("self-check", "choice", "lattice", "range", "tip", "heights", "rows", "cells")

_MEANS: Mapping[str, str] = {
    "residual-sparse": "What the method draws at pixels that were measured, less what was measured there, before the "
    "measured values are put back. A small one says that it agrees with the measurement; it says nothing of the gaps.",
    "residual-exact": "Interpolation goes through every measured pixel, so this says nothing of how good it is.",
    "residual-repair": "How much the repair has changed. It cannot tell a mended fault from a lost detail: look at the "
    "difference pane.",
    "hidden": "These pixels were measured but kept from the method: a true test, on your own sample.",
    "self-check": "A part of the measured pixels was hidden, too, and rebuilt: how far they were missed tells what to "
    "expect in the gaps. Of a lattice whose rows lie closer than twice the distance of the lines, measured and hidden "
    "lines show the same false wave: that the check cannot tell.",
    "directions": "Forward and backward lines show the same surface: repaired apart, they should look alike.",
    "choice": "What Automatic decides by: how near each method came to hidden pixels of this scan.",
    "lattice": "The waves in the restored image are compared with those in the measured pixels. A wave that only the "
    "restored image has was invented; one that only the measurement has was lost.",
    "range": "A model is at home where its training was: pixel size, noise, height and period. Outside it guesses.",
    "deviation": "How far the samples of the model differ, or what it expects to be wrong by. Not a probability.",
    "tip": "Features that repeat at one offset tell of a further end of the tip. Which end is the main one cannot be "
    "told from one scan: compare with the repair without taking it out.",
    "heights": "A jump at a line or a bow over the whole image is mostly a fault of tip or scanner; a step edge "
    "exactly along the lines is the exception. A repair that makes what it keeps lower or higher tells nothing of true "
    "heights. Compare with the measurement.",
    "rows": "In gaps this wide rows of one direction look like rows of another. Which one it is was taken from their "
    "known spacing and the lines of the whole scan: look whether the rows run as you know them from this sample.",
    "cells": "All cells of a lattice together show what single gaps hide of each. What differs from cell to cell, such "
    "as a defect, is known where it was measured alone: look for it in the raw scan, or measure that place in full.",
    "lines": "The scan was put on square pixels, and its lines do not fall on their rows exactly.",
}


@dataclass(frozen=True)
class Finding:
    """One line of what is known: its mark, its subject, the text, and a sentence on what it means.

    `more` is said when it is opened.
    """

    mark: Mark
    about: str
    text: str
    meaning: str
    more: str = ""


def findings(result: Restoration) -> list[Finding]:
    """Everything that is known of a result; what should be looked at comes first."""
    found = [
        *_residual(result),
        *_hidden(result),
        *_of_checks(result),
        *_lattice(result),
        *_range(result),
        *_tip(result),
        *_heights(result),
        *_rows(result),
        *_cells(result),
        *_other_warnings(result),
    ]
    order: list[Mark] = ["look", "unknown", "ok"]
    found = [replace(f, text=_spoken(f.text), more=_spoken(f.more)) for f in found]
    return sorted(found, key=lambda f: order.index(f.mark))


def residual_text(result: Restoration) -> str:
    """`4.4 pm rms`, or nothing where nothing was measured."""
    rms = result.residual_rms
    return "" if rms != rms else f"{quantity(rms, result.unit) if rms else '0'} rms"


def _residual(result: Restoration) -> list[Finding]:
    text = residual_text(result)
    if not text:
        return []
    said = f"{text} at measured pixels"
    if result.request.task == "repair":
        return [Finding("unknown", "Residual", said, _MEANS["residual-repair"])]
    if result.residual_rms == 0:
        return [Finding("unknown", "Residual", said, _MEANS["residual-exact"])]
    low, high = robust_range(result.raw - fit_plane(result.raw, result.mask.measured))
    share = result.residual_rms / (high - low)
    said += f", {100 * share:.2g} % of the range"
    return [Finding("ok" if share < _SMALL else "look", "Residual", said, _MEANS["residual-sparse"])]


def _hidden(result: Restoration) -> list[Finding]:
    if not result.scores:
        return []
    own, *others = result.scores
    text = f"{title(own.method)} {own.ssim_hidden:.3f} of 1 (SSIM)"
    text += "".join(f", {title(other.method)} {other.ssim_hidden:.3f}" for other in others)
    worse = any(other.beats(own) for other in others)
    text += ": interpolation does better here" if worse else ""
    return [Finding("look" if worse else "ok", "Hidden pixels", text, _MEANS["hidden"])]


def _of_checks(result: Restoration) -> list[Finding]:
    found = []
    tried = result.provenance.get("self_check")
    for check in result.checks:
        if check.about not in ("self-check", "choice"):
            continue
        subject, means, mark = "Self-check", "self-check", "look" if check.warns else "ok"
        if check.about == "choice":
            subject, means = "Choice", "choice"
        elif result.request.task == "repair":
            means = "directions"
            mark = "unknown" if "nothing to check" in check.text else mark
        elif not tried:
            mark = "unknown"
        elif _worse_than_linear(tried, result):
            mark = "look"
        text = _without_prefix(check.text)
        short = _expected(tried, result) if tried and subject == "Self-check" else ""
        found.append(_finding(_mark(mark), subject, text, _MEANS[means], short))
    if not result.request.check and not found:
        found.append(Finding("unknown", "Self-check", "not asked for", _MEANS["self-check"]))
    return found


def _expected(tried: Mapping[str, Any], result: Restoration) -> str:
    """What the self-check expects in the gaps of the scan: of what is shown, and of linear interpolation."""
    shown = next((m["name"] for m in result.provenance.get("methods", [])), result.model)
    scores = {s["method"]: s for s in tried["scores"]}
    if shown not in scores:
        return ""

    def amount(method: str) -> str:
        value = scores[method]["expected"]
        return quantity(value, result.unit) if result.unit else f"{100 * value / tried['range']:.2g} %"

    wide = any(check.about == "gap" for check in result.checks)
    text = f"{amount(shown)} expected in the gaps{' near measured pixels' if wide else ''}"
    if shown != "linear" and "linear" in scores:
        text += f", linear interpolation {amount('linear')}"
    finer = tried.get("unseen_below")
    if not finer:
        return text
    if result.provenance.get("rows"):
        return f"{text}, if the dimer rows run as they were followed and nothing else is finer than {finer}"
    if result.provenance.get("cells"):
        return f"{text}, if the lattice is that which was followed and nothing else is finer than {finer}"
    return f"{text}, if nothing is finer than {finer}"


def _finding(mark: Mark, about: str, text: str, meaning: str, short: str = "") -> Finding:
    """A finding whose text is told in short at first: up to its first colon, with the rest when it is opened."""
    if short or "invented" in text:
        return Finding(mark, about, short or text, meaning, text if short and short != text else "")
    short, _, rest = text.partition(": ")
    return Finding(mark, about, short, meaning, rest)


def _worse_than_linear(tried: Mapping[str, Any], result: Restoration) -> bool:
    errors = {score["method"]: score["expected"] for score in tried["scores"]}  # as they are shown
    shown = next((m["name"] for m in result.provenance.get("methods", [])), result.model)
    return shown in errors and "linear" in errors and errors[shown] > errors["linear"]


def _lattice(result: Restoration) -> list[Finding]:
    told = [c for c in result.checks if c.about == "lattice"]
    if told:
        # what an alias hides cannot be told; what is invented, lost or an imprint is to be looked at
        return [
            _finding(
                "unknown" if "cannot be verified" in c.text else "look",
                "Lattice",
                _without_prefix(c.text),
                _MEANS["lattice"],
            )
            for c in told
        ]
    if not result.request.check:
        return [Finding("unknown", "Lattice", "not asked for", _MEANS["lattice"])]
    if min(result.mean.shape) < _LEAST_SIDE or result.mask.measured.sum() < _LEAST_MEASURED:
        return [Finding("unknown", "Lattice", "the image is too small to tell its periods", _MEANS["lattice"])]
    return [Finding("ok", "Lattice", "no period was invented, none was lost", _MEANS["lattice"])]


def _range(result: Restoration) -> list[Finding]:
    found = []
    for check in (c for c in result.checks if c.about == "range"):
        mark: Mark = "look" if check.warns else "ok" if check.text.startswith(INSIDE) else "unknown"
        found.append(_finding(mark, "Training", check.text, _MEANS["range"]))
    learned = any(m.get("sha256") for m in result.provenance.get("methods", []))
    if learned and not found:
        found.append(Finding("unknown", "Training", "not compared with that of the model", _MEANS["range"]))
    return found


def _tip(result: Restoration) -> list[Finding]:
    """Whether steps and adsorbates are seen twice, and what became of the second image."""
    found = []
    for check in result.checks:
        if check.about == "tip":
            text = check.text.removeprefix("Tip: ")
            if check.text == NO_SECOND_END:
                found.append(Finding("unknown", "Tip", text, _MEANS["tip"]))
                continue
            short = "the second image was taken out" if result.request.tips else "the surface is seen twice"
            if result.request.tips and check.warns:
                short += ", but the repair fits the scan worse"
            found.append(Finding("look" if check.warns else "ok", "Tip", short, _MEANS["tip"], text))
    return found


def _heights(result: Restoration) -> list[Finding]:
    """Jumps and bow that were taken out before the repair."""
    told = [c for c in result.checks if c.about == "heights"]
    return [_finding("look" if c.warns else "ok", "Heights", c.text, _MEANS["heights"]) for c in told]


def _rows(result: Restoration) -> list[Finding]:
    """Dimer rows that were followed through the gaps: whether they are there the user knows best."""
    told = [c for c in result.checks if c.about == "rows"]
    return [
        _finding("look" if c.warns else "unknown", "Dimer rows", _without_prefix(c.text), _MEANS["rows"]) for c in told
    ]


def _cells(result: Restoration) -> list[Finding]:
    """A unit cell that was followed through the gaps: what it hides must be said."""
    told = [c for c in result.checks if c.about == "cells"]
    return [
        _finding("look" if c.warns else "unknown", "Unit cell", _without_prefix(c.text), _MEANS["cells"]) for c in told
    ]


def _other_warnings(result: Restoration) -> list[Finding]:
    known = {c.text for c in result.checks if c.about in _TOLD}
    left = [w for w in result.warnings if w not in known]
    if result.scores:  # said of the hidden pixels already
        left = [w for w in left if not w.startswith("On the hidden pixels")]
    return [Finding("look", "Note", w, _MEANS["lines"] if w.startswith("The lines do not") else "") for w in left]


def bar_warnings(result: Restoration) -> list[str]:
    """What also stands in a bar above the images: what was invented or lost, and what no check says."""
    strong = [c.text for c in result.checks if c.about == "lattice" and "cannot be verified" not in c.text]
    known = {c.text for c in result.checks if c.about in _TOLD and not (c.about in ("tip", "heights") and c.warns)}
    return [_spoken(text) for text in (*strong, *(w for w in result.warnings if w not in known))]


def _spoken(text: str) -> str:
    """A sentence for the window: with titles, and without what is for the command line alone."""
    return in_titles(text).replace(", or restore --tips,", "")


def changed_text(result: Restoration) -> str:
    """How much of the image was not measured: for the label of the tint."""
    share = float(np.mean(result.inferred))
    return "every pixel inferred" if share == 1 else f"{100 * share:.3g} % inferred"


def _without_prefix(text: str) -> str:
    for prefix in ("Self-check: ", "Lattice check: ", "Dimer rows of ", "A unit cell of "):
        text = text.removeprefix(prefix)
    return text


def _mark(text: str) -> Mark:
    return "look" if text == "look" else "unknown" if text == "unknown" else "ok"
