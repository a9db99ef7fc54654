"""What a microscopist would count in an image: dark and bright spots (missing dimers, dangling bonds, adsorbates), and
edges (steps, borders of islands). A restoration should keep those that are there and add none.

Both detectors work on scales of the lattice's period p (px) and with thresholds taken from the good image, so that the
image that is judged, in the same contrast, meets the same ones. What counts as there must be clear (`STRONG` robust
standard deviations), what counts as found again need not be (`WEAK`): a landmark at the threshold is no failure.
"""

from dataclasses import dataclass

import numpy as np

from stmviewer.scan import BoolArray, FloatArray

STRONG, WEAK = 4.0, 2.5
#: how far (in p) a landmark may lie off
TOLERANCE = 0.75
#: widths (in p) of the Gaussians whose difference finds spots; the narrower leaves a sixth of the rows of the lattice,
#: which is part of the spread that thresholds are in
_SPOT = (0.3, 1.0)
#: width (in p) of the Gaussian before the gradient, and the shortest edge
_EDGE, _EDGE_LENGTH = 0.7, 4.0
#: nothing is looked for so near (in p) to the border
_BORDER = 0.5
_MAD = 1.4826
#: the smallest standard deviation that is believed, as a part of that of the image itself
_LEAST = 0.1


@dataclass(frozen=True)
class Count:
    """Landmarks of the good image (`there`), how many of them were found again, and how many `false` ones were added.

    Spots are counted one by one, edges by their pixels.
    """

    there: int = 0
    found: int = 0
    false: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(self.there + other.there, self.found + other.found, self.false + other.false)

    @property
    def recall(self) -> float:
        return self.found / self.there if self.there else float("nan")

    @property
    def false_share(self) -> float:
        """False ones for each that is there."""
        return self.false / self.there if self.there else float("nan")


def compare_spots(image: FloatArray, truth: FloatArray, period: float) -> Count:
    """Dark and bright spots of `truth` in `image`, both (rows, columns) in one contrast."""
    mine, theirs = _spot_response(image, period), _spot_response(truth, period)
    # in a clean image the hollow around a bright spot would count: no less than a part of the corrugation
    spread = max(_spread(theirs), _LEAST * _spread(truth))
    if spread == 0:
        return Count()
    there, found = _peaks(theirs, STRONG * spread, period), _peaks(mine, WEAK * spread, period)
    clear, maybe = _peaks(mine, STRONG * spread, period), _peaks(theirs, WEAK * spread, period)
    reach = TOLERANCE * period
    hits = sum(_near(spot, found, reach) for spot in there)
    false = sum(not _near(spot, maybe, reach) for spot in clear)
    return Count(len(there), hits, false)


def _spot_response(image: FloatArray, period: float) -> FloatArray:
    from scipy.ndimage import gaussian_filter

    narrow, wide = (gaussian_filter(image, s * period, mode="nearest") for s in _SPOT)
    result: FloatArray = narrow - wide
    return result


def _spread(values: FloatArray) -> float:
    return float(_MAD * np.median(np.abs(values - np.median(values))))


def _peaks(response: FloatArray, threshold: float, period: float) -> FloatArray:
    """Row, column and sign of each extremum beyond the threshold, (n, 3); none at the border."""
    from scipy.ndimage import maximum_filter

    size = np.abs(response)
    width = 2 * round(0.5 * period) + 1
    peak = (size == maximum_filter(size, width)) & (size > threshold)
    border = max(round(_BORDER * period), 1)
    inside = np.zeros_like(peak)
    inside[border:-border, border:-border] = True
    rows, columns = np.nonzero(peak & inside)
    return np.stack([rows, columns, np.sign(response[rows, columns])], axis=1).astype(np.float64)


def _near(spot: FloatArray, others: FloatArray, reach: float) -> bool:
    alike = others[others[:, 2] == spot[2]]
    return bool(len(alike) and np.hypot(*(alike[:, :2] - spot[:2]).T).min() <= reach)


def compare_edges(image: FloatArray, truth: FloatArray, period: float) -> Count:
    """Pixels of the edges of `truth` that lie on edges of `image`, and the other way round.

    Edges: Canny, IEEE Trans. Pattern Anal. Mach. Intell. 8, 679 (1986).
    """
    from scipy.ndimage import distance_transform_edt, gaussian_filter, sobel

    smooth = gaussian_filter(truth, _EDGE * period, mode="nearest")
    slope = np.hypot(sobel(smooth, 0), sobel(smooth, 1))
    # the median of a Rayleigh distribution is 1.18 standard deviations
    spread = float(np.median(slope)) / 1.1774
    if spread == 0:
        return Count()
    edges = [_edges(x, period, WEAK * spread, high * spread) for high in (STRONG, WEAK) for x in (truth, image)]
    there, clear, maybe, found = edges
    reach = TOLERANCE * period

    def near(edge: BoolArray) -> BoolArray:
        within: BoolArray = distance_transform_edt(~edge) <= reach if edge.any() else np.zeros_like(edge)
        return within

    return Count(int(there.sum()), int((there & near(found)).sum()), int((clear & ~near(maybe)).sum()))


def _edges(image: FloatArray, period: float, low: float, high: float) -> BoolArray:
    from scipy.ndimage import label
    from skimage.feature import canny

    edge = canny(image, sigma=_EDGE * period, low_threshold=low, high_threshold=high, mode="nearest")
    border = max(round(_BORDER * period), 1)
    edge[:border], edge[-border:], edge[:, :border], edge[:, -border:] = False, False, False, False
    pieces, count = label(edge, np.ones((3, 3)))
    if not count:
        return np.asarray(edge, dtype=np.bool_)
    long = np.bincount(pieces.ravel()) >= _EDGE_LENGTH * period
    long[0] = False
    result: BoolArray = long[pieces]
    return result
