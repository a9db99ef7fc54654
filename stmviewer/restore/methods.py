"""The methods of one request, each loaded once, and the image that the chosen ones make together."""

from collections.abc import Callable

from stmviewer.restore import library
from stmviewer.restore.case import Case
from stmviewer.restore.choice import Choice, Mixing
from stmviewer.restore.consistency import trusted
from stmviewer.restore.false_heights import FalseHeights
from stmviewer.restore.info import ModelInfo
from stmviewer.restore.patterns import Pattern, Repeated
from stmviewer.restore.problem import Answer, Restorer
from stmviewer.restore.request import Device, RestoreRequest
from stmviewer.restore.running import run
from stmviewer.restore.taken_out import TakenOut, heights_of
from stmviewer.restore.tips import Tip
from stmviewer.scan import Channel, FileError, FloatArray, Geometry, Mask, Progress

#: gives the restorer of a model on a device, and the hash of its weights
Loader = Callable[[ModelInfo, Device], tuple[Restorer, str]]


class Methods:
    """The methods of one request, loaded when they are first needed."""

    def __init__(self, request: RestoreRequest, load: Loader) -> None:
        self.request = request
        self._load = load
        self._loaded: dict[str, tuple[Restorer, str]] = {}
        #: linear interpolation of the case itself, which is a part of mixtures and the baseline of scores
        self.linear: FloatArray | None = None
        #: what was found of the tip; None where nobody looked
        self.tip: Tip | None = None
        #: what is taken out before a network repairs the scan
        self.heights = FalseHeights()
        #: what repeats in a sparse scan and is followed through its gaps
        self.pattern: Pattern | None = None
        self._fitted: tuple[Case, Repeated | None] | None = None

    def load(self, name: str) -> tuple[Restorer, str]:
        """The restorer of that name and the hash of its weights."""
        if name not in self._loaded:
            info = library.resolve(name, self.request.task)
            self._loaded[name] = self._load(info, self.request.device)
        return self._loaded[name]

    def fault(self, name: str) -> str:
        """Why a model cannot be used; nothing where it can."""
        try:
            self.load(name)
        except FileError as error:
            return str(error)
        return ""

    def first(self) -> tuple[ModelInfo, tuple[str, ...]]:
        """What the request's model is, and what was left out for it: where auto is one model, and that one is damaged,
        the next, for nobody had asked for it by its name."""
        request, faults = self.request, dict[str, str]()
        info = library.resolve(request.model, request.task)
        while request.model == library.AUTO.name and info.learned and (cause := self.fault(info.name)):
            faults[info.name] = f"{info.name} was left out: {cause}"
            info = library.resolve(request.model, request.task, without=faults)
        return info, tuple(faults.values())

    def shown(self, case: Case, name: str, progress: Progress) -> FloatArray:
        """What would be shown of `case` by that method; of several samples two are drawn."""
        request = self.request.replaced(samples=min(self.request.samples, 2))
        restorer = self.load(name)[0]
        answer = run(case, restorer, request, progress, self.taken_out(case, restorer.info, progress))
        return trusted(case, answer, request, restorer.info)[0]

    def taken_out(self, case: Case, info: ModelInfo, progress: Progress) -> TakenOut:
        """What that method is not to see of `case`: faults of the measurement; a pattern where it knows of one."""
        return TakenOut(self.heights, self._tip_to_take_out, self._repeated(case, info, progress))

    def repaired(self, channel: Channel, name: str, progress: Progress) -> FloatArray:
        """The repair of another channel by that method."""
        frame = Geometry.of_pixels(*channel.data.shape)
        case = Case(channel.data, Mask(channel.measured, "as measured"), frame)
        restorer = self.load(name)[0]
        taken = TakenOut(heights_of(case, restorer.info, self.request), self._tip_to_take_out)
        return run(case, restorer, self.request, progress, taken).mean

    @property
    def _tip_to_take_out(self) -> Tip | None:
        return self.tip if self.request.tips else None

    def _mixes(self, info: ModelInfo) -> bool:
        """Whether a method is one of a mixture: there interpolations see what is left, too, but the baseline."""
        return self.request.model == library.AUTO.name and info.name != "linear"

    def _repeated(self, case: Case, info: ModelInfo, progress: Progress) -> Repeated | None:
        if self.pattern is None or not (info.learned or info.name == self.pattern.method or self._mixes(info)):
            return None
        if self._fitted is None or self._fitted[0] is not case:  # several methods see one case after the other
            self._fitted = case, self.pattern.fit(case, progress)
        return self._fitted[1]


def mixture(case: Case, choice: Choice, methods: Methods, progress: Progress) -> Answer:
    """The image of the chosen methods, before measured pixels are put back, and what it says of its error."""
    mixing = Mixing()
    tiles = []
    for name, weight in choice.weights.items():
        restorer = methods.load(name)[0]
        part = progress.part(1 / len(choice.weights))
        one = run(case, restorer, methods.request, part, methods.taken_out(case, restorer.info, part))
        if len(choice.weights) == 1:
            return one
        if name == "linear":
            methods.linear = one.mean
        mixing.add(weight, one.mean, one.deviation)
        tiles.append(one.smaller_tile)
        del one
    return Answer(mixing.mean, mixing.deviation, min((t for t in tiles if t is not None), default=None))
