"""The same processing steps for many files, as `stmviewer convert --process` does it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stmviewer.services.converting import ConvertRequest, Found, convert_all
from stmviewer.services.jobs import Context, Job


@dataclass(frozen=True)
class Processed:
    """What became of the files: how many were written into `folder`, and why others were not."""

    folder: Path
    written: int
    faults: tuple[str, ...] = ()

    def in_words(self) -> str:
        done = f"Processed {self.written} scan{'s' * (self.written != 1)} into {self.folder}"
        if not self.faults:
            return done
        return f"{done}; {len(self.faults)} could not be: {self.faults[0]}" + (" …" if len(self.faults) > 1 else "")


def process_files_job(files: Sequence[Path], request: ConvertRequest) -> Job:
    """A job that writes each file with the steps of `request`; its result is a `Processed`."""

    def job(context: Context) -> Processed:
        done = list(convert_all([Found(file) for file in files], request, context.progress))
        faults = tuple(str(one.error) for one in done if one.error is not None)
        return Processed(request.output, len(done) - len(faults), faults)

    return job
