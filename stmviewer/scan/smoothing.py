"""The hills of an image by running means: three of them make nearly a Gaussian, whatever the size of the image."""

import numpy as np

from stmviewer.scan.geometry import FloatArray
from stmviewer.scan.threads import in_threads, slices

#: width of the running means (px): three of them are a Gaussian of sigma 12, which leaves nothing of a lattice
WINDOW = 25
_PASSES = 3
#: columns, then rows, that are worked at a time: smaller images are not worth a thread
_STRIP = 256


def smooth(image: FloatArray) -> None:
    """Turns an image (rows, columns) without gaps into its hills, in place; its edges go on as they are."""
    from scipy.ndimage import uniform_filter1d

    def along(lines: FloatArray) -> None:
        for _ in range(_PASSES):
            uniform_filter1d(lines, WINDOW, axis=1, output=lines, mode="nearest")

    def down(some: slice) -> None:
        columns = np.ascontiguousarray(image[:, some].T)  # a column whose values lie apart takes three times as long
        along(columns)
        image[:, some] = columns.T

    in_threads(down, slices(image.shape[1], _STRIP), image.size)
    in_threads(lambda some: along(image[some]), slices(image.shape[0], _STRIP), image.size)
