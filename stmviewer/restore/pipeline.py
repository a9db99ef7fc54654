"""One restoration from scan to result: the only way that window, batch and command line restore."""

import time
from dataclasses import replace

from stmviewer.restore import library
from stmviewer.restore.account import hidden_scores, provenance_of, warnings_of
from stmviewer.restore.case import Case, prepare
from stmviewer.restore.checking import check_result, check_sparse, memory_check
from stmviewer.restore.consistency import trusted
from stmviewer.restore.methods import Loader, Methods, mixture
from stmviewer.restore.patterns import pattern_of
from stmviewer.restore.request import RestoreRequest
from stmviewer.restore.restoration import Restoration
from stmviewer.restore.selfcheck import Shower
from stmviewer.restore.taken_out import heights_of, tip_of
from stmviewer.restore.whole_lines import WholeLines, with_whole_lines
from stmviewer.scan import Progress, Scan
from stmviewer.scan.processing.scans import processed


def restore(scan: Scan, request: RestoreRequest, progress: Progress, load: Loader = library.load) -> Restoration:
    """Restores one channel of `scan` as asked, with methods that `load` gives.

    Raises RequestError or FileError when that is not possible, Cancelled when the user stops it.
    """
    begun = time.monotonic()
    channel = scan.channel(request.channel, request.direction)
    methods = Methods(request, load)
    info, left_out = methods.first()
    if request.process:
        scan, channel = processed(scan, channel, request.history, progress.part(0.1, "Processing"))
    case = prepare(scan, channel, request)
    whole = with_whole_lines(case) if request.task == "sparse" else WholeLines(case)
    given = whole.case  # what methods see; what was measured is put back, and told of, from the case itself
    progress.part(0.05, "Loading the model")
    if info.name != library.AUTO.name:
        methods.load(info.name)
    methods.heights = heights_of(case, info, request)
    methods.pattern = pattern_of(given, info, request, progress)
    methods.tip = tip_of(case, info, request, channel.unit, progress.part(0.05, "Looking for tip ends"))
    followed = None if methods.pattern is None else methods.pattern.method
    choice, self_check = check_sparse(
        given, info, request, channel.unit, methods.shown, followed, progress.part(0.3), methods.fault
    )
    choice = replace(choice, left_out=(*left_out, *choice.left_out))
    answer = mixture(given, choice, methods, progress.part(0.75))
    residual = case.residual(answer.mean)
    if answer.deviation is not None:
        whole.doubtful(answer.deviation)
    progress.check()
    mean, deviation = trusted(case, answer, request, info)
    smaller_tile = answer.smaller_tile
    del answer  # what comes now needs the memory
    scores = hidden_scores(case, given, mean, info, methods, progress.part(0.4, "Scoring"))
    used = [methods.load(name)[0].info for name in choice.weights]
    findings = check_result(
        scan, channel, given, mean, used, choice, self_check, request, scores, methods, progress.part(1.0)
    )
    further = [] if smaller_tile is None else [memory_check(smaller_tile)]
    findings = replace(findings, checks=(*findings.checks, *whole.checks(), *further))
    progress.check()
    for image in (case.raw, mean, deviation, residual):
        if image is not None:
            image.flags.writeable = False  # channels share them then
    result = Restoration(
        raw=case.raw,
        mask=case.mask,
        mean=mean,
        deviation=deviation,
        residual=residual,
        geometry=case.geometry,
        unit=channel.unit,
        channel=channel,
        request=request,
        model=info.name,
        truth=case.truth,
        scores=scores,
        warnings=warnings_of(case, scores, info, findings),
        checks=findings.checks,
    )
    facts = provenance_of(scan, result, info, methods, choice, findings, smaller_tile, time.monotonic() - begun)
    return Restoration(**{**vars(result), "provenance": facts})


def shower(
    case: Case, request: RestoreRequest, progress: Progress, load: Loader = library.load
) -> tuple[Shower, str | None]:
    """What `restore` would show of a sparse case, or of a part of it, by one method, for those who want several of it.

    And the method that follows a pattern through its gaps, where one was found.
    """
    methods = Methods(request, load)
    methods.pattern = pattern_of(case, library.resolve(request.model, request.task), request, progress)
    return methods.shown, None if methods.pattern is None else methods.pattern.method
