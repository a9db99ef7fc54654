"""Laplace interpolation: the smoothest membrane through what was measured, as Gwyddion's "Interpolate data under mask".

Inside a hole the height u obeys Laplace's equation, each pixel being the mean of its neighbours,

    sum over neighbours (u_j - u_i) = 0,

with the measured pixels as the boundary and no flow over the border of the image (Gwyddion's user guide, "Data
Editing"; its code solves the same equations iteratively). The sparse system is solved directly; the two agree to the
tolerance of Gwyddion's iterations, which is tested where Gwyddion's library is installed.
Large ones are solved by conjugate gradients from a first guess.
"""

import numpy as np

from stmviewer.restore.filling import fill
from stmviewer.scan import BoolArray, FloatArray, Progress

#: unknowns that are solved for directly in well under a second; above that, conjugate gradients
_DIRECT = 60_000


def laplace(image: FloatArray, measured: BoolArray, progress: Progress) -> FloatArray:
    """Fills the pixels (rows, columns) that were not measured; what was measured stays."""
    from scipy.sparse import coo_matrix, diags
    from scipy.sparse.linalg import cg, spsolve

    if measured.all() or not measured.any():
        return np.array(image)
    progress = progress.part(1.0, "Laplace interpolation", 2)
    number = np.full(image.shape, -1)
    hidden = ~measured
    count = int(hidden.sum())
    number[hidden] = np.arange(count)
    neighbours, right = np.zeros(count), np.zeros(count)
    rows: list[np.ndarray] = []
    columns: list[np.ndarray] = []
    for axis in (0, 1):
        first, second = (np.moveaxis(number, axis, 0)[part].ravel() for part in (slice(None, -1), slice(1, None)))
        lower, upper = (np.moveaxis(image, axis, 0)[part].ravel() for part in (slice(None, -1), slice(1, None)))
        for one, other, known in ((first, second, upper), (second, first, lower)):
            here = one >= 0
            neighbours += np.bincount(one[here], minlength=count)
            edge = here & (other < 0)
            right += np.bincount(one[edge], known[edge], minlength=count)
            inside = here & (other >= 0)
            rows.append(one[inside])
            columns.append(other[inside])
    row, column = np.concatenate(rows), np.concatenate(columns)
    matrix = (diags(neighbours) - coo_matrix((np.ones(len(row)), (row, column)), (count, count))).tocsc()
    progress.tick()
    if count <= _DIRECT:
        solution = spsolve(matrix, right)
    else:
        guess = fill(image, measured)[hidden]

        def watch(_: FloatArray) -> None:
            progress.check()

        scaled = diags(1 / neighbours)
        solution, _ = cg(matrix, right, guess, rtol=1e-7, maxiter=2000, M=scaled, callback=watch)
    result = np.array(image)
    result[hidden] = solution
    progress.tick()
    return result
