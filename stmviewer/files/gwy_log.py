"""The processing log that Gwyddion keeps beside each channel, as its log viewer shows it.

A GwyStringList at `/N/data/log` of entries `TYPE::FUNCTION(name=value, ...)@YYYY-MM-DD HH:MM:SS.ssssssZ`; the type is
`file` for what a channel was read from and `proc` for what was done to it. Texts stand in quotes, with C escapes.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from stmviewer.files.gwy_format import GwyObject
from stmviewer.scan import Channel, Scan

#: the parts of a provenance that say what was done, in the order in which they are told
_TOLD = ("task", "model", "model_sha256", "mask", "measured_fraction", "residual_rms", "device")
_REQUESTED = ("steps", "samples", "seed", "trust", "align_rows", "tile")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def processing_log(scan: Scan, channel: Channel) -> GwyObject:
    """The log of a channel: the file it came from, the steps it was processed by, and the restoration that made it."""
    facts = scan.provenance or {}
    moment = _moment(facts.get("made"))
    # what was restored says which file that was; a scan that was only converted has its own
    name = facts.get("file") or (str(scan.path) if scan.path is not None else "")
    entries = [_entry("file::stmviewer", {"filename": name, "format": scan.format}, moment)]
    if channel.role != "raw":
        entries += [_entry(f"proc::stmviewer_{name}", given, moment) for name, given in _steps(facts)]
    if channel.role not in ("raw", "processed"):
        entries.append(_entry("proc::stmviewer_restore", {"result": channel.role, **_done(facts)}, moment))
    return GwyObject("GwyStringList", {"strings": entries})


def _steps(facts: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Name, as Gwyddion writes names, and parameters of each processing step that was done."""
    found = []
    steps = facts.get("steps")
    for step in steps if isinstance(steps, list) else []:
        if isinstance(step, Mapping) and step.get("enabled", True):
            given = step.get("parameters")
            name = re.sub(r"\W", "_", str(step.get("name", "step")))
            found.append((name, given if isinstance(given, Mapping) else {}))
    return found


def _done(facts: Mapping[str, Any]) -> dict[str, Any]:
    request = facts.get("request")
    asked = request if isinstance(request, Mapping) else {}
    found = {key: facts.get(key) for key in _TOLD} | {key: asked.get(key) for key in _REQUESTED}
    return {key: value for key, value in found.items() if value is not None and value != ""}


def _entry(function: str, parameters: Mapping[str, Any], moment: datetime) -> str:
    said = ", ".join(f"{name}={_value(value)}" for name, value in parameters.items() if value != "")
    return f"{function}({said})@{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}Z"


def _value(value: Any) -> str:
    match value:
        case bool():
            return str(value)
        case int() | float():
            return f"{value:.6g}"
        case _:
            return '"' + "".join(_ESCAPES.get(letter, letter) for letter in str(value)) + '"'


def _moment(made: object) -> datetime:
    try:
        return datetime.fromisoformat(str(made))
    except ValueError:
        return datetime.now(UTC)
