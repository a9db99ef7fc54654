"""What a method does not get to see of a scan: it is taken out before the method runs, and what is real is put back.

False heights and what further ends of the tip show are faults of the measurement and stay out. A pattern that repeats
and that the gaps of a sparse scan are too wide for is real: it is added to what the method says of the rest. Classical
methods do what they always did, so nothing is looked for where they were asked for.
"""

from dataclasses import dataclass, field

from stmviewer.restore.case import Case
from stmviewer.restore.false_heights import FalseHeights, find_false_heights
from stmviewer.restore.info import ModelInfo
from stmviewer.restore.patterns import Repeated
from stmviewer.restore.request import RestoreRequest
from stmviewer.restore.tips import Tip, find_tip, removed
from stmviewer.scan import FloatArray, Progress


@dataclass(frozen=True)
class TakenOut:
    """What is taken out of one case before a method: the jumps and the bow, the further ends of `tip`, a pattern."""

    heights: FalseHeights = field(default_factory=FalseHeights)
    tip: Tip | None = None
    repeated: Repeated | None = None

    def left_of(self, case: Case, progress: Progress) -> Case:
        """The case without what repeats."""
        return case if self.repeated is None else self.repeated.left_out(case, progress)

    def without_faults(self, image: FloatArray) -> FloatArray:
        """An image (rows, columns) without gaps less what is no part of the surface; itself where there is nothing."""
        image = self.heights.without(image)
        return image if self.tip is None else removed(image, self.tip)

    def put_back(self, image: FloatArray, progress: Progress) -> None:
        """Adds what repeats to what a method made of the rest, in place."""
        if self.repeated is not None:
            self.repeated.add_to(image, progress)


NOTHING = TakenOut()


def heights_of(case: Case, info: ModelInfo, request: RestoreRequest) -> FalseHeights:
    """The heights that are none, to take out before a network repairs: classical methods do what they always did."""
    if request.task != "repair" or not info.learned:
        return FalseHeights()
    return find_false_heights(case.guess())


def tip_of(case: Case, info: ModelInfo, request: RestoreRequest, unit: str, progress: Progress) -> Tip | None:
    """The further ends of the tip, where a network is to repair: classical methods do what they always did.

    They are looked for also where they are not to be taken out: the user should know of them.
    """
    if request.task != "repair" or not info.learned or not (request.tips or request.check):
        return None
    pixel_m = case.geometry.pixel_width if case.geometry.calibrated else None
    return find_tip(case.guess(), unit, progress, pixel_m)
