"""A study in a few lines of Markdown, for the terminal."""

from stmviewer.evaluate.report.wording import distance_table, in_short, method_title, number, span, task_title
from stmviewer.evaluate.study.measures import BY_KEY
from stmviewer.evaluate.study.result import Study

_SHOWN = ("ssim", "ssim_hidden", "psnr_db", "mae_pm", "mae_percent", "nearness", "good_tip", "seconds")


def text(study: Study) -> str:
    """The means that matter most, the distances, what follows, and what to know before believing it."""
    blocks = [study.question]
    for task in study.tasks:
        keys = [k for k in _SHOWN if k in study.measures(task)]
        keys = [k for k in keys if k != "mae_percent" or "mae_pm" not in keys]
        heads = [f"{BY_KEY[k].title} ({BY_KEY[k].unit})" if BY_KEY[k].unit else BY_KEY[k].title for k in keys]
        lines = [task_title(study, task), "", f"| method | {' | '.join(heads)} |", "|---|" + "---|" * len(keys)]
        for method in study.methods(task):
            cells = []
            for key in keys:
                mean, digits = study.mean(task, method, key), BY_KEY[key].digits
                low_high = span(mean.interval, digits) if mean and key in ("ssim", "nearness") else ""
                cells.append(
                    "" if mean is None else number(mean.value, digits) + (f" ({low_high})" if low_high else "")
                )
            lines.append(f"| {method_title(method)} | {' | '.join(cells)} |")
        distances = distance_table(study, task)
        if distances is not None:
            lines += ["", "| distance | " + " | ".join(distances.head) + " |", "|---|" + "---|" * len(distances.head)]
            for name, row in distances.rows:
                found = [c.text + (f" ({c.interval})" if c.interval else "") for c in row]
                lines.append(f"| {name} | {' | '.join(found)} |")
        blocks.append("\n".join(lines))
    blocks.append("\n".join(in_short(study)))
    blocks.append("\n".join(f"- {note}." for note in study.notes))
    return "\n\n".join(b for b in blocks if b)
