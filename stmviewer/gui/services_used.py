"""The services that the window calls, in one place: tests put their own there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from stmviewer import paths
from stmviewer.restore import ModelInfo, Restoration, RestoreRequest
from stmviewer.scan import Channel, Direction, Scan
from stmviewer.services import batch, exporting, judging, notes, opening, restoring, thumbnails
from stmviewer.services.batch import BatchItem, BatchPlan
from stmviewer.services.jobs import Job
from stmviewer.services.notes import Note
from stmviewer.services.thumbnails import ThumbnailRequest


@dataclass(frozen=True)
class Services:
    """The services that the window calls; tests put their own in place."""

    scan_files: Callable[[Sequence[Path]], list[Path]] = opening.scan_files
    open_job: Callable[[Path], Job] = opening.open_job
    available_models: Callable[[], list[ModelInfo]] = restoring.available_models
    restore_job: Callable[[Scan, RestoreRequest], Job] = restoring.restore_job
    device_job: Callable[[], Job] = restoring.device_job
    export_job: Callable[[Restoration, Scan, Path], Job] = exporting.export_job
    thumbnails_job: Callable[[Sequence[Path], ThumbnailRequest], Job] = thumbnails.thumbnails_job
    tip_state_job: Callable[[Scan, Channel], Job] = judging.tip_state_job
    file_tip_job: Callable[[Path, str | None, Direction | None], Job] = judging.file_tip_job
    read_notes_job: Callable[[Sequence[Path]], Job] = notes.read_notes_job
    restore_next_job: Callable[[Sequence[BatchItem], BatchPlan], Job] = batch.restore_next_job
    write_note_job: Callable[[Path, Note, Note | None], Job] = notes.write_note_job
    #: the words that start the child process of a training
    training_program: Callable[[], Sequence[str]] = paths.command
