"""Reports as a job, the same from the window and the command line: run, go on after a stop, write the files."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stmviewer.files.writing import replacing
from stmviewer.scan import FileError, Progress, RequestError
from stmviewer.services.jobs import Context, Job

if TYPE_CHECKING:
    from stmviewer.evaluate.report.compare import Comparison
    from stmviewer.evaluate.study.request import StudyRequest
    from stmviewer.evaluate.study.result import Study

HTML, PDF = (".html", ".htm"), ".pdf"


@dataclass(frozen=True)
class Outputs:
    """Where a report goes: `report` is HTML (its name ends in .html), or PDF alone (.pdf); beside an HTML file come the
    PDF and the CSV of every image with the same name. `json` is for machines and for comparing."""

    report: Path | None = None
    json: Path | None = None

    def __post_init__(self) -> None:
        if self.report is not None and self.report.suffix.lower() not in (*HTML, PDF):
            raise RequestError(f"a report is .html or .pdf, not '{self.report.name}'")

    @property
    def work(self) -> Path | None:
        """What is done already, so that the same request goes on; None where nothing is written."""
        beside = self.report or self.json
        return beside.with_name(beside.name + ".work") if beside is not None else None


def run_report(request: "StudyRequest", outputs: Outputs, progress: Progress) -> "tuple[Study, list[Path]]":
    """Runs the study and writes what is asked for; returns it and the files. Raises Cancelled when the user stops it:
    the work file stays, and the same request goes on from there."""
    from stmviewer.evaluate.study.run import run_study

    for path in (outputs.report, outputs.json):
        if path is not None and path.is_dir():
            raise FileError(path, "is a folder, not a file", "Give a file name")
    study, work = run_study(request, outputs.work, progress.part(0.97))
    try:
        written = write_report(study, outputs, progress.part(1.0, "Writing the report"))
    except BaseException:
        work.__exit__()  # stays: only the writing is to be done again
        raise
    work.remove()
    return study, written


def write_report(study: "Study", outputs: Outputs, progress: Progress) -> list[Path]:
    """Writes the files; returns where they are."""
    written: list[Path] = []

    def put(path: Path, content: bytes) -> None:
        with replacing(path) as file:
            file.write(content)
        written.append(path)
        progress.check()

    if outputs.report is not None:
        from io import BytesIO

        from stmviewer.evaluate.report.csv_rows import to_csv
        from stmviewer.evaluate.report.html import page
        from stmviewer.evaluate.report.pdf import write_pdf

        if outputs.report.suffix.lower() in HTML:
            put(outputs.report, page(study).encode())
        pdf = BytesIO()
        write_pdf(study, pdf)
        put(outputs.report.with_suffix(PDF), pdf.getvalue())
        put(outputs.report.with_suffix(".csv"), to_csv(study).encode())
    if outputs.json is not None:
        put(outputs.json, (study.to_json() + "\n").encode())
    return written


@dataclass(frozen=True)
class ReportDone:
    """A report that was written: its files, and its tables as simple HTML for a panel."""

    files: list[Path]
    html: str


def study_job(values: Mapping[str, Any], report: Path) -> Job:
    """A job whose result is `ReportDone`. `values` are those of a StudyRequest, checked inside the job; the JSON is
    written beside the report, so that reports can be compared."""

    def job(context: Context) -> ReportDone:
        context.progress.check()
        from stmviewer.evaluate.report.html import summary
        from stmviewer.evaluate.study.request import StudyRequest

        outputs = Outputs(report, report.with_suffix(".json"))
        study, files = run_report(StudyRequest(**values), outputs, context.progress)
        return ReportDone(files, summary(study))

    return job


def comparison_job(first: Path, second: Path) -> Job:
    """A job whose result is the comparison of two reports (their JSON files) as simple HTML."""

    def job(_: Context) -> str:
        from stmviewer.evaluate.report.compare import page

        return page(compare_reports(first, second), plain=True)

    return job


def compare_reports(first: Path, second: Path) -> "Comparison":
    """Two JSON files of reports beside each other."""
    from stmviewer.evaluate.report.compare import compare
    from stmviewer.evaluate.study.result import read_study

    names = (first.stem, second.stem) if first.stem != second.stem else (str(first), str(second))
    return compare(read_study(first), read_study(second), names)
