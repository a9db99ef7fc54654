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
    from scipy.ndimage import maximum_filter1d

    # bytes, one axis after the other: sums over squares of a large scan would take a gigabyte
    seen = measured.astype(np.uint8)
    for axis in (0, 1):
        seen = maximum_filter1d(seen, 2 * reach + 1, axis=axis, mode="constant", cval=0)
    result: BoolArray = seen == 0
    return result
