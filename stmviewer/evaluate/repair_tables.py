"""The comparison of repairs of real scans as Markdown."""

from collections.abc import Sequence

from stmviewer.evaluate import embedding
from stmviewer.evaluate.real_pairs import DEGRADED, FALSE_RATE
from stmviewer.evaluate.repair_real import CEILING, INPUT, Paired, RepairReport, Unpaired
from stmviewer.evaluate.tip_state import KINDS


def table(found: RepairReport) -> str:
    """The pairs, the sets, and good images of the same places, whole and by kind of degradation."""
    return "\n".join([*_pairs(found), "", *_all_images(found), *_same_places(found)])


def _pairs(found: RepairReport) -> list[str]:
    whole = [p for p in found.paired if p.kind == "all"]
    lines = [
        f"Paired: {max((p.pairs for p in whole), default=0)} degraded images of {found.places} places, each laid upon "
        f"a good one (phase correlation over {found.threshold:.1f} deviations; {100 * FALSE_RATE:.1g} % of pairs of "
        "different sessions pass)",
        "",
        "| method | SSIM (95 %) | gain over the input (95 %) | PSNR (dB) | spots kept | spots invented | edges kept | "
        "edges invented |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for p in whole:
        # another good image is there for some of the pairs only: beside the input of all it says nothing
        gain = "" if p.method == INPUT else f"{p.gain:+.3f} ({p.gain_interval[0]:+.3f} to {p.gain_interval[1]:+.3f})"
        lines.append(
            f"| {p.method} | {p.ssim:.3f} ({p.interval[0]:.3f} to {p.interval[1]:.3f}) | {gain} | {p.psnr_db:.1f} | "
            f"{_of(p.spots.found, p.spots.there)} | {_of(p.spots.false, p.spots.there)} | "
            f"{_of(p.edges.found, p.edges.there)} | {_of(p.edges.false, p.edges.there)} |"
        )
    others = next((p.pairs for p in whole if p.method == CEILING), 0)
    if others:
        lines += ["", f"({CEILING}: for {others} of the pairs)"]
    kinds = [k for k in DEGRADED if any(p.kind == k for p in found.paired)]
    lines += ["", "SSIM by kind (pairs)", "", "| method | " + " | ".join(kinds) + " |", "|---|" + "---|" * len(kinds)]
    for method in dict.fromkeys(p.method for p in whole):
        lines.append(f"| {method} | " + " | ".join(_ssim(found.paired, method, kind) for kind in kinds) + " |")
    return lines


def _ssim(paired: Sequence[Paired], method: str, kind: str) -> str:
    one = [p for p in paired if (p.method, p.kind) == (method, kind)]
    return f"{one[0].ssim:.3f} ({one[0].pairs})" if one else ""


def _all_images(found: RepairReport) -> list[str]:
    mean, low, high = found.other_places
    return [
        f"Unpaired: {found.unpaired[0].images} degraded images; {embedding.NAME} (thousandths) to {found.good} good "
        f"images (two halves of these that show different places: {mean:.0f}, {low:.0f} to {high:.0f}), and what the "
        "judge of tips says",
        "",
        *_sets("Unpaired", found.unpaired),
    ]


def _same_places(found: RepairReport) -> list[str]:
    if not found.same_places:
        return []
    return [
        "",
        f"What a perfect repair would reach: the {found.same_places[0].images} degraded images of the pairs, and in "
        f"place of each the good one that it was laid upon; to the {found.good_left} good images that are in no pair",
        "",
        *_sets("Pairs", found.same_places),
    ]


def _sets(title: str, rows: Sequence[Unpaired]) -> list[str]:
    whole = [u for u in rows if u.kind == "all"]
    before = {u.kind: u for u in rows if u.method == INPUT}
    lines = [
        "| method | distance (95 %) | of the input's (95 %) | good | double | change | blurry | mean P(good) |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for u in whole:
        shares = " | ".join(f"{100 * u.shares[k]:.0f} %" for k in KINDS)
        lines.append(f"| {u.method} | {_distance(u)} | {_part(u, before)} | {shares} | {u.good:.2f} |")
    kinds = [k for k in before if k != "all"]
    if not kinds:
        return lines
    heads = " | ".join(f"{k}, {before[k].images}" for k in kinds)
    lines += [
        "",
        f"{title} by kind: distance; what part of the input's it is; share that the judge calls good",
        "",
        f"| method | {heads} |",
        "|---|" + "---|" * len(kinds),
    ]
    for method in dict.fromkeys(u.method for u in whole):
        cells = []
        for kind in kinds:
            u = next(u for u in rows if (u.method, u.kind) == (method, kind))
            part = _part(u, before)
            cells.append("; ".join([_distance(u), *([part] if part else []), f"{100 * u.shares['good']:.0f} %"]))
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    return lines


def _distance(u: Unpaired) -> str:
    return f"{u.distance:.0f} ({u.interval[0]:.0f} to {u.interval[1]:.0f})"


def _part(u: Unpaired, before: dict[str, Unpaired]) -> str:
    """What part of the distance of the input is left; nothing where that may as well be nothing."""
    if u.method == INPUT or not before[u.kind].interval[0] > 0:
        return ""
    return f"{u.part_left:.2f} ({u.part_interval[0]:.2f} to {u.part_interval[1]:.2f})"


def _of(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} % of {whole}" if whole else "none"
