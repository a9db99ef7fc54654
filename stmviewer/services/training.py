"""A training as the window asks for it: what is chosen, the command line that does it, and trainings that stopped.

The training itself is a child process, `stmviewer train`, so that its memory returns when it ends and the window stays
alive whatever happens to it.
"""

import json
import re
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

from stmviewer import paths
from stmviewer.files.writing import replacing
from stmviewer.restore import ModelInfo, library
from stmviewer.scan import FileError, RequestError
from stmviewer.services.jobs import Context, Job
from stmviewer.services.training_events import TrainingEvent, parse_line

Task = Literal["both", "repair", "sparse"]
Size = Literal["small", "standard", "large"]
SIZES: tuple[Size, ...] = ("small", "standard", "large")
#: share of repairs among what is learned from; the command's own choice for both
_REPAIR_SHARE: Mapping[Task, float | None] = {"both": None, "repair": 1.0, "sparse": 0.0}
#: kinds that each kind can start from, the best first
_STARTS = {
    "regression": ("regression",),
    "flow": ("flow", "regression"),
    "cfm": ("cfm", "regression"),
    "diffusion": ("regression", "cfm"),
    "autoencoder": ("autoencoder",),
}
#: of what lies in the folder of a training; the engine writes the others
_REQUEST, _TRAINED, _CHECKED = "request.json", "train.txt", "validate.txt"
_LOG = "log.jsonl"
_NAME = re.compile(r"\w[\w.-]{0,63}")


@dataclass(frozen=True)
class TrainingRequest:
    """What to train. `trained` and `checked` are files below `folder`, as paths with slashes relative to it.

    `start_from` is None for a training from scratch. `validation` is another folder to check on, in place of `checked`.
    `image_nm` is the pixel size of images whose files do not say it, unless their dimer rows are to tell it
    (`size_by_rows`); None: not known. `crop` is the side of the crops
    in pixels. `crop`, `rate` and `size` None leave the choice to the command.
    """

    folder: str
    name: str
    kind: str = "regression"
    minutes: float = 10.0
    task: Task = "both"
    size: Size | None = None
    size_by_rows: bool = False
    image_nm: float | None = None
    start_from: str | None = None
    trained: tuple[str, ...] = ()
    checked: tuple[str, ...] = ()
    validation: str | None = None
    mix: str | None = None
    mix_share: float = 0.5
    rate: float | None = None
    seed: int = 0
    device: str = "auto"
    crop: int | None = None

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> "TrainingRequest":
        """Reads what `to_json` wrote. Raises ValueError, TypeError or KeyError for anything else."""
        said = json.loads(text)
        known = {f.name for f in fields(cls)}
        values: dict[str, Any] = {
            k: tuple(map(str, v)) if isinstance(v, list) else v for k, v in dict(said).items() if k in known
        }
        return cls(**values)

    def arguments(self, work: Path, *, resume: bool = False, commands: bool = True) -> list[str]:
        """The words after `stmviewer`; lists of files lie in `work`."""
        words = ["train", self.folder, "--model", self.kind, "--name", self.name, "--minutes", f"{self.minutes:g}"]
        words += ["--from", self.start_from or "scratch"]
        if self.start_from is None and self.size is not None:
            words += ["--size", self.size]
        if (share := _REPAIR_SHARE[self.task]) is not None:
            words += ["--repair-share", f"{share:g}"]
        if self.size_by_rows:
            words.append("--size-by-rows")
        elif self.image_nm is not None:
            words += ["--image-nm", f"{self.image_nm:g}"]
        if self.crop is not None:
            words += ["--crop", str(self.crop)]
        if self.trained:
            words += ["--protocol", str(work / _TRAINED)]
        if self.validation is not None:
            words += ["--validate", self.validation]
        elif self.checked:
            words += ["--validate", self.folder, "--validate-protocol", str(work / _CHECKED)]
        if self.mix is not None:
            words += ["--mix", self.mix, "--mix-share", f"{self.mix_share:g}"]
        if self.rate is not None:
            words += ["--rate", f"{self.rate:g}"]
        words += ["--seed", str(self.seed), "--device", self.device]
        return words + ["--resume"] * resume + ["--commands"] * commands


def command_line(request: TrainingRequest, models: Path) -> str:
    """The same as a command line, to be copied."""
    return shlex.join(["stmviewer", *request.arguments(work_of(request.name, models), commands=False)])


def work_of(name: str, models: Path) -> Path:
    """The folder of a training, beside the models."""
    return models / f"{name}.training"


def start_models(kind: str, models: Sequence[ModelInfo]) -> list[str]:
    """Names of the models that a training of `kind` can start from, the best first."""
    able = _STARTS.get(kind, ())
    found = [m for m in models if m.learned and m.kind in able]
    return [m.name for m in sorted(found, key=lambda m: (able.index(m.kind), m.source == "user"))]


def why_not_name(name: str, models: Path) -> str:
    """Why a new training cannot have that name; '' when it can."""
    if not _NAME.fullmatch(name):
        return "A name has letters, digits, dash and underscore"
    if name in library.KINDS or name in library.CLASSICAL:
        return f"'{name}' is the name of a method; call it regression-mylab, say"
    if (models / f"{name}.safetensors").exists() or (paths.shipped_models() / f"{name}.safetensors").exists():
        return f"There is a model '{name}' already: choose another name"
    if _state(work_of(name, models)) is not None:
        return f"A training '{name}' was stopped: resume it, or choose another name"
    return ""


def prepare(request: TrainingRequest, models: Path) -> Path:
    """Writes the lists of files and the request beside the state of the training; returns its folder.

    Raises RequestError where the name is taken and FileError where nothing can be written.
    """
    if reason := why_not_name(request.name, models):
        raise RequestError(reason)
    work = work_of(request.name, models)
    try:
        work.mkdir(parents=True, exist_ok=True)
        for name, files in ((_TRAINED, request.trained), (_CHECKED, request.checked)):
            if files:
                _write(work / name, "".join(f"{_listed(file)}\n" for file in files))
        _write(work / _REQUEST, request.to_json())
    except FileError:
        clean_up(request.name, models)
        raise
    except OSError as error:
        clean_up(request.name, models)
        cause = f"the folder of the training cannot be written ({error.strerror or error})"
        raise FileError(work, cause, "Is the disk full, or read only?") from error
    return work


def _listed(file: str) -> str:
    """A line of a protocol; one that begins with # would be a remark."""
    return f"./{file}" if file.startswith("#") else file


def _write(path: Path, text: str) -> None:
    with replacing(path) as file:
        file.write(text.encode())


def _state(work: Path) -> int | None:
    """When the state to go on from was written (ns); None where there is none."""
    return max((path.stat().st_mtime_ns for path in work.glob("*.safetensors")), default=None)


def clean_up(name: str, models: Path) -> None:
    """Takes away the folder of a training that never came to a state to go on from, and what one that was killed has
    half written. That of a training that another process is at stays."""
    from stmviewer.train.work import Work, locked

    work = work_of(name, models)
    if not work.is_dir():
        return
    with suppress(RequestError, FileError), locked(Work(models, name)):
        if _state(work) is None:
            shutil.rmtree(work, ignore_errors=True)
        for half in (*work.glob(".tmp*"), *work.rglob("*.part")):
            with suppress(OSError):
                half.unlink()
    if sys.platform == "win32" and _state(work) is None:  # which keeps a file that was open, as the lock was
        shutil.rmtree(work, ignore_errors=True)


@dataclass(frozen=True)
class StoppedTraining:
    """A training that can be gone on with: what was asked for and what it said so far."""

    request: TrainingRequest
    work: Path
    events: tuple[TrainingEvent, ...]


def stopped_trainings(models: Path) -> list[StoppedTraining]:
    """Trainings of the window that have a state to go on from and are not finished, the latest first.

    What cannot be read is left out: the command line can still go on with it.
    """
    found: list[tuple[float, StoppedTraining]] = []
    for work in models.glob("*.training"):
        with suppress(OSError, ValueError, TypeError, KeyError):
            state = _state(work)
            if state is None:
                continue
            request = TrainingRequest.from_json((work / _REQUEST).read_text(encoding="utf-8"))
            if work != work_of(request.name, models):  # a copy by hand
                continue
            weights = models / f"{request.name}.safetensors"
            if weights.exists() and weights.stat().st_mtime_ns >= state:
                continue
            found.append((state, StoppedTraining(request, work, _log(work / _LOG))))
    return [one for _, one in sorted(found, key=lambda pair: -pair[0])]


def delete_stopped(stopped: StoppedTraining) -> None:
    """Deletes what a stopped training left: states, curves and checkpoints. Models that were made of it stay.

    Raises RequestError where another process goes on with it at this moment, FileError for what cannot be deleted.
    """
    from stmviewer.train.work import Work, locked

    models, name = stopped.work.parent, stopped.request.name
    with locked(Work(models, name)), _deleting(stopped.work):
        # the states first: what is left of a deletion that was cut short is nothing to go on from
        for path in sorted(stopped.work.iterdir(), key=lambda p: p.suffix != ".safetensors"):
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != "lock":
                path.unlink()
    clean_up(name, models)


@contextmanager
def _deleting(work: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        cause = f"cannot be deleted ({error.strerror or error})"
        raise FileError(work, cause, "Is a file of it open in another program?") from error


def _log(path: Path) -> tuple[TrainingEvent, ...]:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    return tuple(event for event in map(parse_line, lines) if event is not None)


def adopt_job(checkpoint: Path, name: str, models: Path) -> Job:
    """A job that makes a model of the library out of a named checkpoint; its result is the name."""

    def job(context: Context) -> str:
        from stmviewer.train.named import adopt

        context.progress.check()
        return adopt(checkpoint, name, models).name

    return job


def read_card(name: str, models: Path) -> str:
    """The card of a model of the user's, or of a shipped one, in Markdown; '' where there is none."""
    for folder in (models, paths.shipped_models()):
        with suppress(OSError):
            return (folder / f"{name}.md").read_text(encoding="utf-8", errors="replace")
    return ""
