"""Model cards: what a model was made of and how well it did, in Markdown."""

import contextlib
import json
from pathlib import Path
from typing import Any

from stmviewer.restore.info import ModelInfo


def write_card(path: Path, info: ModelInfo, facts: dict[str, str], log: Path) -> None:
    """Writes the card of a model from its facts and the validation lines of its training log (JSON lines)."""
    lines = [f"# {info.name}", "", f"{info.summary}.", ""]
    lines += [f"- {key}: {value}" for key, value in facts.items()]
    lines += ["", "## Validation during training", "", *_curve(log)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _curve(log: Path) -> list[str]:
    """A table of the mean SSIM at each validation, beside what the model started from."""
    rows = [line for line in _lines(log) if line.get("kind") == "validation"]
    if not rows:
        return ["None was reached."]
    columns = sorted({key.removesuffix(" model") for row in rows for key in row if key.endswith(" model")})
    table = [
        "Mean SSIM of samples that were not trained on; in brackets the degraded image or the plain interpolation "
        "that the model starts from.",
        "",
        "| minutes | step | " + " | ".join(map(_titled, columns)) + " |",
        "|---|---|" + "---|" * len(columns),
    ]
    for row in rows:
        # a training that is resumed may be validated on other sets
        cells = (f"{row[f'{c} model']:.3f} ({row[f'{c} start']:.3f})" if f"{c} model" in row else "" for c in columns)
        table.append(f"| {row['seconds'] / 60:.1f} | {row['step']} | " + " | ".join(cells) + " |")
    return table


def _titled(column: str) -> str:
    """All scans are real; what the log calls so are those that were never trained on."""
    return column.replace("real", "kept aside", 1) if column.split()[0] == "real" else column


def _lines(log: Path) -> list[dict[str, Any]]:
    """The lines of a log; one that was cut short by a power cut is left out."""
    found = []
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        with contextlib.suppress(ValueError):
            found.append(json.loads(line))
    return found
