"""One restoration from scan to result: the only way that window, batch and command line restore."""

import platform
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import scipy

import stmviewer
from stmviewer.files import file_sha256
from stmviewer.restore import library
from stmviewer.restore.case import Case, prepare
from stmviewer.restore.classical import CLASSICAL
from stmviewer.restore.info import ModelInfo
from stmviewer.restore.normalise import normalisation
from stmviewer.restore.problem import Answer, Options, Problem, Restorer
from stmviewer.restore.request import RestoreRequest
from stmviewer.restore.restoration import HiddenScore, Restoration
from stmviewer.scan import BoolArray, FloatArray, Progress, Scan
from stmviewer.scan.levelling import row_offsets
from stmviewer.scan.metrics import compare

#: width of the low-frequency consistency step (pixels)
_CONSISTENCY_SIGMA = 1.25
_LEAST_WEIGHT = 0.05


def restore(scan: Scan, request: RestoreRequest, progress: Progress) -> Restoration:
    """Restores one channel of `scan` as asked.

    Raises RequestError or FileError when that is not possible, Cancelled when the user stops it.
    """
    begun = time.monotonic()
    channel = scan.channel(request.channel, request.direction)
    info = library.resolve(request.model, request.task)
    case = prepare(scan, channel, request)
    progress.part(0.05, "Loading the model")
    restorer, weights = library.load(info, request.device)
    image, deviation = _run(case, restorer, request, progress.part(0.85))
    residual = case.residual(image)
    mean, deviation = _trust(case, image, deviation, request, info)
    scores = _scores(case, mean, info, request, progress.part(0.1, "Scoring"))
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
        warnings=_warnings(case, scores, info),
    )
    facts = _provenance(scan, result, info, weights, restorer, time.monotonic() - begun)
    return Restoration(**{**vars(result), "provenance": facts})


def _run(
    case: Case, restorer: Restorer, request: RestoreRequest, progress: Progress
) -> tuple[FloatArray, FloatArray | None]:
    """Normalises, restores, and undoes the normalisation; before measured pixels are put back."""
    data = case.guess()
    sharp = case.sharp_guess() if request.task == "sparse" else data - row_offsets(data, case.mask.measured)[:, None]
    if request.task == "repair" and request.align_rows:
        data = sharp
    scale = normalisation(data, case.mask.measured)
    if not restorer.info.learned:
        # interpolation of an image less its background, and the background added again, is no interpolation
        scale = replace(scale, background=scale.plane)
    progress.check()
    pixel_m = case.geometry.pixel_width if case.geometry.calibrated else None
    problem = Problem(scale.forward(data), case.mask.measured, request.task, scale.forward(sharp), pixel_m)
    options = Options(request.steps, request.samples, request.seed, request.tile, request.device)
    answer: Answer = restorer.restore(problem, options, progress)
    deviation = None if answer.deviation is None else answer.deviation * scale.half_range
    return scale.back(answer.mean), deviation


def _trust(
    case: Case, image: FloatArray, deviation: FloatArray | None, request: RestoreRequest, info: ModelInfo
) -> tuple[FloatArray, FloatArray | None]:
    """What is shown, as far as the request trusts the measurement."""
    if request.task == "repair":
        return image, deviation
    # a posterior mean has weighed the noise of the measurement already: agreement lost it 0.01 to 0.04 SSIM on real
    # scans, while samples of a flow gained up to 0.01
    if request.trust == "consistent" or info.samples:
        image = consistent(image, case.residual(image), case.mask.measured)
    if request.trust == "keep":
        if case.placement is None or case.placement.exact:
            image = np.where(case.mask.measured, case.raw, image)
        else:  # lines between rows: agreement where the lines lie, not on the rows next to them
            image = np.where(case.mask.measured, image - np.nan_to_num(case.residual(image)), image)
        deviation = None if deviation is None else np.where(case.mask.measured, 0.0, deviation)
    return image, deviation


def consistent(image: FloatArray, residual: FloatArray, measured: BoolArray) -> FloatArray:
    """p + G((f - p) m) / max(G(m), 1/20): agreement with the measurement at low frequency, its noise not imported.

    p is the prediction, f the measurement (`residual` is p - f where measured), m the mask, G a Gaussian of 1.25
    pixels. Away from measured pixels, where G(m) is small, the correction fades out.
    """
    from scipy.ndimage import gaussian_filter

    weight = gaussian_filter(measured.astype(np.float64), _CONSISTENCY_SIGMA)
    correction = gaussian_filter(np.where(measured, np.nan_to_num(-residual), 0.0), _CONSISTENCY_SIGMA)
    result: FloatArray = image + correction / np.maximum(weight, _LEAST_WEIGHT)
    return result


def _scores(
    case: Case, mean: FloatArray, info: ModelInfo, request: RestoreRequest, progress: Progress
) -> tuple[HiddenScore, ...]:
    """The model and linear interpolation against what was hidden; nothing when nothing was."""
    if case.truth is None:
        return ()
    images = {info.name: mean}
    if info.name != "linear":
        images["linear"] = _run(case, CLASSICAL["linear"], request, progress)[0]
    hidden = ~case.mask.measured
    scores = []
    for name, image in images.items():
        q = compare(image, case.truth, hidden)
        scores.append(HiddenScore(name, q.ssim, q.psnr_db, q.ssim_hidden, q.psnr_hidden_db, q.mae_hidden))
    return tuple(scores)


def _warnings(case: Case, scores: tuple[HiddenScore, ...], info: ModelInfo) -> tuple[str, ...]:
    found = []
    pixel = case.geometry.pixel_width
    if info.pixels_m and case.geometry.calibrated and not info.pixels_m[0] <= pixel <= info.pixels_m[1]:
        low, high = (1e9 * p for p in info.pixels_m)
        text = f"The model was trained on pixels of {low:.3g} to {high:.3g} nm; these are {1e9 * pixel:.3g} nm"
        if not scores:
            text += ": hide a part of a full scan (every 4th line) to see whether it can be trusted here"
        found.append(text)
    if len(scores) > 1 and scores[0].ssim_hidden < scores[1].ssim_hidden:
        found.append(
            f"On the hidden pixels linear interpolation is better than {scores[0].method} (SSIM "
            f"{scores[1].ssim_hidden:.3f} against {scores[0].ssim_hidden:.3f}): do not use this model on such scans"
        )
    if case.placement is not None and not case.placement.exact:
        found.append("The lines do not lie on rows of square pixels; each is up to half a pixel off and compared there")
    return tuple(found)


def _provenance(
    scan: Scan, result: Restoration, info: ModelInfo, weights: str, restorer: Restorer, seconds: float
) -> dict[str, Any]:
    request = result.request
    device = str(getattr(restorer, "device", "cpu"))
    versions = {"stmviewer": stmviewer.__version__, "numpy": np.__version__, "scipy": scipy.__version__}
    if info.learned:
        import torch

        versions["torch"] = torch.__version__
    return {
        "file": scan.name,
        "file_sha256": file_sha256(scan.path) if scan.path and scan.path.is_file() else "",
        **scan.origin(),
        "channel": result.channel.name,
        "direction": result.channel.direction,
        "task": request.task,
        "request": vars(request).copy(),
        "model": info.name,
        "model_sha256": weights,
        "model_licence": info.licence,
        "mask": result.mask.pattern,
        "measured_fraction": result.mask.fraction,
        "residual_rms": result.residual_rms,
        "unit": result.unit,
        "scores": [vars(s).copy() for s in result.scores],
        "warnings": list(result.warnings),
        "device": device,
        "precision": str(getattr(restorer, "precision", "float64")),
        "versions": versions,
        "platform": platform.platform(terse=True),
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 3),
    }
