"""Gaps so wide that nothing measured tells what is in them, such as the rest of a scan that was stopped."""

import numpy as np

from stmviewer.restore.checks import Check
from stmviewer.scan import BoolArray

#: pixels, and part of the shorter side, up to which what was measured tells of what was not
_REACH, _REACH_OF_SIDE = 8, 0.03
#: fewer pixels out of reach than this part of the image are not worth a word
_LEAST = 0.005


def gap_checks(measured: BoolArray) -> list[Check]:
    """What is said of an image with parts that lie out of reach of every measured pixel."""
    reach = max(_REACH, round(_REACH_OF_SIDE * min(measured.shape)))
    part = float(out_of_reach(measured, reach).mean())
    if part < _LEAST:
        return []
    text = (
        f"{100 * part:.2g} % of the image lies more than {reach} pixels from anything that was measured: what is drawn "
        "there is made up, and no check holds for it"
    )
    return [Check("gap", text, warns=True)]


def out_of_reach(measured: BoolArray, reach: int) -> BoolArray:
    """The pixels about which, `reach` to each side, nothing was measured; shape of `measured`."""
    counts = np.pad(measured, ((1, 0), (1, 0))).astype(np.int64).cumsum(axis=0).cumsum(axis=1)
    rows, columns = (np.arange(n) for n in measured.shape)
    top, bottom = np.maximum(rows - reach, 0), np.minimum(rows + reach + 1, len(rows))
    left, right = np.maximum(columns - reach, 0), np.minimum(columns + reach + 1, len(columns))
    upper, lower = counts[top], counts[bottom]
    inside = lower[:, right] - lower[:, left] - upper[:, right] + upper[:, left]
    result: BoolArray = inside == 0
    return result
