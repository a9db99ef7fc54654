"""The report as one HTML file: styles, figures and images inside, to be mailed, opened anywhere and printed."""

import base64
import io
from typing import Any

import jinja2
import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from numpy.typing import NDArray

from stmviewer import paths
from stmviewer.evaluate.report import plots, wording
from stmviewer.evaluate.study.measures import BY_KEY
from stmviewer.evaluate.study.result import Study
from stmviewer.files.colours import lookup_table

_TEMPLATES = "report"


def page(study: Study) -> str:
    """The whole page."""
    tasks = []
    for task in study.tasks:
        distance = plots.distance_figure(study, task)
        tasks.append(
            {
                "title": wording.task_title(study, task),
                "table": wording.task_table(study, task),
                "figure": svg(plots.task_figure(study, task)),
                "caption": _caption(study, task),
                "distances": wording.distance_table(study, task),
                "distance_figure": svg(distance) if distance else "",
                "examples": _examples(study, task),
                "ranked_by": BY_KEY[wording.leading(study, task)].title,
            }
        )
    used = {k for task in study.tasks for k in study.measures(task)}
    return render(
        "report.html.j2",
        study=study,
        in_short=wording.in_short(study),
        tasks=tasks,
        measures=[m for m in BY_KEY.values() if m.key in used],
        spaces=list(study.spaces.values()),
    )


def summary(study: Study) -> str:
    """What follows, the tables and the notes as the simple HTML that Qt's text browser shows."""
    tasks = [
        (wording.task_title(study, t), [wording.task_table(study, t), wording.distance_table(study, t)])
        for t in study.tasks
    ]
    return render("summary.html.j2", study=study, in_short=wording.in_short(study), tasks=tasks)


def render(name: str, **values: Any) -> str:
    """A template of resources/report, everything that is filled in escaped."""
    loader = jinja2.FileSystemLoader(paths.resources() / _TEMPLATES)
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template(name).render(values)


def svg(figure: Figure) -> str:
    """As a data address: drawings print sharp, and letters are drawn, so that no font is missing."""
    buffer = io.BytesIO()
    with rc_context({"svg.fonttype": "path", "svg.hashsalt": "stmviewer"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def coloured(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(rows, columns) as it is shown: (rows, columns, 3)."""
    table = np.asarray(lookup_table())
    at = np.rint(np.linspace(0, len(table) - 1, 256)).astype(int)
    result: NDArray[np.uint8] = table[at][grey][..., :3].astype(np.uint8)
    return result


def png(grey: NDArray[np.uint8]) -> str:
    """An image pixel by pixel as a data address."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(coloured(grey)).save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _examples(study: Study, task: str) -> list[dict[str, Any]]:
    return [
        {
            "which": e.which,
            "image": e.image,
            "by": e.by,
            "pictures": [
                {"title": p.title, "note": p.note, "src": png(p.grey), "size": p.grey.shape} for p in e.pictures
            ],
        }
        for e in study.examples
        if e.task == task
    ]


def _caption(study: Study, task: str) -> str:
    base = wording.method_title(study.baselines[task])
    measure = BY_KEY[wording.leading(study, task)].title
    text = (
        f"Left: mean {measure} of each method; the line is its 95 % interval, dots are images. Middle: each image, "
        f"every method against {base}; on the line they are equal. "
    )
    if study.spectra.get(task):
        return text + "Right: radial power spectrum over the truth's; below 1 is blur, above 1 is noise."
    return text + "Right: what a method costs in time."
