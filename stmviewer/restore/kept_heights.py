"""Whether a repair keeps the heights of the scan. Networks flatten what they are not sure of; and faults raise what a
scan shows. Which of both it is cannot be told from the scan, only that heights are not sure."""

import numpy as np

from stmviewer.restore.case import Case
from stmviewer.restore.checks import Check
from stmviewer.restore.normalise import normalisation
from stmviewer.restore.selfcheck import window
from stmviewer.scan import FloatArray

#: from these ratios on the user should know of it
_FLATTENED, _RAISED = 1.25, 0.8
#: what they share must be so much of the scan (correlation): else nothing tells
_SHARED = 0.5


def height_checks(case: Case, mean: FloatArray) -> list[Check]:
    """What the user should know of the heights in the repair `mean` (rows, columns) of a case."""
    ratio = height_ratio(case, mean)
    if ratio is None or _RAISED < ratio < _FLATTENED:
        return []
    done, fault = ("flattens", "raised") if ratio > 1 else ("raises", "flattened")
    text = (
        f"What the scan and the repair share is {ratio:.2g} times as high in the scan: the repair {done} it, or a "
        f"fault of the scan {fault} it. Heights of neither are sure"
    )
    return [Check("heights", text, warns=True)]


def height_ratio(case: Case, mean: FloatArray) -> float | None:
    """How many times as high what scan and repair share is in the scan: least squares of the detail of the scan by that
    of the repair, which noise and faults that were taken out do not change. None where they share little."""
    part = window(case)
    rows, columns = part.raw.shape
    top, left = ((n - m) // 2 for n, m in zip(mean.shape, part.raw.shape, strict=True))
    measured = part.mask.measured
    scan, repair = (_detail(image) for image in (part.guess(), mean[top : top + rows, left : left + columns]))
    scan, repair = scan[measured], repair[measured]
    shared, of_repair, of_scan = float(scan @ repair), float(repair @ repair), float(scan @ scan)
    if not shared > _SHARED * np.sqrt(of_repair * of_scan):
        return None
    return shared / of_repair


def _detail(image: FloatArray) -> FloatArray:
    """Without slow background and offsets of lines, in the unit of the image."""
    scale = normalisation(image, np.ones(image.shape, dtype=np.bool_))
    detail = scale.half_range * scale.forward(image)
    result: FloatArray = detail - np.median(detail, axis=1, keepdims=True)
    return result
