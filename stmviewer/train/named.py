"""Named checkpoints of a training, and models of the library made out of them. Loads no torch."""

import json
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from stmviewer.restore import library
from stmviewer.restore.info import ModelInfo
from stmviewer.scan import FileError, RequestError
from stmviewer.train.card import write_card
from stmviewer.train.spec import check_name
from stmviewer.train.work import Work, whole


@dataclass(frozen=True)
class Named:
    """A named checkpoint: its weights, and where in the training it was."""

    name: str
    path: Path
    step: int
    seconds: float


def describe(weights: Path, info: ModelInfo, facts: dict[str, str], step: int, seconds: float) -> None:
    """Writes what a model of the library needs beside the weights of a checkpoint."""
    text = json.dumps({"info": asdict(info), "facts": facts, "step": step, "seconds": seconds}, indent=1)
    temporary = weights.with_suffix(".json.part")
    with whole(temporary):
        temporary.write_text(text + "\n", encoding="utf-8")
        temporary.replace(weights.with_suffix(".json"))


def named_checkpoints(work: Work) -> list[Named]:
    """The named checkpoints of a training, the oldest first; those without a description are left out."""
    found = []
    for path in work.checkpoint("x").parent.glob("*.safetensors"):
        with suppress(FileError):
            about = _about(path)
            found.append(Named(path.stem, path, int(about["step"]), float(about["seconds"])))
    return sorted(found, key=lambda n: (n.step, n.name))


def adopt(checkpoint: Path, name: str, models: Path) -> ModelInfo:
    """Makes a model `name` of the library folder `models` out of a named checkpoint, with its card.

    Raises RequestError where the name is taken or none, FileError for what cannot be read or written.
    """
    about = _about(checkpoint)
    known = {f.name for f in fields(ModelInfo)}
    try:
        values: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in about["info"].items() if k in known
        }
        info = library.renamed(replace(ModelInfo(**values), source="user"), name)
        facts = {str(k): str(v) for k, v in about["facts"].items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise FileError(checkpoint.with_suffix(".json"), f"does not describe a checkpoint ({error})") from error
    check_name(name, info.kind)
    weights = models / f"{name}.safetensors"
    if weights.exists() or name in library.entries():
        raise RequestError(f"there is a model '{name}' already; choose another name")
    temporary = weights.with_name(weights.name + ".part")
    try:
        models.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(checkpoint, temporary)
        temporary.replace(weights)
        library.register(info, models)
        write_card(models / f"{name}.md", info, facts, checkpoint.parents[1] / "log.jsonl")
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        cause = f"cannot be written ({error.strerror or error})"
        raise FileError(weights, cause, "Is the disk full? The checkpoint is as it was") from error
    return info


def _about(checkpoint: Path) -> dict[str, Any]:
    path = checkpoint.with_suffix(".json")
    if not checkpoint.is_file():
        raise FileError(checkpoint, "there is no such checkpoint", "Named ones lie in NAME.training/checkpoints")
    if not path.is_file():
        advice = "Named ones lie in NAME.training/checkpoints"
        raise FileError(checkpoint, f"is no checkpoint: there is no {path.name} beside it", advice)
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        return {"info": about["info"], "facts": about["facts"], "step": about["step"], "seconds": about["seconds"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FileError(path, f"cannot be read ({error})", "Use a checkpoint that a training named") from error
