"""Compressed sensing: the image that needs the fewest waves or wavelets to agree with what was measured.

    min over x of  1/2 |M (x - f)|^2 + |W Phi x|_1

with the mask M, the measurement f and an orthonormal transform Phi, solved by FISTA (Beck and Teboulle, SIAM J. Imaging
Sci. 2, 183, 2009) from the first guess. Sparse recovery from few measurements: Candes, Romberg, Tao, IEEE Trans. Inf.
Theory 52, 489, 2006; for scanning probe images: Oxvig et al., Ultramicroscopy 172, 1, 2017 (DCT); with wavelets as
inpainting: Fadili, Starck, Murtagh, The Computer Journal 52, 64, 2009.

The weights W are not those of the books. A regular mask cannot tell a wave from its aliases, and a plain l1 norm takes
either of them: short waves are made dearer than long ones, and fine wavelets than coarse ones, by the amplitude that
they have in images of surfaces. On scattered pixels that changes little.
"""

from collections.abc import Callable

import numpy as np

from stmviewer.restore.ranges import white_noise
from stmviewer.scan import BoolArray, FloatArray, Progress

#: iterations, at most; a scan of 512 x 512 takes a few seconds
_MOST = 60
#: iterations of a first guess for networks: within 0.001 SSIM of the end
_GUESS_MOST = 20
#: over when an iteration changes hidden pixels by less than this (root mean square, corrugation about 1)
_CHANGE = 1e-3
#: penalties as a share of the noise, the noise where a mask does not tell it, and what is believed of it
_DCT_SHARE, _WAVELET_SHARE = 0.15, 0.5
_USUAL_NOISE = 0.15
_NOISE_LIMITS = (0.05, 0.5)
#: waves longer than this (cycles a pixel) all cost the same, shorter ones in proportion to their frequency
_CORNER = 0.05
_WAVELET, _LEVELS = "sym8", 4
#: each level of wavelets costs this share of the next finer one
_COARSER = 0.5
_MARGIN = 16

#: what the penalty leaves of an image, in the iteration of that number
Shrink = Callable[[FloatArray, int], FloatArray]


def cs_dct(image: FloatArray, measured: BoolArray, progress: Progress) -> FloatArray:
    """Sparse in waves: the discrete cosine transform of the whole image. Lattices are a few of them."""
    return _in_waves(image, measured, _MOST, progress)


def waves_guess(image: FloatArray, measured: BoolArray, progress: Progress) -> FloatArray:
    """`cs_dct` after a third of its iterations, in the precision of `image`: what networks start from.

    On scattered pixels it is nearer than averages are (real H:Si(100), a quarter of the pixels: SSIM 0.96, not 0.89).
    """
    return _in_waves(image, measured, _GUESS_MOST, progress.silent())


def _in_waves(image: FloatArray, measured: BoolArray, most: int, progress: Progress) -> FloatArray:
    from scipy.fft import dctn, idctn

    if measured.all():
        return np.array(image)
    threshold = (_DCT_SHARE * _noise(image, measured) * _dearness(image.shape)).astype(image.dtype, copy=False)

    def shrink(x: FloatArray, _: int) -> FloatArray:
        return np.asarray(idctn(_soft(np.asarray(dctn(x, norm="ortho")), threshold), norm="ortho"))

    return _fista(image, measured, shrink, most, progress.part(1.0, "Compressed sensing", most))


def cs_wavelet(image: FloatArray, measured: BoolArray, progress: Progress) -> FloatArray:
    """Sparse in wavelets: steps and adsorbates are few of them.

    The wavelets stand elsewhere in every iteration, so that none of their places is seen (cycle spinning: Coifman and
    Donoho, 1995); the edges are mirrored.
    """
    import pywt

    if measured.all():
        return np.array(image)
    rows, columns = image.shape
    unit = 2**_LEVELS
    pad = tuple((_MARGIN, _MARGIN + -n % unit) for n in (rows, columns))
    smallest = min(n + sum(p) for n, p in zip(image.shape, pad, strict=True))
    levels = min(_LEVELS, max(1, pywt.dwt_max_level(smallest, _WAVELET)))
    fine = _WAVELET_SHARE * _noise(image, measured)
    rng = np.random.default_rng(0)
    moves = rng.integers(0, unit, (_MOST, 2))

    def shrink(x: FloatArray, iteration: int) -> FloatArray:
        move = moves[iteration]
        moved = np.roll(np.pad(x, pad, mode="symmetric"), move, (0, 1))
        rest, *details = pywt.wavedec2(moved, _WAVELET, mode="periodization", level=levels)
        for level, detail in enumerate(details):
            threshold = fine * _COARSER ** (levels - 1 - level)
            details[level] = tuple(_soft(d, threshold) for d in detail)
        back = np.roll(pywt.waverec2([rest, *details], _WAVELET, mode="periodization"), -move, (0, 1))
        return np.asarray(back[_MARGIN : _MARGIN + rows, _MARGIN : _MARGIN + columns])

    return _fista(image, measured, shrink, _MOST, progress.part(1.0, "Compressed sensing", _MOST))


def _fista(image: FloatArray, measured: BoolArray, shrink: Shrink, most: int, progress: Progress) -> FloatArray:
    """FISTA from the first guess that `image` has where nothing was measured; measured pixels stay as they are.

    The gradient step, of length 1, is to put the measured pixels back.
    """
    hidden = ~measured
    x = ahead = image
    momentum = 1.0
    for iteration in range(most):
        new = shrink(np.where(measured, image, ahead), iteration)
        change = float(np.sqrt(np.mean((new - x)[hidden] ** 2)))
        following = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
        ahead = new + (momentum - 1) / following * (new - x)
        x, momentum = new, following
        progress.tick()
        if change < _CHANGE:
            break
    return np.where(measured, image, x)


def _soft(values: FloatArray, threshold: FloatArray | float) -> FloatArray:
    """What minimises 1/2 (v - values)^2 + threshold |v|."""
    shrunk: FloatArray = np.sign(values) * np.maximum(np.abs(values) - threshold, 0)
    return shrunk


def _dearness(shape: tuple[int, ...]) -> FloatArray:
    """sqrt(1 + (k / corner)^2) for each wave of a DCT of that shape; the mean of the image costs nothing."""
    down, across = (np.arange(n) / (2 * n) for n in shape)
    weight: FloatArray = np.sqrt(1 + (down[:, None] ** 2 + across[None, :] ** 2) / _CORNER**2)
    weight[0, 0] = 0
    return weight


def _noise(image: FloatArray, measured: BoolArray) -> float:
    found = white_noise(image, measured)
    return float(np.clip(_USUAL_NOISE if found is None else found, *_NOISE_LIMITS))
