"""One method run on one case: what it gets is normalised, and what it answers is in the channel's unit again."""

import numpy as np

from stmviewer.restore.case import Case
from stmviewer.restore.normalise import Normalisation, normalisation
from stmviewer.restore.problem import Answer, Options, Problem, Restorer
from stmviewer.restore.request import RestoreRequest
from stmviewer.restore.taken_out import NOTHING, TakenOut
from stmviewer.scan import FloatArray, Progress
from stmviewer.scan.levelling import row_offsets


def run(
    case: Case,
    restorer: Restorer,
    request: RestoreRequest,
    progress: Progress,
    taken: TakenOut = NOTHING,
) -> Answer:
    """Normalises, restores, and undoes the normalisation; before measured pixels are put back."""
    case = taken.left_of(case, progress)
    data = taken.without_faults(case.guess())
    progress.check()  # each of these takes seconds on 4096 x 4096 pixels
    learned, measured = restorer.info.learned, case.mask.measured
    offsets = None
    if request.task == "repair" and (learned or request.align_rows):
        offsets = row_offsets(data, measured)[:, None]
        if request.align_rows:
            data -= offsets
    progress.check()
    scale = normalisation(data, measured)
    # interpolation of an image less its background, and the background added again, is no interpolation
    scale = scale if learned else Normalisation(scale.plane, scale.half_range, scale.tilt)
    progress.check()
    pixel_m = case.geometry.pixel_width if case.geometry.calibrated else None
    # networks compute in float32 at most, and they alone look at a sharper guess; it is made when the first one has
    # gone into float32, since large scans fit into memory few times
    image = scale.forward(data, np.float32 if learned else np.float64)
    guess: FloatArray | None = None
    if learned:
        if request.task == "sparse":
            del data
            data = case.sharp_guess()
        elif offsets is not None and not request.align_rows:
            data -= offsets
        guess = scale.forward(data, np.float32)
    del data, case  # without its dimer rows it is a copy: of large scans there is room for few
    problem = Problem(image, measured, request.task, guess, pixel_m)
    options = Options(request.steps, request.samples, request.seed, request.tile, request.device)
    answer: Answer = restorer.restore(problem, options, progress)
    del problem, image, guess
    smaller_tile, deviation = answer.smaller_tile, answer.deviation
    mean = scale.back(answer.mean)
    del answer
    if deviation is not None:
        deviation = np.multiply(deviation, scale.half_range, dtype=np.float64)
    del scale
    taken.put_back(mean, progress)
    return Answer(mean, deviation, smaller_tile)
