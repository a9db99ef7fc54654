"""The model library: shipped models, the user's own, and the classical methods, by name.

A folder of models holds, for each, `NAME.safetensors`, `NAME.md` (its card) and an entry in `manifest.json` with the
hash of the weights and what a chooser shows. Listing reads manifests only and does not load torch.
"""

import json
from collections.abc import Collection
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, get_args

from stmviewer import paths
from stmviewer.files import file_sha256
from stmviewer.restore.classical import CLASSICAL
from stmviewer.restore.entry import Entry
from stmviewer.restore.info import ModelInfo
from stmviewer.restore.problem import Restorer
from stmviewer.restore.request import Device, Task
from stmviewer.scan import FileError, RequestError

MANIFEST = "manifest.json"
#: learned kinds, the recommended one first
KINDS = ("regression", "flow", "cfm", "diffusion", "autoencoder")
#: families, the one for a scan that nothing is known of first: si100h is a little better on real H:Si(100) alone
_FAMILIES = ("sim", "si100h")
#: no model of its own: a sparse scan is restored with what does best on it (stmviewer.restore.choice)
AUTO = ModelInfo("auto", "auto", "", "Decides by itself, on hidden pixels of the very scan", ("sparse",), learned=False)


def read_manifest(folder: Path) -> dict[str, dict[str, Any]]:
    """The manifest of a folder of models; empty where there is none. Raises FileError when it is damaged."""
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise FileError(path, f"the list of models cannot be read ({error})", "Delete it, or install again") from error
    if not isinstance(manifest, dict):
        raise FileError(path, "the list of models is not a JSON object", "Delete it, or install again")
    return manifest


def entries() -> dict[str, Entry]:
    """Every learned model by name; a user's model hides a shipped one of the same name."""
    found: dict[str, Entry] = {}
    known = {f.name for f in fields(ModelInfo)}
    for folder, source in ((paths.shipped_models(), "shipped"), (paths.user_models(), "user")):
        for name, values in read_manifest(folder).items():
            try:
                shown: dict[str, Any] = {
                    k: tuple(v) if isinstance(v, list) else v for k, v in values.items() if k in known
                }
                if "deviation_scale" in shown:
                    shown["deviation_scale"] = tuple(sorted(dict(shown["deviation_scale"]).items()))
                info = ModelInfo(**(shown | {"name": name, "learned": True, "source": source}))
                _check(info)
                found[name] = Entry(info, folder, str(values["sha256"]))
            except (KeyError, TypeError, AttributeError) as error:
                raise FileError(
                    folder / MANIFEST,
                    f"the entry of model '{name}' is damaged ({error})",
                    "Take it out of the list, or delete the list",
                ) from error
    return found


def _check(info: ModelInfo) -> None:
    """A list of models may come from anywhere: TypeError for values that a chooser would stumble over."""
    if not (isinstance(info.tasks, tuple) and info.tasks and set(info.tasks) <= set(get_args(Task))):
        raise TypeError(f"tasks are {info.tasks}")
    for name in ("kind", "family", "summary", "licence"):
        if not isinstance(getattr(info, name), str):
            raise TypeError(f"its {name} is no text")
    if not (isinstance(info.steps, tuple) and all(isinstance(n, int) for n in info.steps)):
        raise TypeError(f"steps are {info.steps}")
    for name in ("pixels_m", "noise", "contrast_m", "periods_px"):
        limits = getattr(info, name)
        if not (isinstance(limits, tuple) and len(limits) in (0, 2) and all(p >= 0 for p in limits)):
            raise TypeError(f"its {name} are {limits}")
    if info.pixels_m and not info.pixels_m[0] > 0:
        raise TypeError(f"pixel sizes are {info.pixels_m}")
    if not all(isinstance(k, str) and s > 0 for k, s in info.deviation_scale):
        raise TypeError(f"its deviation_scale is {info.deviation_scale}")


def register(info: ModelInfo, folder: Path) -> None:
    """Adds or replaces a model in the manifest of `folder`, where its weights lie already."""
    found = file_sha256(Entry(info, folder, "").weights)
    manifest = read_manifest(folder)  # last of all: another training may have just ended
    shown: dict[str, Any] = {k: v for k, v in asdict(info).items() if k not in ("name", "learned", "source")}
    shown["deviation_scale"] = dict(info.deviation_scale)
    manifest[info.name] = {**shown, "sha256": found}
    temporary = folder / (MANIFEST + ".part")
    try:
        temporary.write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        temporary.replace(folder / MANIFEST)
    except OSError:
        temporary.unlink(missing_ok=True)  # it may be what fills the disk
        raise


def model_infos() -> list[ModelInfo]:
    """Every model that can be chosen: auto, the user's own, then the shipped ones, then the classical methods."""

    def rank(info: ModelInfo) -> tuple[int, int, int, str]:
        kind = KINDS.index(info.kind) if info.kind in KINDS else len(KINDS)
        family = _FAMILIES.index(info.family) if info.family in _FAMILIES else len(_FAMILIES)
        return (info.source != "user", kind, family, info.name)

    learned = sorted((e.info for e in entries().values()), key=rank)
    return [AUTO, *learned, *(r.info for r in CLASSICAL.values())]


def resolve(name: str, task: Task, without: Collection[str] = ()) -> ModelInfo:
    """The model of that name, or the best family of that kind, that can do `task`. Raises RequestError.

    `auto` is one model for repairs, which nothing measured can be compared with: the first of the recommended kind that
    is not among `without`.
    """
    infos = model_infos()
    if name == AUTO.name and task == "repair":
        able = [i for i in infos if task in i.tasks and i.name not in without]
        name = next((i.name for i in able if i.kind == KINDS[0]), able[0].name)
    named = [i for i in infos if i.name == name] or [i for i in infos if i.kind == name]
    if not named:
        there = ", ".join(i.name for i in infos)
        raise RequestError(f"there is no model '{name}'; there are {there}")
    able = [i for i in named if task in i.tasks]
    if not able:
        others = ", ".join(i.name for i in infos if task in i.tasks)
        raise RequestError(f"model '{name}' does not do the task {task}; these do: {others}")
    return able[0]


def load(info: ModelInfo, device: Device = "auto") -> tuple[Restorer, str]:
    """The restorer of a model, and the hash of its weights ('' for classical methods)."""
    if not info.learned:
        return CLASSICAL[info.name], ""
    from stmviewer.restore.loading import load_restorer

    entry = entries()[info.name]
    return load_restorer(entry, device), entry.sha256


def renamed(info: ModelInfo, name: str) -> ModelInfo:
    """The same model under another name; its family is what follows the first dash."""
    kind, _, family = name.partition("-")
    return replace(info, name=name, family=family if kind == info.kind else name)
