"""One restoration from scan to result: the only way that window, batch and command line restore."""

import platform
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import scipy

import stmviewer
from stmviewer.files import file_sha256
from stmviewer.restore import library, row_waves
from stmviewer.restore.case import Case, prepare
from stmviewer.restore.checking import Findings, check_result, check_sparse, memory_check, tip_facts
from stmviewer.restore.choice import Choice, Mixing
from stmviewer.restore.classical import CLASSICAL, ROWS
from stmviewer.restore.false_heights import FalseHeights, find_false_heights
from stmviewer.restore.info import ModelInfo
from stmviewer.restore.normalise import Normalisation, normalisation
from stmviewer.restore.problem import Answer, Options, Problem, Restorer
from stmviewer.restore.request import Device, RestoreRequest
from stmviewer.restore.restoration import HiddenScore, Restoration
from stmviewer.restore.selfcheck import Shower
from stmviewer.restore.tips import Tip, find_tip, removed
from stmviewer.scan import BoolArray, Channel, FileError, FloatArray, Geometry, Mask, Progress, Scan
from stmviewer.scan.levelling import row_offsets
from stmviewer.scan.metrics import compare
from stmviewer.scan.processing.scans import processed

#: width of the low-frequency consistency step (pixels)
_CONSISTENCY_SIGMA = 1.25
_LEAST_WEIGHT = 0.05

#: gives the restorer of a model on a device, and the hash of its weights
Loader = Callable[[ModelInfo, Device], tuple[Restorer, str]]


def restore(scan: Scan, request: RestoreRequest, progress: Progress, load: Loader = library.load) -> Restoration:
    """Restores one channel of `scan` as asked, with methods that `load` gives.

    Raises RequestError or FileError when that is not possible, Cancelled when the user stops it.
    """
    begun = time.monotonic()
    channel = scan.channel(request.channel, request.direction)
    info = library.resolve(request.model, request.task)
    if request.process:
        scan, channel = processed(scan, channel, request.history, progress.part(0.1, "Processing"))
    case = prepare(scan, channel, request)
    progress.part(0.05, "Loading the model")
    methods = _Methods(request, load)
    if info.name != library.AUTO.name:
        methods.load(info.name)
    methods.heights = _heights(case, info, request)
    methods.rows = _rows(case, info, request)
    methods.tip = _tip(case, info, request, channel.unit, progress.part(0.05, "Looking for tip ends"))
    choice, self_check = check_sparse(
        case, info, request, channel.unit, methods.shown, methods.rows is not None, progress.part(0.3), methods.fault
    )
    answer = _mixture(case, choice, methods, progress.part(0.75))
    residual = case.residual(answer.mean)
    progress.check()
    mean, deviation = _trust(case, answer, request, info)
    smaller_tile = answer.smaller_tile
    del answer  # what comes now needs the memory
    scores = _scores(case, mean, info, methods, progress.part(0.4, "Scoring"))
    used = [methods.load(name)[0].info for name in choice.weights]
    findings = check_result(
        scan, channel, case, mean, used, choice, self_check, request, scores, methods, progress.part(1.0)
    )
    if smaller_tile is not None:
        findings = replace(findings, checks=(*findings.checks, memory_check(smaller_tile)))
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
        warnings=_warnings(case, scores, info, findings),
        checks=findings.checks,
    )
    facts = _provenance(scan, result, info, methods, choice, findings, smaller_tile, time.monotonic() - begun)
    return Restoration(**{**vars(result), "provenance": facts})


def shower(case: Case, request: RestoreRequest, load: Loader = library.load) -> tuple[Shower, bool]:
    """What `restore` would show of a sparse case, or of a part of it, by one method, for those who want several of it.

    And whether dimer rows are followed through its gaps.
    """
    methods = _Methods(request, load)
    methods.rows = _rows(case, library.resolve(request.model, request.task), request)
    return methods.shown, methods.rows is not None


class _Methods:
    """The methods of one request, loaded when they are first needed."""

    def __init__(self, request: RestoreRequest, load: Loader) -> None:
        self.request = request
        self._load = load
        self._loaded: dict[str, tuple[Restorer, str]] = {}
        #: linear interpolation of the case itself, which is a part of mixtures and the baseline of scores
        self.linear: FloatArray | None = None
        #: what was found of the tip; None where nobody looked
        self.tip: Tip | None = None
        #: what is taken out before a network repairs the scan
        self.heights = FalseHeights()
        #: dimer rows that the gaps of a sparse scan are too wide for
        self.rows: row_waves.Rows | None = None
        self._waves: tuple[Case, row_waves.RowWaves | None] | None = None

    def load(self, name: str) -> tuple[Restorer, str]:
        """The restorer of that name and the hash of its weights."""
        if name not in self._loaded:
            info = library.resolve(name, self.request.task)
            self._loaded[name] = self._load(info, self.request.device)
        return self._loaded[name]

    def fault(self, name: str) -> str:
        """Why a model cannot be used; nothing where it can."""
        try:
            self.load(name)
        except FileError as error:
            return str(error)
        return ""

    def shown(self, case: Case, name: str, progress: Progress) -> FloatArray:
        """What would be shown of `case` by that method; of several samples two are drawn."""
        request = self.request.replaced(samples=min(self.request.samples, 2))
        restorer = self.load(name)[0]
        answer = _run(case, restorer, request, progress, waves=self.waves(case, restorer.info))
        return _trust(case, answer, request, restorer.info)[0]

    def waves(self, case: Case, info: ModelInfo) -> row_waves.RowWaves | None:
        """The dimer rows of `case` where that method is to leave them out: networks and `dimer-rows`."""
        if self.rows is None or not (info.learned or info.name == ROWS):
            return None
        if self._waves is None or self._waves[0] is not case:  # several methods see one case after the other
            self._waves = case, row_waves.fit(self.rows, case)
        return self._waves[1]

    def repaired(self, channel: Channel, name: str, progress: Progress) -> FloatArray:
        """The repair of another channel by that method."""
        frame = Geometry.of_pixels(*channel.data.shape)
        case = Case(channel.data, Mask(channel.measured, "as measured"), frame)
        restorer = self.load(name)[0]
        heights = _heights(case, restorer.info, self.request)
        return _run(case, restorer, self.request, progress, self.tip, heights).mean


def _heights(case: Case, info: ModelInfo, request: RestoreRequest) -> FalseHeights:
    """The jumps and the bow to take out before a network repairs: classical methods do what they always did."""
    if request.task != "repair" or not info.learned:
        return FalseHeights()
    return find_false_heights(case.guess())


def _rows(case: Case, info: ModelInfo, request: RestoreRequest) -> row_waves.Rows | None:
    """The dimer rows to follow through the gaps: other classical methods do what they always did."""
    if request.task != "sparse" or not (info.learned or info.name in (ROWS, library.AUTO.name)):
        return None
    return row_waves.find(case)


def _tip(case: Case, info: ModelInfo, request: RestoreRequest, unit: str, progress: Progress) -> Tip | None:
    """The further ends of the tip, where a network is to repair: classical methods do what they always did.

    They are looked for also where they are not to be taken out: the user should know of them.
    """
    if request.task != "repair" or not info.learned or not (request.tips or request.check):
        return None
    pixel_m = case.geometry.pixel_width if case.geometry.calibrated else None
    return find_tip(case.guess(), unit, progress, pixel_m)


def _mixture(case: Case, choice: Choice, methods: _Methods, progress: Progress) -> Answer:
    """The image of the chosen methods, before measured pixels are put back, and what it says of its error."""
    if len(choice.weights) == 1:
        (name,) = choice.weights
        restorer = methods.load(name)[0]
        waves = methods.waves(case, restorer.info)
        return _run(case, restorer, methods.request, progress, methods.tip, methods.heights, waves)
    mixing = Mixing()
    tiles = []
    for name, weight in choice.weights.items():
        restorer = methods.load(name)[0]
        part = progress.part(1 / len(choice.weights))
        one = _run(case, restorer, methods.request, part, waves=methods.waves(case, restorer.info))
        if name == "linear":
            methods.linear = one.mean
        mixing.add(weight, one.mean, one.deviation)
        tiles.append(one.smaller_tile)
        del one
    return Answer(mixing.mean, mixing.deviation, min((t for t in tiles if t is not None), default=None))


def _run(
    case: Case,
    restorer: Restorer,
    request: RestoreRequest,
    progress: Progress,
    tip: Tip | None = None,
    heights: FalseHeights | None = None,
    waves: row_waves.RowWaves | None = None,
) -> Answer:
    """Normalises, restores, and undoes the normalisation; before measured pixels are put back."""
    if waves is not None:
        case = waves.left_out(case)
    data = case.guess()
    if heights is not None:
        data = heights.without(data)
    if tip is not None and request.tips:
        data = removed(data, tip)
    progress.check()  # each of these takes seconds on 4096 x 4096 pixels
    learned, measured = restorer.info.learned, case.mask.measured
    offsets = None
    if request.task == "repair" and (learned or request.align_rows):
        offsets = row_offsets(data, measured)[:, None]
        if request.align_rows:
            data -= offsets
    progress.check()
    scale = normalisation(data, measured)
    # interpolation of an image less its background, and the background added again, is no interpolation
    scale = scale if learned else Normalisation(scale.plane, scale.half_range, scale.tilt)
    progress.check()
    pixel_m = case.geometry.pixel_width if case.geometry.calibrated else None
    # networks compute in float32 at most, and they alone look at a sharper guess; it is made when the first one has
    # gone into float32, since large scans fit into memory few times
    image = scale.forward(data, np.float32 if learned else np.float64)
    guess: FloatArray | None = None
    if learned:
        if request.task == "sparse":
            del data
            data = case.sharp_guess()
        elif offsets is not None and not request.align_rows:
            data -= offsets
        guess = scale.forward(data, np.float32)
    del data
    problem = Problem(image, measured, request.task, guess, pixel_m)
    options = Options(request.steps, request.samples, request.seed, request.tile, request.device)
    answer: Answer = restorer.restore(problem, options, progress)
    del problem, image, guess
    deviation = answer.deviation
    if deviation is not None:
        deviation = np.multiply(deviation, scale.half_range, dtype=np.float64)
    mean = scale.back(answer.mean)
    if waves is not None:
        waves.add_to(mean)
    return Answer(mean, deviation, answer.smaller_tile)


def _trust(
    case: Case, answer: Answer, request: RestoreRequest, info: ModelInfo
) -> tuple[FloatArray, FloatArray | None]:
    """What is shown, as far as the request trusts the measurement; the arrays of `answer` are used up for it."""
    image, deviation = answer.mean, answer.deviation
    if request.task == "repair":
        return image, deviation
    # a posterior mean has weighed the noise of the measurement already: agreement lost it 0.01 to 0.04 SSIM on real
    # scans, while samples of a flow gained up to 0.01
    if request.trust == "consistent" or info.samples:
        image = consistent(image, case.residual(image), case.mask.measured)
    if request.trust == "keep":
        if case.placement is None or case.placement.exact:
            np.copyto(image, case.raw, where=case.mask.measured)
        else:  # lines between rows: agreement where the lines lie, not on the rows next to them
            image = np.where(case.mask.measured, image - np.nan_to_num(case.residual(image)), image)
        if deviation is not None:
            np.copyto(deviation, 0.0, where=case.mask.measured)
    return image, deviation


def consistent(image: FloatArray, residual: FloatArray, measured: BoolArray) -> FloatArray:
    """p + G((f - p) m) / max(G(m), 1/20): agreement with the measurement at low frequency, its noise not imported.

    p is the prediction, f the measurement (`residual` is p - f where measured), m the mask, G a Gaussian of 1.25
    pixels. Away from measured pixels, where G(m) is small, the correction fades out.
    """
    from scipy.ndimage import gaussian_filter

    weight = gaussian_filter(measured.astype(np.float64), _CONSISTENCY_SIGMA)
    np.maximum(weight, _LEAST_WEIGHT, out=weight)
    result: FloatArray = np.where(measured, -residual, 0.0)
    result[~np.isfinite(result)] = 0.0
    gaussian_filter(result, _CONSISTENCY_SIGMA, output=result)
    result /= weight
    result += image
    return result


def _scores(
    case: Case, mean: FloatArray, info: ModelInfo, methods: _Methods, progress: Progress
) -> tuple[HiddenScore, ...]:
    """The model and linear interpolation against what was hidden; nothing when nothing was."""
    if case.truth is None:
        return ()
    truth, hidden = case.truth, ~case.mask.measured

    def score(name: str, image: FloatArray) -> HiddenScore:
        progress.check()
        q = compare(image, truth, hidden)
        return HiddenScore(name, q.ssim, q.psnr_db, q.ssim_hidden, q.psnr_hidden_db, q.mae_hidden)

    scores = [score(info.name, mean)]
    if info.name != "linear":
        known, methods.linear = methods.linear, None  # not needed any more afterwards
        if known is None:
            known = _run(case, CLASSICAL["linear"], methods.request, progress).mean
        scores.append(score("linear", known))
    return tuple(scores)


def _warnings(case: Case, scores: tuple[HiddenScore, ...], info: ModelInfo, findings: Findings) -> tuple[str, ...]:
    found = [check.text for check in findings.checks if check.warns]
    if len(scores) > 1 and scores[1].beats(scores[0]):
        advice = "" if info.name == library.AUTO.name else ": do not use this model on such scans"
        found.append(
            f"On the hidden pixels linear interpolation is better than {scores[0].method} (SSIM "
            f"{scores[1].ssim_hidden:.3f} against {scores[0].ssim_hidden:.3f}){advice}"
        )
    if case.placement is not None and not case.placement.exact:
        found.append("The lines do not lie on rows of square pixels; each is up to half a pixel off and compared there")
    return tuple(found)


def _provenance(
    scan: Scan,
    result: Restoration,
    info: ModelInfo,
    methods: _Methods,
    choice: Choice,
    findings: Findings,
    smaller_tile: int | None,
    seconds: float,
) -> dict[str, Any]:
    request = result.request
    used = [methods.load(name) for name in choice.weights]
    networks = [restorer for restorer, _ in used if restorer.info.learned]
    device = str(getattr(networks[0], "device", "cpu")) if networks else "cpu"
    licences = list(dict.fromkeys(r.info.licence for r in networks)) or [info.licence]
    versions = {"stmviewer": stmviewer.__version__, "numpy": np.__version__, "scipy": scipy.__version__}
    if networks:
        import torch

        versions["torch"] = torch.__version__
    return {
        "file": scan.name,
        "file_sha256": file_sha256(scan.path) if scan.path and scan.path.is_file() else "",
        **scan.origin(),
        "channel": result.channel.name,
        "direction": result.channel.direction,
        "steps": request.history.completed().to_list(),
        "task": request.task,
        "request": vars(request).copy(),
        "model": info.name,
        "model_sha256": ", ".join(sha256 for _, sha256 in used if sha256),
        "model_licence": ", ".join(licences),
        "methods": [
            {"name": r.info.name, "weight": round(choice.weights[r.info.name], 6), "sha256": sha256}
            for r, sha256 in used
        ],
        "choice": choice.reason,
        "choice_evidence": {
            **vars(choice.evidence),
            "networks": choice.networks,
            "classical": choice.classical,
        }
        if choice.evidence
        else None,
        "false_heights": methods.heights.facts(),
        "rows": methods.rows.facts() if methods.rows else None,
        "tip": tip_facts(methods.tip, result.geometry) if methods.tip else None,
        "self_check": findings.self_check.to_json() if findings.self_check else None,
        "checks": [vars(c).copy() for c in findings.checks],
        "mask": result.mask.pattern,
        "measured_fraction": result.mask.fraction,
        "residual_rms": result.residual_rms,
        "unit": result.unit,
        "scores": [vars(s).copy() for s in result.scores],
        "warnings": list(result.warnings),
        "device": device,
        "smaller_tile": smaller_tile,
        "precision": str(getattr(networks[0], "precision", "float64")) if networks else "float64",
        "versions": versions,
        "platform": platform.platform(terse=True),
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 3),
    }
