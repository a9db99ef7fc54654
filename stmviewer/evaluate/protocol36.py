"""The 36-image protocol: models trained on 36 good images of H:Si(100), judged on sessions that none of them saw.

Good images of the validation sessions are masked and rebuilt, and scored against what was hidden. Real degraded images
of these sessions have no truth: repaired, they are compared with the good ones as sets (the reference work does so too,
by CMMD).
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from stmviewer.evaluate import hidden, sets
from stmviewer.evaluate.hidden import Score
from stmviewer.evaluate.report.wording import distance_table
from stmviewer.evaluate.study.request import CLASSICAL, REPAIR, StudyRequest
from stmviewer.evaluate.study.result import Study
from stmviewer.evaluate.study.run import run_study
from stmviewer.restore import library
from stmviewer.restore.request import Device
from stmviewer.scan import FileError, Progress, RequestError

TASKS = ("lines:2", "lines:4", "grid:2", "grid:4", "pixels:0.25")
#: where the real degraded images are
_DEGRADED = ("double_tip", "tip_change", "blurry")
_GOOD = "pristine"


@dataclass(frozen=True)
class Found:
    """Scores of what was hidden, and the study of the repaired images."""

    sessions: tuple[str, ...]
    scores: list[Score]
    study: Study


def validation_files(data: Path, folder: str) -> list[Path]:
    """The images of a folder of `si100h` that are of the validation sessions. Raises FileError where there are none."""
    sessions = sessions_of(data)
    files = [p for p in sorted((data / "si100h" / folder).glob("*.png")) if p.name.split("_")[0] in sessions]
    if not files:
        raise FileError(data / "si100h" / folder, "holds no image of the validation sessions")
    return files


def sessions_of(data: Path) -> tuple[str, ...]:
    path = data / "si100h" / "validation_sessions.txt"
    try:
        return tuple(path.read_text(encoding="utf-8").split())
    except OSError as error:
        raise FileError(path, f"cannot be read ({error.strerror or error})", "See STMVIEWER_REAL_DATA") from error


def run(
    data: Path, models: Sequence[str], tasks: Sequence[str], images: int, progress: Progress, device: Device = "auto"
) -> Found:
    """Scores `models` (names, kinds, or `classical`), `images` of each set at most.

    `data` is the folder that STMVIEWER_REAL_DATA names. Raises RequestError for models that are not there.
    """
    sessions = sessions_of(data)
    sparse = [t for t in tasks if t != REPAIR]
    infos = library.model_infos()
    classical = [i.name for i in infos if not i.learned and i.name != library.AUTO.name]
    named = [n for model in models for n in (classical if model == CLASSICAL else [model])]
    for name in named:
        if not any(name in (i.name, i.kind) for i in infos):
            library.resolve(name, "sparse")  # raises, with the list of models
    good = {name: cases for name, cases in sets.real(data, images).items() if "H:Si(100)" in name}
    scores = hidden.evaluate(good, named, sparse, progress.part(0.6), device=device) if sparse else []
    able = {i.name for i in infos if REPAIR in i.tasks} | {i.kind for i in infos if REPAIR in i.tasks}
    repairing = tuple(n for n in dict.fromkeys(named) if n in able)
    if not repairing:
        raise RequestError("none of these models repairs: name a learned one, or classical")
    with TemporaryDirectory() as temporary:
        places = {"good": [_GOOD], "degraded": _DEGRADED}
        for role, folders in places.items():
            (Path(temporary) / role).mkdir()
            for folder in folders:
                for file in validation_files(data, folder):
                    # an image that is in two folders stays one of each; the session stays what the name begins with
                    shutil.copyfile(file, Path(temporary) / role / f"{file.stem}_{folder}{file.suffix}")
        request = StudyRequest(
            Path(temporary) / "good",
            Path(temporary) / "degraded",
            models=repairing,
            tasks=(REPAIR,),
            images=images,
            device=device,
            question="Are real degraded H:Si(100) images, repaired, as good ones of the same sessions?",
        )
        study, work = run_study(request, None, progress.part(1.0))
        work.remove()
    return Found(sessions, scores, study)


def table(found: Found) -> str:
    """Markdown: what was hidden, a row for each set and model; and how far the repaired images are from good ones."""
    blocks = [f"Validation sessions {', '.join(found.sessions)}; nothing was trained on them."]
    tasks = list(dict.fromkeys(s.task for s in found.scores))
    if tasks:
        images = max(s.images for s in found.scores)
        lines = [
            f"SSIM of the whole image / SSIM at hidden pixels / PSNR in dB, means of {images} images; the best SSIM at "
            "hidden pixels in bold.",
            "",
            f"| set | model | {' | '.join(tasks)} |",
            "|---|---|" + "---|" * len(tasks),
        ]
        for name in dict.fromkeys(s.set for s in found.scores):
            here = [s for s in found.scores if s.set == name]
            for number, model in enumerate(dict.fromkeys(s.model for s in here)):
                cells = [_cell([s for s in here if s.task == task], model) for task in tasks]
                lines.append(f"| {name if number == 0 else ''} | {model} | {' | '.join(cells)} |")
        blocks.append("\n".join(lines))
    distances = distance_table(found.study, REPAIR)
    if distances is not None:
        count = max((d.images for d in found.study.distances if d.task == REPAIR), default=0)
        lines = [
            f"{count} real degraded images ({', '.join(_DEGRADED)}), repaired: distance to the good ones, smaller is "
            "better.",
            "",
            f"| model | {' | '.join(distances.head)} |",
            "|---|" + "---|" * len(distances.head),
        ]
        for name, row in distances.rows:
            cells = [c.text + (f" ({c.interval})" if c.interval else "") for c in row]
            lines.append(f"| {name} | {' | '.join(cells)} |")
        blocks.append("\n".join(lines))
    blocks.append("\n".join(f"- {note}." for note in found.study.notes))
    return "\n\n".join(b for b in blocks if b)


def _cell(column: Sequence[Score], model: str) -> str:
    mine = [s for s in column if s.model == model]
    if not mine:
        return ""
    best = mine[0].ssim_hidden > max(s.ssim_hidden for s in column) - 0.0005
    hidden_text = f"{mine[0].ssim_hidden:.3f}"
    return f"{mine[0].ssim:.3f} / {f'**{hidden_text}**' if best else hidden_text} / {mine[0].psnr_db:.1f}"
