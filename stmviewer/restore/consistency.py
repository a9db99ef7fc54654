"""What is shown where something was measured: the measurement, agreement with it, or the method's own word."""

import numpy as np

from stmviewer.restore.case import Case
from stmviewer.restore.info import ModelInfo
from stmviewer.restore.problem import Answer
from stmviewer.restore.request import RestoreRequest
from stmviewer.scan import BoolArray, FloatArray

#: width of the low-frequency consistency step (pixels)
_CONSISTENCY_SIGMA = 1.25
_LEAST_WEIGHT = 0.05


def trusted(
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
