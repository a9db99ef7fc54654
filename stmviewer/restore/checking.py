"""What is checked in a restoration, before it (the choice of methods) and after it (lattice, range, directions)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from stmviewer.files.units import shown_unit
from stmviewer.restore import library
from stmviewer.restore.case import Case
from stmviewer.restore.checks import NO_SECOND_END, Check
from stmviewer.restore.choice import Choice, affordable, candidates, choose, networks_untried
from stmviewer.restore.classical import CELLS
from stmviewer.restore.directions import agreement, middle, other_direction
from stmviewer.restore.gaps import gap_checks
from stmviewer.restore.info import ModelInfo
from stmviewer.restore.kept_heights import height_checks
from stmviewer.restore.lattice_check import lattice_checks
from stmviewer.restore.methods import Methods
from stmviewer.restore.patterns import pattern_checks
from stmviewer.restore.ranges import facts_of, listed, range_checks
from stmviewer.restore.request import RestoreRequest
from stmviewer.restore.restoration import HiddenScore
from stmviewer.restore.selfcheck import SelfCheck, Shower, judge, try_out, window
from stmviewer.restore.tips import Tip, misfit
from stmviewer.scan import Channel, FloatArray, Geometry, Progress, Scan

#: a classical method that misses by so much less than the model asked for is pointed out
_BETTER = 0.97
#: repairs that make forward and backward differ by so much more than they did are pointed out
_WORSE_AGREEMENT = 1.1

#: repairs another channel with a method
Repairer = Callable[[Channel, str, Progress], FloatArray]


@dataclass(frozen=True)
class Findings:
    """The checks of a restoration, and the scores of its self-check where there was one."""

    checks: tuple[Check, ...]
    self_check: SelfCheck | None


def memory_check(tile: int) -> Check:
    """What is said where memory was too small for the tiles that were asked for."""
    text = f"The memory was too small: restored in tiles of {tile} pixels, which takes longer and sees less at once"
    return Check("memory", text, warns=True)


def check_sparse(
    case: Case,
    info: ModelInfo,
    request: RestoreRequest,
    unit: str,
    show: Shower,
    followed: str | None,
    progress: Progress,
    fault: Callable[[str], str] = lambda _: "",
) -> tuple[Choice, SelfCheck | None]:
    """What a case is restored with, and the self-check that says so; repairs and unchecked requests as asked.

    `followed` is the method that follows a pattern through its gaps; `fault` says why a model cannot be used, or
    nothing where it can.
    """
    auto = info.name == library.AUTO.name
    asked = Choice({info.name: 1.0}, "")
    if request.task == "repair" or not (request.check or auto):
        return asked, None
    infos, left_out = library.model_infos(), tuple[str, ...]()
    if auto:
        infos, left_out = _usable(infos, case, followed, fault)
    named = [info.name, "linear", *affordable(case, followed)]
    names = candidates(infos, case, followed) if auto else list(dict.fromkeys(named))
    names = [n for n in names if n in {i.name for i in infos}]
    trial = try_out(case, names, show, progress, request.seed)
    check = None
    if trial is not None:
        # those that follow the cell, as in stmviewer.restore.methods
        learned = {i.name for i in infos if i.learned}
        following = [n for n in names if n != "linear" and (auto or n in learned or n == followed)]
        check = judge(case, trial, unit, following if followed == CELLS else ())
        check = replace(check, followed=followed)
    if not auto:
        return asked, check
    sample = None
    if trial is None and any(i.learned and i.name == names[0] for i in infos):
        part = window(case)
        sample = show(part, names[0], progress.part(1.0)), part.geometry
    choice = choose(names, infos, case, trial, check, sample)
    return replace(choice, left_out=left_out, untried=tuple(networks_untried(infos, names))), check


def _usable(
    infos: list[ModelInfo], case: Case, followed: str | None, fault: Callable[[str], str]
) -> tuple[list[ModelInfo], tuple[str, ...]]:
    """The models without those that would be tried on a case and cannot be: one damaged file of the user's own would
    else be the end of every restoration that does not even ask for it."""
    learned, left_out = {i.name for i in infos if i.learned}, []
    while faults := {n: f for n in candidates(infos, case, followed) if n in learned and (f := fault(n))}:
        infos = [i for i in infos if i.name not in faults]
        left_out += [f"{name} was left out: {cause}" for name, cause in faults.items()]
    return infos, tuple(left_out)


def check_result(
    scan: Scan,
    channel: Channel,
    case: Case,
    mean: FloatArray,
    used: Sequence[ModelInfo],
    choice: Choice,
    self_check: SelfCheck | None,
    request: RestoreRequest,
    scores: Sequence[HiddenScore],
    methods: Methods,
    progress: Progress,
) -> Findings:
    """What can be found out about a restored image `mean` on the scan itself."""
    checks = [*_of_self_check(choice, self_check, used, request), *_of_range(case, channel, used, bool(scores))]
    checks += methods.heights.checks(case.raw.shape, channel.unit)
    checks += pattern_checks(methods.pattern, [i.name for i in used], any(i.learned for i in used))
    if request.task == "sparse":
        checks += gap_checks(case.mask.measured)
    if request.check:
        if request.task == "repair":
            checks += _of_directions(scan, channel, case, mean, used[0].name, methods.repaired, progress)
            checks += _of_tip(case, channel, mean, methods.tip, request)
            if any(i.learned for i in used):
                checks += height_checks(case, mean)
        checks += lattice_checks(mean, case.raw, case.mask.measured, case.geometry, request.task)
    return Findings(tuple(checks), self_check)


def _of_self_check(
    choice: Choice, check: SelfCheck | None, used: Sequence[ModelInfo], request: RestoreRequest
) -> list[Check]:
    found = []
    if check is not None:
        # a mixture was fitted to the hidden part: it may not be judged by it, its largest member may
        found.append(Check("self-check", check.text(next(iter(choice.weights)))))
    found += [Check("choice", text, warns=True) for text in choice.left_out]
    if choice.untried:
        text = f"Not tried, to save time: {listed(choice.untried)}. Name one to use it"
        found.append(Check("choice", text))
    if choice.reason:
        networks = any(i.learned for i in used)
        found.append(Check("choice", choice.reason[:1].upper() + choice.reason[1:], warns=not networks))
    elif check is not None and used[0].learned:
        named, best = check.score(used[0].name), check.scores[0]
        if best.error < _BETTER * named.error:
            text = (
                f"On hidden pixels of this scan {best.method} is better than {named.method}: "
                f"{check.amount(best.error)} against {check.amount(named.error)}; model auto decides by that"
            )
            found.append(Check("choice", text, warns=True))
    if request.task == "sparse" and request.check and check is None:
        text = "Self-check: too little was measured to hide a part of it, so there is nothing to check with"
        found.append(Check("self-check", text))
    return found


def _of_range(case: Case, channel: Channel, used: Sequence[ModelInfo], scored: bool) -> list[Check]:
    networks = [i for i in used if i.learned]
    if not networks:
        return []
    part = window(case)
    facts = facts_of(part.guess(), part.mask.measured, part.geometry, channel.unit)
    return list(range_checks(networks, facts, advise=not scored))


def _of_directions(
    scan: Scan, channel: Channel, case: Case, mean: FloatArray, name: str, repair: Repairer, progress: Progress
) -> list[Check]:
    """Forward and backward repaired apart; registered, since the feedback lags and the scanner creeps."""
    other = other_direction(scan, channel)
    if other is None:
        text = "Self-check: the other scan direction is not in the file, so there is nothing to check the repair with"
        return [Check("self-check", text)]
    part = _with_data(other, middle(other.data))
    restored = repair(part, name, progress.part(1.0, "Self-check"))
    found = agreement(middle(mean), restored, middle(case.raw), part.data)

    def amount(value: float) -> str:
        unit, factor = shown_unit(value, channel.unit)
        return f"{float(f'{value * factor:.2g}'):g} {unit}".rstrip()

    text = (
        f"Self-check: {channel.direction} and {other.direction}, repaired apart, differ by {amount(found.repaired)} "
        f"(as measured {amount(found.measured)}; {abs(found.lag):.1f} px apart)"
    )
    worse = found.repaired > _WORSE_AGREEMENT * found.measured
    return [Check("self-check", text + (": the repair made them less alike" if worse else ""), warns=worse)]


def tip_facts(tip: Tip, geometry: Geometry) -> dict[str, Any]:
    """What was found of the tip, as provenance holds it: offsets in pixels, and in m where the scan has a scale."""
    ends = []
    for end in tip.ends:
        place: dict[str, Any] = {"x_px": round(end.x_px, 2), "y_px": round(end.y_px, 2), "weight": end.weight}
        if geometry.calibrated:
            place |= {"x_m": end.x_px * geometry.pixel_width, "y_m": end.y_px * geometry.pixel_height}
        ends.append(place)
    return {"further_ends": ends, "features": tip.features, "evidence": round(tip.evidence, 3), "decay": tip.decay}


def _of_tip(case: Case, channel: Channel, mean: FloatArray, tip: Tip | None, request: RestoreRequest) -> list[Check]:
    """The further ends that were found, and whether the repair, seen by such a tip, is what was measured."""
    if tip is None or not tip.several:
        # whoever asked for it would not know otherwise
        return [Check("tip", NO_SECOND_END)] if request.tips else []
    g = case.geometry
    places = []
    for end in tip.ends:
        x, y = (
            (1e9 * end.x_px * g.pixel_width, 1e9 * end.y_px * g.pixel_height) if g.calibrated else (end.x_px, end.y_px)
        )
        across, down = (f"{float(f'{value:.2g}'):+g}" for value in (x, y))
        places.append(f"{across}, {down} {'nm' if g.calibrated else 'px'} (right, down), {end.weight:g} as strong")
    seen = f"{tip.features} features of this scan repeat as if the tip had {len(tip.ends) + 1} ends; the further at "
    text = f"Tip: {seen}{' and '.join(places)}"
    if not request.tips:
        advice = (
            "What they show is still in the repair; the box for it below Task, or restore --tips, takes it out first, "
            "which may help: compare"
        )
        return [Check("tip", f"{text}. {advice}", warns=True)]
    found = misfit(middle(mean), middle(case.raw), tip)

    def amount(value: float) -> str:
        name, factor = shown_unit(value, channel.unit)
        return f"{float(f'{value * factor:.2g}'):g} {name}".rstrip()

    text += (
        ". What they show was taken out before the repair; which end is the main one cannot be told from one scan. "
        f"Misfit after the estimated tip is applied again: {amount(found.again)} "
        f"(noise {amount(found.noise)}; without the further ends {amount(found.plain)})"
    )
    return [Check("tip", text, warns=found.again > found.plain)]


def _with_data(channel: Channel, data: FloatArray) -> Channel:
    """The channel with other data."""
    return Channel(channel.name, channel.unit, data, channel.direction, channel.role)
