"""What is asked of a restoration: one frozen object for window, batch and command line."""

import json
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args

from stmviewer.scan import Direction, History, RequestError

Task = Literal["repair", "sparse"]
Trust = Literal["keep", "consistent"]
Device = Literal["auto", "cpu", "cuda"]

#: mask of a sparse task that takes the scan's own unmeasured pixels or missing lines
FILE_MASK = "file"


@dataclass(frozen=True)
class RestoreRequest:
    """A restoration as asked for; the same request on the same file and device gives the same result.

    task        repair: undo what the tip and scanner did, every pixel may change; sparse: fill what was not measured
    channel     channel name, None for the topography
    model       model name (KIND-FAMILY, or KIND alone for its best family, or a classical method); auto: decided per
                scan by its self-check (sparse), the recommended model (repair)
    steps       sampler steps of generative models; None for the model's own choice
    samples     how many samples are drawn; their mean is shown, their spread is the deviation
    mask        sparse only: a pattern (`lines:4`; hides the rest of a full scan, and scores), `file`, or a mask.npz
    trust       sparse only. keep: measured pixels stay as they are; consistent: agree at low frequency, noise removed
    align_rows  repair only: take out row offsets first (median of differences)
    tips        repair with a network only: take out first what further ends of the tip show, where some are found
    tile        tile side in pixels for large scans; None chooses by memory
    process     processing steps that come first, as text: `plane; align-rows:median` (stmviewer.scan.steps)
    check       compare with hidden pixels or the other scan direction, and look at the lattice; auto always does
    """

    task: Task = "repair"
    channel: str | None = None
    direction: Direction | None = None
    model: str = "auto"
    steps: int | None = None
    samples: int = 1
    seed: int = 0
    mask: str | None = None
    trust: Trust = "keep"
    align_rows: bool = False
    tips: bool = False
    tile: int | None = None
    device: Device = "auto"
    check: bool = True
    process: str = ""

    def __post_init__(self) -> None:
        def one_of(name: str, allowed: tuple[str, ...]) -> None:
            if getattr(self, name) not in allowed:
                raise RequestError(f"{name} is {' or '.join(allowed)}, not '{getattr(self, name)}'")

        self._check_types()
        one_of("task", get_args(Task))
        one_of("trust", get_args(Trust))
        one_of("device", get_args(Device))
        if self.direction is not None:
            one_of("direction", get_args(Direction))
        if self.steps is not None and not 1 <= self.steps <= 1000:
            raise RequestError(f"steps must be 1 to 1000, not {self.steps}")
        if not 1 <= self.samples <= 100:
            raise RequestError(f"samples must be 1 to 100, not {self.samples}")
        if self.seed < 0:
            raise RequestError(f"the seed must not be negative, as {self.seed} is")
        if self.tile is not None and not 32 <= self.tile <= 4096:
            raise RequestError(f"tile must be 32 to 4096 pixels, not {self.tile}")
        _ = self.history  # raises for what is no history
        if self.task == "repair" and self.mask not in (None, FILE_MASK):
            raise RequestError("a mask belongs to the sparse task; choose --task sparse, or leave the mask out")

    @property
    def history(self) -> History:
        """The processing steps that come before the restoration."""
        return History.from_text(self.process)

    def _check_types(self) -> None:
        """A request may come from JSON, where every value can be anything."""
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None and field.default is None:
                continue
            if field.name in ("steps", "samples", "seed", "tile"):
                # true is an int to Python, but no number of samples
                fits, words = isinstance(value, int) and not isinstance(value, bool), "a whole number"
            elif field.name in ("align_rows", "tips", "check"):
                fits, words = isinstance(value, bool), "true or false"
            else:
                fits, words = isinstance(value, str), "a text"
            if not fits:
                raise RequestError(f"{field.name} must be {words}, not {value!r}")

    def replaced(self, **changes: Any) -> "RestoreRequest":
        return replace(self, **changes)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "RestoreRequest":
        """Reads what `to_json` wrote; unknown keys (of a newer version) and wrong types raise RequestError."""
        try:
            values = json.loads(text)
            unknown = set(values) - {f.name for f in fields(cls)}
            if unknown:
                raise RequestError(f"a restoration request has no {', '.join(sorted(unknown))}")
            return cls(**values)
        except (ValueError, TypeError) as error:
            raise RequestError(f"not a restoration request: {error}") from error

    def words(self) -> list[str]:
        """The options of the command line that mean this request, without files and output."""
        words = ["--task", self.task]
        names = (
            "mask",
            "channel",
            "direction",
            "model",
            "steps",
            "samples",
            "seed",
            "trust",
            "tile",
            "device",
            "process",
        )
        defaults = {field.name: field.default for field in fields(self)} | {"model": None}
        for name in names:
            value = getattr(self, name)
            if value != defaults[name]:
                words += [f"--{name}={value}"] if str(value).startswith("-") else [f"--{name}", str(value)]
        if self.align_rows:
            words.append("--align-rows")
        if self.tips:
            words.append("--tips")
        if not self.check:
            words.append("--no-check")
        return words

    def command(self, path: str) -> str:
        """The command line that does the same to the file at `path`."""
        import shlex

        # what begins with a dash would be taken for an option
        file = f"./{path}" if path.startswith("-") else path
        return shlex.join(["stmviewer", "restore", file, *self.words(), "-o", "restored"])
