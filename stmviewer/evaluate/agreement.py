"""What SSIM does not tell of an image beside its truth: power spectrum, lattice, and the honesty of a deviation map.

Radial power spectrum ratio: with P(b) the power in ring b of the two-dimensional spectrum (Hann window; rings of half
an octave from 1/32 to 1/2 cycle a pixel, `scan.marks.BAND_EDGES`),

    R(b) = P_image(b) / P_truth(b),        spectrum error = sqrt(<log10(R(b))^2>)

R under 1 at high frequencies is blur, over 1 is noise; the error is 0 for equal spectra and 1 for a factor of ten.

Lattice peak agreement: K are the lattice peaks that either image has (`restore.lattice_check`), A the amplitude there:

    agreement = 1 - sum_K |A_image - A_truth| / sum_K (A_image + A_truth)

(the similarity of Bray and Curtis, Ecol. Monogr. 27, 325 (1957)): 1 for the same periods equally strong, 0 for none in
common. Phases do not enter; SSIM sees them.

Coverage: how often the truth lies within 1 and 2 deviations of the restored value. Of normal errors 68.3 and 95.4 %
do; less is overconfidence, more is caution.
"""

from dataclasses import dataclass

import numpy as np

from stmviewer.restore.lattice_check import waves
from stmviewer.scan import BoolArray, FloatArray
from stmviewer.scan.levelling import fit_plane
from stmviewer.scan.marks import BAND_EDGES


@dataclass(frozen=True)
class Lattice:
    """`agreement` in [0, 1], NaN where neither image has a peak; how many peaks of the truth the image has (at half
    their amplitude or more), how many there are, and how many peaks of the image the truth has not."""

    agreement: float
    found: int
    there: int
    invented: int


def radial_power(image: FloatArray) -> FloatArray:
    """Power in rings of the spectrum, (bands,), in squared units of the image; NaN for rings without a bin."""
    rows, columns = image.shape
    z = (image - image.mean()) * np.hanning(rows)[:, None] * np.hanning(columns)[None, :]
    power = np.abs(np.fft.fft2(z)) ** 2 / image.size**2
    radius = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.fftfreq(columns)[None, :])
    band = np.searchsorted(BAND_EDGES, radius.ravel(), side="right") - 1
    band[np.isclose(radius.ravel(), BAND_EDGES[-1])] = len(BAND_EDGES) - 2
    inside = (band >= 0) & (band < len(BAND_EDGES) - 1)
    total = np.bincount(band[inside], power.ravel()[inside], minlength=len(BAND_EDGES) - 1)
    there = np.bincount(band[inside], minlength=len(BAND_EDGES) - 1) > 0
    return np.where(there, total, np.nan)


def spectrum_ratio(image: FloatArray, truth: FloatArray) -> FloatArray:
    """R(b) of the equation above, (bands,), each less its plane; NaN where there is nothing to compare."""
    above, below = (radial_power(z - fit_plane(z)) for z in (image, truth))
    # what is nothing but rounding has no ratio
    least = 1e-24 * np.nansum(below)
    known = (above > least) & (below > least)
    return np.where(known, above / np.where(known, below, 1.0), np.nan)


def spectrum_error(ratio: FloatArray) -> float:
    """Root mean square of log10 R over the bands that have one."""
    known = ratio[np.isfinite(ratio)]
    return float(np.sqrt(np.mean(np.log10(known) ** 2))) if known.size else float("nan")


def lattice_agreement(image: FloatArray, truth: FloatArray) -> Lattice:
    """How alike the lattice peaks of two images (rows, columns) without NaN are."""
    (shown, peaks), (true, wanted) = waves(image), waves(truth)

    def near(k: tuple[int, int], others: list[tuple[int, int]]) -> bool:
        return any(abs(k[0] - o[0]) <= 1 and abs(k[1] - o[1]) <= 1 for o in others)

    invented = [k for k in peaks if not near(k, wanted)]
    found = sum(shown[k] >= 0.5 * true[k] for k in wanted)
    a, b = (np.array([amplitude[k] for k in [*wanted, *invented]]) for amplitude in (shown, true))
    total = float((a + b).sum())
    agreement = 1 - float(np.abs(a - b).sum()) / total if total > 0 else float("nan")
    return Lattice(agreement, int(found), len(wanted), len(invented))


def coverage(image: FloatArray, truth: FloatArray, deviation: FloatArray, where: BoolArray) -> tuple[float, float]:
    """The shares of the pixels `where` at which the truth lies within 1 and 2 deviations; NaN where there are none."""
    known = where & np.isfinite(truth) & np.isfinite(deviation)
    if not known.any():
        return float("nan"), float("nan")
    error = np.abs(image - truth)[known]
    one, two = (float(np.mean(error <= k * deviation[known])) for k in (1, 2))
    return one, two
