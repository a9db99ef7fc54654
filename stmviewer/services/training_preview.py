"""Pairs that a training would learn from, to look at before it begins. Loads torch, in the job alone."""

from dataclasses import dataclass
from pathlib import Path

from stmviewer.scan import BoolArray, FloatArray
from stmviewer.services.jobs import Context, Job
from stmviewer.services.training import Task, TrainingRequest
from stmviewer.services.training_look import CROP

#: scans that are read for a look: the pairs of more differ no more
_MOST_SCANS = 8
_SHARE: dict[Task, float] = {"both": 0.5, "repair": 1.0, "sparse": 0.0}


@dataclass(frozen=True, eq=False)
class ExamplePair:
    """What the network is given and what it has to say, both (rows, columns) on one scale without a unit.

    `measured` is False where the pixel is hidden; `task` is repair or sparse; `pixel_m` None where it is not known.
    """

    given: FloatArray
    wanted: FloatArray
    measured: BoolArray
    task: str
    pixel_m: float | None


def pairs_job(request: TrainingRequest, seed: int, count: int = 12) -> Job:
    """A job whose result is a tuple of `ExamplePair`, made of its scans as the training of `request` makes them.

    Raises FileError where none of the scans can be used.
    """

    def job(context: Context) -> tuple[ExamplePair, ...]:
        from stmviewer.train.dataset import SampleMaker
        from stmviewer.train.folder import read_folder

        crop = request.crop or CROP
        step = max(1, len(request.trained) // _MOST_SCANS)
        source = read_folder(
            Path(request.folder),
            crop + 32,
            list(request.trained[::step][:_MOST_SCANS]),
            context.progress.part(0.6, "Reading scans"),
            size_by_rows=request.size_by_rows,
            image_pixel_m=None if request.image_nm is None else 1e-9 * request.image_nm,
        )
        maker = SampleMaker(source, crop, _SHARE[request.task], seed=seed, noisy_targets=False)
        making = context.progress.part(1.0, "Making pairs", count)
        pairs = []
        for index in range(count):
            sample = maker.make(index)
            pairs.append(ExamplePair(sample.filled, sample.target, sample.measured, sample.task, sample.pixel_m))
            making.tick()
        return tuple(pairs)

    return job
