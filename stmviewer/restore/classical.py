"""Classical methods as restorers: the baselines that a learned model has to beat, from scipy and scikit-image."""

from dataclasses import dataclass

import numpy as np

from stmviewer.restore.compressed import cs_dct, cs_wavelet
from stmviewer.restore.filling import fill, separable, splines
from stmviewer.restore.info import ModelInfo
from stmviewer.restore.laplace import laplace
from stmviewer.restore.plate import bent_plate
from stmviewer.restore.problem import Answer, Options, PlainMethod, Problem
from stmviewer.restore.request import Task
from stmviewer.scan import BoolArray, FloatArray, Progress
from stmviewer.scan.levelling import row_offsets


@dataclass(frozen=True)
class ClassicalRestorer:
    """A method without weights: the same answer for every seed, no deviation."""

    info: ModelInfo
    method: PlainMethod

    def restore(self, problem: Problem, options: Options, progress: Progress) -> Answer:
        progress.check()
        return Answer(self.method(problem.image, problem.measured, progress))


def linear(image: FloatArray, measured: BoolArray, progress: Progress) -> FloatArray:
    """Linear interpolation: along the slow axis for lines, bilinear for grids, on Delaunay triangles for the rest."""
    if measured.all() or separable(measured):
        return fill(image, measured)
    return _scattered(image, measured, "linear", progress)


def cubic(image: FloatArray, measured: BoolArray, progress: Progress) -> FloatArray:
    """Cubic interpolation: splines along the axes for lines and grids, Clough-Tocher on triangles for the rest.

    Not extrapolated: beyond the first and last line the nearest measured value stands.
    """
    if measured.all():
        return np.array(image)
    progress.check()
    axes = separable(measured)
    return _scattered(image, measured, "cubic", progress) if axes is None else splines(image, measured, axes)


def _scattered(image: FloatArray, measured: BoolArray, method: str, progress: Progress) -> FloatArray:
    from scipy.interpolate import CloughTocher2DInterpolator, LinearNDInterpolator
    from scipy.spatial import Delaunay, QhullError

    guess = fill(image, measured)
    points = np.argwhere(measured)
    progress.check()
    try:
        triangles = Delaunay(points)
    except QhullError:  # fewer than three points, or all on one line
        return guess
    progress.check()
    kind = LinearNDInterpolator if method == "linear" else CloughTocher2DInterpolator
    interpolator = kind(triangles, image[measured])
    result = guess.copy()
    missing = np.argwhere(~measured)
    for part in np.array_split(missing, max(1, len(missing) // 50_000)):
        progress.check()
        values = interpolator(part)
        inside = np.isfinite(values)  # outside the convex hull the first guess stands
        result[tuple(part[inside].T)] = values[inside]
    return result


def biharmonic(image: FloatArray, measured: BoolArray, progress: Progress) -> FloatArray:
    """Biharmonic inpainting (scikit-image; Damelin and Hoang, J. Math. Imaging Vision 60, 2018), in blocks.

    The linear system grows with the hole, so the image is worked in overlapping blocks of 192 pixels. Margins under
    two gaps leave seams, and small blocks flatten the crests, since scikit-image clips to what is measured in a block.
    Blocks without a measured pixel keep the first guess.
    """
    from skimage.restoration import inpaint_biharmonic

    if measured.all():
        return np.array(image)
    rows, columns = image.shape
    result = np.array(image)
    step, margin = 128, 32
    corners = [(r, c) for r in range(0, rows, step) for c in range(0, columns, step)]
    progress = progress.part(1.0, "Biharmonic inpainting", len(corners))
    for r, c in corners:
        block = np.s_[max(r - margin, 0) : r + step + margin, max(c - margin, 0) : c + step + margin]
        hidden = ~measured[block]
        if hidden.any() and not hidden.all():
            filled = inpaint_biharmonic(image[block], hidden)
            inner = np.s_[
                r - block[0].start : r - block[0].start + step, c - block[1].start : c - block[1].start + step
            ]
            result[r : r + step, c : c + step] = filled[inner]
        progress.tick()
    return np.where(measured, image, result)


def total_variation(image: FloatArray, measured: BoolArray, progress: Progress) -> FloatArray:
    """Total variation with the measured pixels as data: min |grad u|_1 + lambda/2 |u - f|^2 there.

    Solved by alternating Chambolle's denoising (scikit-image; J. Math. Imaging Vision 20, 89, 2004) with putting the
    measured pixels back. Fully measured images are denoised once, with a weight from their noise estimate.
    """
    from skimage.restoration import denoise_tv_chambolle, estimate_sigma

    if measured.all():
        progress.check()
        return np.asarray(denoise_tv_chambolle(image, weight=1.5 * float(estimate_sigma(image))))
    result = cubic(image, measured, progress)
    rounds = 12
    progress = progress.part(1.0, "Total variation", rounds)
    for k in range(rounds):
        smooth = denoise_tv_chambolle(result, weight=0.12 * 0.75**k, max_num_iter=40)
        result = np.where(measured, image, smooth)
        progress.tick()
    return result


def row_level_median(image: FloatArray, measured: BoolArray, progress: Progress) -> FloatArray:
    """What a microscopist does by hand: align rows (median of differences), a 3 x 3 median, a light Gaussian."""
    from scipy.ndimage import gaussian_filter, median_filter

    progress.check()
    levelled = image - row_offsets(image, measured)[:, None]
    progress.check()
    smooth = median_filter(levelled, size=3)
    progress.check()
    return np.asarray(gaussian_filter(smooth, sigma=0.7))


def non_local_means(image: FloatArray, measured: BoolArray, progress: Progress) -> FloatArray:
    """Rows aligned, then every pixel averaged with those whose surroundings look like its own.

    Non-local means (Buades, Coll, Morel, CVPR 2005; scikit-image): a lattice has many such places. Its noise estimate
    decides how alike they must be.
    """
    from skimage.restoration import denoise_nl_means, estimate_sigma

    progress.check()
    levelled = image - row_offsets(image, measured)[:, None]
    noise = float(estimate_sigma(levelled))
    progress.check()
    smooth = denoise_nl_means(
        levelled, patch_size=5, patch_distance=7, h=0.6 * noise, sigma=noise, fast_mode=True, preserve_range=True
    )
    return np.asarray(smooth)


def _info(name: str, summary: str, tasks: tuple[Task, ...]) -> ModelInfo:
    return ModelInfo(name, name, "", summary, tasks, learned=False)


#: linear interpolation of what is left when the dimer rows have been taken out (`rows`), and these again
ROWS = "dimer-rows"
#: linear interpolation of what is left when the unit cell that repeats has been taken out (`cells`), and this again
CELLS = "unit-cell"

CLASSICAL: dict[str, ClassicalRestorer] = {
    r.info.name: r
    for r in (
        ClassicalRestorer(_info("linear", "Linear interpolation, the baseline", ("sparse",)), linear),
        ClassicalRestorer(_info("cubic", "Cubic splines, good when well sampled", ("sparse",)), cubic),
        ClassicalRestorer(
            _info(ROWS, "Dimer rows of Si(001) as waves of known spacing, the rest linearly", ("sparse",)), linear
        ),
        ClassicalRestorer(
            _info(CELLS, "The unit cell that repeats, averaged over the scan, the rest linearly", ("sparse",)), linear
        ),
        ClassicalRestorer(
            _info("laplace", "Membrane through the measured pixels, as Gwyddion's", ("sparse",)), laplace
        ),
        ClassicalRestorer(
            _info("biharmonic", "Smooth through the gaps, good for small ones; slow", ("sparse",)), biharmonic
        ),
        ClassicalRestorer(
            _info("plate", "Smooth through the gaps, good for small ones; fast", ("sparse",)), bent_plate
        ),
        ClassicalRestorer(
            _info("tv", "Total variation, keeps step edges sharp", ("sparse", "repair")), total_variation
        ),
        ClassicalRestorer(
            _info("cs-dct", "Compressed sensing with waves, for lattices on scattered pixels", ("sparse",)), cs_dct
        ),
        ClassicalRestorer(
            _info("cs-wavelet", "Compressed sensing with wavelets, for steps and lines", ("sparse",)), cs_wavelet
        ),
        ClassicalRestorer(
            _info("row-median", "Align rows, median and light Gaussian filter", ("repair",)), row_level_median
        ),
        ClassicalRestorer(_info("nlm", "Align rows, average places that look alike", ("repair",)), non_local_means),
    )
}
