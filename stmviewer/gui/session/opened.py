"""What opening a file gives. Prepared inside the jobs, without Qt."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from stmviewer.files.calibration import Calibration, filled_in, key_of
from stmviewer.gui.shown import ChannelWish, Shown, pick_channel
from stmviewer.scan import Channel, FileError, Scan, StmviewerError
from stmviewer.services.jobs import Context, Job

#: the channel that is to be shown of a file that has it; None for its first one
Wish = Channel | ChannelWish | None


@dataclass(frozen=True)
class Opened:
    """What opening gives: the list of files, which of them is shown, its scans and the channel of the one that is
    shown; or why it could not."""

    files: tuple[Path, ...]
    index: int
    shown: Shown | None
    fault: str = ""
    parts: tuple[Scan, ...] = ()


@dataclass(frozen=True)
class Reading:
    """How files are read: which channel is wanted of them, and what the user has said about those without a size.

    Taken when a job is begun, since all of it may change before the job comes to its turn.
    """

    open_job: Callable[[Path], Job]
    wish: Wish
    calibrations: Mapping[str, Calibration]

    def file(self, context: Context, files: tuple[Path, ...], index: int) -> Opened:
        """The file at `index` with its first scan, or why it cannot be opened."""
        try:
            parts = self._parts(context, files[index])
            shown = Shown.of(parts[0], pick_channel(parts[0], self.wish))
            context.progress.check()
        except StmviewerError as error:
            return Opened(files, index, None, str(error))
        return Opened(files, index, shown, parts=parts)

    def part(self, part: Scan, files: tuple[Path, ...], index: int, parts: tuple[Scan, ...]) -> Opened:
        """One of the scans that were read already."""
        return Opened(files, index, Shown.of(part, pick_channel(part, self.wish)), parts=parts)

    def _parts(self, context: Context, path: Path) -> tuple[Scan, ...]:
        parts = self.open_job(path)(context)
        if not (isinstance(parts, tuple) and parts and all(isinstance(part, Scan) for part in parts)):
            raise FileError(path, "it holds no scan")
        keys = (key_of(path, False), key_of(path, True))
        said = next((self.calibrations[key] for key in keys if key in self.calibrations), None)
        return tuple(filled_in(part, said) for part in parts) if said is not None else parts
