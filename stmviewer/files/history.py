"""Processing steps in files: a history by itself, or the provenance of a result that says how it was made."""

import json
from pathlib import Path
from typing import BinaryIO

from stmviewer.files.writing import Origin, export
from stmviewer.scan import FileError, History, RequestError

#: a history is a few lines; what is larger is something else
_MOST_BYTES = 64 * 2**20
_ADVICE = "Give the provenance file beside a result, or steps that were saved"


def load_history(path: Path) -> History:
    """The steps in a .json file, or in the `.provenance.json` beside a result. Raises FileError."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise FileError(path, "is too large to be a list of processing steps", _ADVICE)
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(path, f"cannot be read ({error.strerror})", "Check the path") from error
    except (ValueError, RecursionError) as error:
        raise FileError(path, "is no JSON", _ADVICE) from error
    if isinstance(content, dict):
        content = content.get("steps")
        if content is None:
            raise FileError(path, "says of no processing steps", _ADVICE)
    try:
        history = History.from_list(content)
        for step in history:
            step.kind.completed(step.parameters)
    except RequestError as error:
        raise FileError(path, str(error), _ADVICE) from error
    return history


def save_history(history: History, path: Path) -> Path:
    """Writes the steps as JSON; never over a file that stmviewer has not written. Raises FileError."""

    def write(file: BinaryIO) -> None:
        facts = {"stmviewer": "processing steps", "steps": history.to_list()}
        file.write(json.dumps(facts, indent=1).encode())

    return export(Origin(None, None), path, write)
