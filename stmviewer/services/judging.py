"""What the judge of tips says of a scan, for the window, the console and batches."""

from functools import cache
from pathlib import Path

from stmviewer import paths
from stmviewer.evaluate.tip_state import TipKind, TipState, judge_channel
from stmviewer.files import open_scan
from stmviewer.scan import Channel, Direction, RequestError, Scan, StmviewerError
from stmviewer.services.jobs import Context, Job
from stmviewer.services.tip_cache import Judged, TipCache

__all__ = ["Judged", "TipCache", "TipKind", "TipState", "file_tip_job", "tip_state", "tip_state_job", "user_tips"]


def tip_state(scan: Scan, channel: Channel | None = None) -> TipState:
    """The state of the tip that measured `channel` (None: the topography).

    Loads torch. Raises RequestError for channels that cannot be judged: too small, constant, hardly measured.
    """
    frame = scan.geometry
    pixel_m = frame.pixel_width if frame.calibrated else None
    return judge_channel(channel or scan.channel(), upwards=scan.scan_direction == "up", pixel_m=pixel_m)


def tip_state_job(scan: Scan, channel: Channel, tips: TipCache | None = None) -> Job:
    """A job whose result is the `TipState` of what `channel` was measured with, from `tips` where it is known there."""

    def job(context: Context) -> TipState:
        context.progress.check()
        judged = _judged(scan, channel, tips or user_tips())
        if isinstance(judged, str):
            raise RequestError(judged)
        return judged

    return job


def file_tip_job(
    path: Path, channel: str | None = None, direction: Direction | None = None, tips: TipCache | None = None
) -> Job:
    """A job whose result is (path, TipState, or the line that says why it cannot be judged), for lists of files.

    Of `channel` where the file has it, else of the topography.
    """

    def job(context: Context) -> tuple[Path, Judged]:
        context.progress.check()
        try:
            scan = open_scan(path)
            return path, _judged(scan, _pick(scan, channel, direction), tips or user_tips())
        except StmviewerError as error:
            return path, str(error)

    return job


@cache
def user_tips() -> TipCache:
    """What was judged for this user, the same for every window of this process."""
    return TipCache(paths.cache())


def _pick(scan: Scan, channel: str | None, direction: Direction | None) -> Channel:
    try:
        return scan.channel(channel, direction)
    except RequestError:
        return scan.channel()


def _judged(scan: Scan, channel: Channel, tips: TipCache) -> Judged:
    key = None
    if scan.path is not None and scan.part.alone and scan.calibration is None:
        try:
            key = tips.key(scan.path, f"{channel.label} {channel.role}")
        except OSError:
            key = None  # gone: what is in memory can be judged still
    if key is not None and (known := tips.find(key)) is not None:
        return known
    try:
        judged: Judged = tip_state(scan, channel)
    except RequestError as error:
        judged = str(error)
    if key is not None:
        tips.keep(key, judged)
    return judged
