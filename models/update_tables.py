"""Writes measured scores into BENCHMARK.md, the cards and the README, so that no number is copied by hand.

    STMVIEWER_REAL_DATA=... stmviewer evaluate --benchmark --images 16 --json benchmark.json
    python models/update_tables.py benchmark.json [more.json ...]

What BENCHMARK.md holds stays where no file has that set, task and model; of several files a later one takes the place
of an earlier one's rows. The scores of a card are the table under its heading `## Scores`; those of the README the
table after its `scores` comment.
"""

import json
import re
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import stmviewer
from stmviewer.evaluate.hidden import Score, table
from stmviewer.restore.classical import CLASSICAL

MODELS = Path(__file__).resolve().parent
BENCHMARK = MODELS / "BENCHMARK.md"
README = MODELS.parent / "README.md"
TASKS = ("repair", "lines:2", "lines:4", "grid:2", "grid:4", "pixels:0.25")
IN_README = ("regression-sim", "regression-si100h", "auto")
ORDER = ("input", "auto", "regression-sim", "regression-si100h", "flow-sim", "flow-si100h", "cfm-si100h",
         "diffusion-si100h", "autoencoder-si100h")  # fmt: skip


def standing(text: str) -> list[Score]:
    """The scores in the tables of BENCHMARK.md, which tell the SSIM alone."""
    scores = []
    unknown = float("nan")
    for name, images, table_ in re.findall(r"^SSIM, (.+) \((\d+) images\)\n\n((?:\|.*\n)+)", text, re.MULTILINE):
        head, _, *rows = ([cell.strip(" *") for cell in line.strip("|").split("|")] for line in table_.splitlines())
        for model, *cells in rows:
            for task, cell in zip(head[1:], cells, strict=True):
                if cell:
                    scores.append(
                        Score(name, task, model, int(images), float(cell), *3 * [unknown], 2 * (unknown,), unknown)
                    )
    return scores


def read(files: Sequence[str], before: Sequence[Score] = ()) -> list[Score]:
    """The scores of several benchmarks, sorted by set, model and task; `before` is what else is known."""
    found: dict[tuple[str, str, str], Score] = {(s.set, s.task, s.model): s for s in before}
    for file in files:
        for row in json.loads(Path(file).read_text(encoding="utf-8")):
            ends = tuple(float("nan") if x is None else float(x) for x in row["interval"])
            found[row["set"], row["task"], row["model"]] = Score(**{**row, "interval": ends})
    sets = list(dict.fromkeys(s for s, _, _ in found))
    models = [*ORDER, *CLASSICAL]

    def rank(score: Score) -> tuple[int, int, int]:
        known = models.index(score.model) if score.model in models else len(models)
        return sets.index(score.set), known, TASKS.index(score.task)

    return sorted((s for s in found.values() if s.task in TASKS), key=rank)


def value(scores: Sequence[Score], set_: str, task: str, model: str) -> float | None:
    """SSIM of one cell; of `best classical` the best of these methods there, with hindsight."""
    names = tuple(CLASSICAL) if model == "best classical" else (model,)
    found = [s.ssim for s in scores if (s.set, s.task) == (set_, task) and s.model in names]
    return max(found, default=None)


def readme_table(scores: Sequence[Score]) -> str:
    lines = ["| set | model | " + " | ".join(TASKS) + " |", "|---|---|" + "---|" * len(TASKS)]
    for set_ in dict.fromkeys(s.set for s in scores):
        shown = ("best classical", *IN_README)
        cells = {m: [value(scores, set_, t, m) for t in TASKS] for m in shown}
        best = [max((row[i] or 0.0 for row in cells.values()), default=0.0) for i in range(len(TASKS))]
        for k, (model, row) in enumerate(cells.items()):
            texts = ["" if x is None else f"**{x:.3f}**" if x > b - 0.0005 else f"{x:.3f}" for x, b in zip(row, best, strict=True)]  # fmt: skip # noqa: E501
            lines.append(f"| {'' if k else set_} | {model} | " + " | ".join(texts) + " |")
    return "\n".join(lines)


def card_table(scores: Sequence[Score], model: str) -> str:
    """In brackets what the model starts from: the degraded scan, or linear interpolation."""
    lines = ["| set | " + " | ".join(TASKS) + " |", "|---|" + "---|" * len(TASKS)]
    for set_ in dict.fromkeys(s.set for s in scores):
        cells = []
        for task in TASKS:
            own, start = (value(scores, set_, task, m) for m in (model, "input" if task == "repair" else "linear"))
            cells.append("" if own is None else f"{own:.3f}" + (f" ({start:.3f})" if start is not None else ""))
        lines.append(f"| {set_} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def replaced_table(text: str, heading: str, new: str) -> str:
    """`text` with the first table after `heading` replaced."""
    before, rest = text.split(heading, 1)
    lines = rest.split("\n")
    start = next(i for i, line in enumerate(lines) if line.startswith("|"))
    end = next((i for i in range(start, len(lines)) if not lines[i].startswith("|")), len(lines))
    return before + heading + "\n".join([*lines[:start], *new.split("\n"), *lines[end:]])


def main(files: Sequence[str]) -> None:
    scores = read(files, standing(BENCHMARK.read_text(encoding="utf-8")))
    head = (
        "# Benchmark\n\n`STMVIEWER_REAL_DATA=... stmviewer evaluate --benchmark --images 16`, version "
        f"{stmviewer.__version__}, {date.today().isoformat()}. Intervals\n(bootstrap by place or session) are in its "
        "`--json`. `auto` is what the application shows by default: a mixture\nthat each scan's own self-check "
        "decides. Pixel sizes of the real H:Si(100) images are estimated from their dimer\nrows. "
        "diffusion-si100h is of the first four images of each set at most.\n"
        "The rows are of several runs of the same sets: the classical methods in one, the networks in others.\n\n"
    )
    BENCHMARK.write_text(head + table(scores) + "\n", encoding="utf-8")
    for model in dict.fromkeys(s.model for s in scores):
        card = MODELS / f"{model}.md"
        if card.is_file():
            text = card.read_text(encoding="utf-8")
            card.write_text(replaced_table(text, "## Scores", card_table(scores, model)), encoding="utf-8")
    text = README.read_text(encoding="utf-8")
    README.write_text(replaced_table(text, "<!-- scores -->", readme_table(scores)), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
