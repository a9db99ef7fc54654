"""What is not lattice: steps, adsorbates and vacancies, which a second tip end shows a second time."""

import numpy as np

from stmviewer.scan import FloatArray
from stmviewer.scan.levelling import fit_plane, row_offsets

#: share of the image that its margins fade out over
_FADE = 0.15
#: a Fourier component so far above its surroundings belongs to the lattice
_LATTICE = 5.0
#: surroundings (bins a side)
_AROUND = 15
#: longest waves that are looked at (pixels): terraces and slow background are no features
_LONGEST = 64.0


def levelled(image: FloatArray) -> FloatArray:
    """The image without plane and row offsets."""
    flat = image - fit_plane(image)
    result: FloatArray = flat - row_offsets(flat)[:, None]
    return result


def faded(shape: tuple[int, int]) -> FloatArray:
    """A window of ones that falls to zero at the margins (Tukey)."""
    from scipy.signal.windows import tukey

    window: FloatArray = np.outer(tukey(shape[0], 2 * _FADE), tukey(shape[1], 2 * _FADE))
    return window


def off_lattice(image: FloatArray) -> np.ndarray:
    """Weights 0 to 1 of the Fourier components (rfft2) of `image` that are no lattice and no slow background.

    A component of the lattice stands out of its neighbourhood; what is weighted is a function of the wave vector
    alone, so that features stay equal wherever they lie.
    """
    from scipy import fft, ndimage

    rows, columns = image.shape
    full = np.abs(fft.fft2((image - image.mean()) * faded(image.shape)))
    around = np.exp(ndimage.uniform_filter(np.log(full + max(1e-12 * full.max(), 1e-300)), _AROUND, mode="wrap"))
    lattice = full > _LATTICE * around
    ky, kx = fft.fftfreq(rows)[:, None], fft.fftfreq(columns)[None, :]
    lattice &= np.hypot(ky, kx) > 1.5 / min(_LONGEST, *image.shape)
    lattice = ndimage.binary_dilation(lattice, iterations=2)
    weight = 1 - ndimage.gaussian_filter(lattice.astype(np.float64), 0.7, mode="wrap")
    long = 1 - np.exp(-0.5 * (np.hypot(ky, kx) * _LONGEST / 2) ** 2)
    # features are some pixels wide: above a quarter of the sampling there is little but noise
    short = np.exp(-0.5 * (np.hypot(ky, kx) / 0.25) ** 2)
    return np.asarray((weight * long * short)[:, : columns // 2 + 1])
