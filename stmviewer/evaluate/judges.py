"""The networks that judge: nothing is restored by them and nothing is trained on what they say.

They lie among the shipped models, in a list of their own (`judges.json`) with the hash of each, so that the list of
models that can be chosen stays one of restorers.
"""

import json
from pathlib import Path

from stmviewer import paths
from stmviewer.files import file_sha256
from stmviewer.scan import FileError

LIST = "judges.json"


def weights(name: str, folder: Path | None = None) -> Path:
    """The weights of the judge of that name, hash-checked. Raises FileError when they are not those of the list."""
    folder = folder or paths.shipped_models()
    path = folder / f"{name}.safetensors"
    try:
        expected = str(json.loads((folder / LIST).read_text(encoding="utf-8"))[name]["sha256"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FileError(folder / LIST, f"it does not name '{name}' ({error})", "Install stmviewer again") from error
    if not path.is_file():
        raise FileError(path, "the weights are missing", "Install stmviewer again")
    if file_sha256(path) != expected:
        raise FileError(path, "the weights are not those that judges.json names (wrong hash)", "Install again")
    return path


def register(name: str, folder: Path, kind: str, licence: str, summary: str) -> None:
    """Writes the hash of `name`'s weights, which lie in `folder`, to the list there."""
    path = folder / LIST
    listed = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    sha256 = file_sha256(folder / f"{name}.safetensors")
    listed[name] = {"kind": kind, "licence": licence, "summary": summary, "sha256": sha256}
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(json.dumps(listed, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    temporary.replace(path)
